"""Lists are read a page at a time while rows come and go: nothing that was there all the time is missing, and
nothing comes twice. A new list, or a new column to sort by, is held to this as soon as it is described.
"""

import re
from itertools import count

import pytest

from guestlist.actions.api_keys import create_api_key
from guestlist.actions.invitations import send_invitations
from guestlist.actions.mail import new_mail, owe
from guestlist.actions.webhooks import create_webhook
from guestlist.actors import Actor
from guestlist.addresses import parse_items
from guestlist.api.app import api
from guestlist.models import (
    ApiKey,
    Delivery,
    Domain,
    Event,
    Invitation,
    JoinLink,
    JoinRequest,
    Membership,
    Organization,
    Role,
    Webhook,
    WebhookDelivery,
)
from guestlist.models.delivery import Kind
from guestlist.permissions import all_permissions
from tests.api.conftest import ApiClient
from tests.conftest import join, make_user

pytestmark = pytest.mark.django_db
PREFIX = "/organizations/{slug}"
ONE = "one@acme.test"


def lists():
    """Every list and every way to sort it, as the description has them."""
    for path, methods in api.get_openapi_schema()["paths"].items():
        parameters = {each["name"]: each["schema"] for each in methods.get("get", {}).get("parameters", ())}
        if "cursor" in parameters:
            for sort in parameters.get("sort", {}).get("enum", [""]):
                noun = path.removeprefix(PREFIX)
                yield pytest.param(noun, sort, id=f"{noun} by {sort}")


def at(organization):
    """The time as actions write it: SQLite's own default has fewer digits, and text is compared there."""
    return {"created_at": Organization.objects.lock(organization.pk).now}


def invite(organization, number):
    # Names that are spread over the list, and not in the order in which they come.
    email = f"{'mzaqf'[number % 5]}{number}@acme.test"
    send_invitations(actor=Actor.operator(), organization=organization, parsed=parse_items([email]))


def remind(organization, number):
    locked = Organization.objects.lock(organization.pk)
    invitation = Invitation.objects.get(organization=organization, key=ONE)
    invitation.organization = locked
    owe([new_mail(invitation, Kind.REMINDER)])


def add_member(organization, number):
    user = make_user(f"{'mzaqf'[number % 5]}{number}@northwind.test", "Amara" if number % 2 else "Zoe")
    join(organization, user, (None, "Member", "Admin")[number % 3])


def add_key(organization, number):
    name = "mzaqf"[number % 5]
    create_api_key(actor=Actor.operator(), organization=organization, name=name, permissions=())


def add_webhook(organization, number):
    create_webhook(actor=Actor.operator(), organization=organization, url="http://127.0.0.1:9/")


def add_role(organization, number):
    Role.objects.create(organization=organization, name=f"{'mzaqf'[number % 5]}{number}")


def add_join_link(organization, number):
    about = {"uses": number % 3, "name": "mzaqf"[number % 5]} | at(organization)
    JoinLink.objects.create(organization=organization, nonce=f"{number:022}", **about)


def add_domain(organization, number):
    name = f"{'mzaqf'[number % 5]}{number}.test"
    code = {"nonce": f"{number:022}", "code_expires_at": organization.created_at} | at(organization)
    Domain.objects.create(organization=organization, domain=name, email=f"it@{name}", **code)


def add_request(organization, number):
    email = f"{'mzaqf'[number % 5]}{number}@acme.test"
    JoinRequest.objects.create(organization=organization, email=email, key=email, **at(organization))


# What adds a row to a list, and the rows.
NOUNS = {
    "/invitations": (invite, Invitation),
    "/invitations/{invitation_id}/deliveries": (remind, Delivery),
    "/deliveries": (invite, Delivery),
    "/events": (invite, Event),
    "/members": (add_member, Membership),
    "/roles": (add_role, Role),
    "/join-links": (add_join_link, JoinLink),
    "/domains": (add_domain, Domain),
    "/join-requests": (add_request, JoinRequest),
    "/api-keys": (add_key, ApiKey),
    "/webhooks": (add_webhook, Webhook),
    "/webhooks/{webhook_id}/deliveries": (invite, WebhookDelivery),
}


@pytest.mark.parametrize(("path", "sort"), list(lists()))
def test_pages_stay_stable_while_rows_come_and_go(organization, make_key, limit, path, sort):
    limit()
    call = ApiClient(make_key(organization, permissions=sorted(all_permissions())))
    url = f"northwind{_filled(path, organization)}?limit=2{f'&sort={sort}' if sort else ''}"
    add, table = NOUNS[path]
    numbers = count()
    for _ in range(9):
        add(organization, next(numbers))
    before = _ids(call, url)
    assert len(before) >= 9
    # A row of the log stays, and so does the last of a kind that this test itself needs.
    goers = [] if table is Event else _spare(before)
    seen, cursor, pages = [], "", 0
    while cursor is not None:
        page = call("GET", f"{url}&cursor={cursor}").data
        seen += [item["id"] for item in page["items"]]
        cursor, pages = page["next_cursor"], pages + 1
        if goers:
            table.objects.filter(pk=goers.pop()).delete()
        if pages < 6:
            add(organization, next(numbers))
        assert pages < 40
    assert len(seen) == len(set(seen)), "a row came twice"
    stayed = set(before) & set(_ids(call, url))
    assert len(stayed) >= 6
    assert stayed <= set(seen), "a row that was there all the time is missing"


def _filled(path, organization):
    """The path, with the ids of an invitation and of a webhook where it asks for them."""
    if "{invitation_id}" in path:
        send_invitations(actor=Actor.operator(), organization=organization, parsed=parse_items([ONE]))
        return path.replace("{invitation_id}", str(Invitation.objects.get(key=ONE).pk))
    if "{webhook_id}" in path:
        add_webhook(organization, 0)
        return path.replace("{webhook_id}", str(Webhook.objects.get().pk))
    assert not re.search(r"{\w+}", path)
    return path


def _spare(ids):
    """Three rows to remove: one near the start, one in the middle, one near the end."""
    own = {str(pk) for pk in ApiKey.objects.filter(name="Test key").values_list("pk", flat=True)}
    owners = {str(pk) for pk in Membership.objects.filter(role__name="Owner").values_list("pk", flat=True)}
    used = {str(pk) for pk in Role.objects.filter(memberships__isnull=False).values_list("pk", flat=True)}
    free = [pk for pk in ids if pk not in own | owners | used]
    return [free[-1], free[len(free) // 2], free[1]]


def _ids(call, url):
    """The ids of all rows, at once."""
    page = call("GET", url.replace("limit=2", "limit=500")).data
    assert page["next_cursor"] is None
    return [item["id"] for item in page["items"]]
