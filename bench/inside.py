"""What only Guestlist itself can make, run in its environment: organizations, keys and sessions, as JSON.

`python -m bench.inside ACTION ARGUMENT…`
"""

import json
import os
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestlist_server.settings")
django.setup()

from allauth.account.models import EmailAddress  # noqa: E402
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY  # noqa: E402
from django.contrib.sessions.backends.db import SessionStore  # noqa: E402
from django.contrib.sessions.models import Session  # noqa: E402
from django.db import transaction  # noqa: E402
from django.utils import timezone  # noqa: E402

from guestlist.actions.api_keys import create_api_key  # noqa: E402
from guestlist.actions.invitations import send_invitations  # noqa: E402
from guestlist.actions.organizations import create_organization  # noqa: E402
from guestlist.actors import Actor, Origin  # noqa: E402
from guestlist.addresses import parse_items  # noqa: E402
from guestlist.delivery.rendering import Renderer  # noqa: E402
from guestlist.links import invitation_token  # noqa: E402
from guestlist.models import Delivery, Invitation, Membership, Organization  # noqa: E402
from guestlist.models.invitation import Status  # noqa: E402
from guestlist.models.listing import Listing  # noqa: E402
from guestlist.permissions import admin_permissions  # noqa: E402
from guestlist_server.accounts.models import User  # noqa: E402

BACKEND = "allauth.account.auth_backends.AuthenticationBackend"
# What a form and its cookie have to hold both.
TOKEN = "a" * 32


def found(*slugs: str) -> dict[str, Any]:
    """Organizations of one owner, who is signed in, each with an API key."""
    owner = User.objects.create_user("owner@northwind.test", None, name="Olivia Owner")
    EmailAddress.objects.create(user=owner, email=owner.email, verified=True, primary=True)
    return {"cookie": f"sessionid={_session(owner)}", "keys": {slug: _found(owner, slug) for slug in slugs}}


def _found(owner: User, slug: str) -> str:
    organization = create_organization(actor=Actor.operator(), name=slug.title(), slug=slug, owner=owner)
    actor = Actor.user(owner, origin=Origin("web", "192.0.2.1", "bench"))
    made = create_api_key(
        actor=actor, organization=organization, name="Bench", permissions=admin_permissions()
    )
    send_invitations(actor=actor, organization=organization, parsed=parse_items(["first@acme.test"]))
    return made.secret


def _session(user: User) -> str:
    session = SessionStore()
    session.update(_signed_in(user))
    session.save()
    return str(session.session_key)


def _signed_in(user: User) -> dict[str, str]:
    return {
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: BACKEND,
        HASH_SESSION_KEY: user.get_session_auth_hash(),
    }


def cursors(*slugs: str) -> dict[str, dict[str, str | None]]:
    """For each sort of pending invitations, or of members where there are more of them, where the second half
    begins.
    """
    return {slug: _cursors(Organization.objects.get(slug=slug)) for slug in slugs}


def _cursors(organization: Organization) -> dict[str, str | None]:
    invitations = Invitation.objects.filter(organization=organization).pending()
    members = Membership.objects.active().filter(organization=organization)
    many = invitations.count(), members.count()
    rows: Any = invitations if many[0] > many[1] else members
    columns = Invitation.columns(Status.PENDING) if rows is invitations else Membership.COLUMNS
    return {
        sort: Listing.of(rows, columns, sort).numbered(max(many) // 2, 1).next_cursor
        for column in columns
        for sort in (column, f"-{column}")
    }


def invite(slug: str, prefix: str, number: str) -> float:
    """Invite so many people at once; when that was committed, by the clock that all processes share."""
    parsed = parse_items([f"{prefix}{n}@acme.test" for n in range(int(number))])
    organization = Organization.objects.get(slug=slug)
    send_invitations(actor=Actor.operator(), organization=organization, parsed=parsed)
    return time.monotonic()


def invitees(slug: str, number: str, file: str) -> int:
    """So many invited people with accounts, who are signed in; writes a line for each that accepts."""
    people = [
        User(email=f"invitee{n}@acme.test", name=f"Invitee {n}", password="!") for n in range(int(number))
    ]
    User.objects.bulk_create(people, 1000)
    addresses = [EmailAddress(user=user, email=user.email, verified=True, primary=True) for user in people]
    EmailAddress.objects.bulk_create(addresses, 1000)
    for start in range(0, len(people), 10_000):
        parsed = parse_items([str(user.email) for user in people[start : start + 10_000]])
        send_invitations(
            actor=Actor.operator(), organization=Organization.objects.get(slug=slug), parsed=parsed
        )
    sessions = [_session_of(user, n) for n, user in enumerate(people)]
    Session.objects.bulk_create(sessions, 1000)
    found = Invitation.objects.filter(key__startswith="invitee").values_list("key", "nonce", "pk")
    links = {key: invitation_token(nonce, pk) for key, nonce, pk in found}
    with Path(file).open("w") as lines:
        for user, session in zip(people, sessions, strict=True):
            cookie = f"csrftoken={TOKEN}; sessionid={session.session_key}"
            body = f"csrfmiddlewaretoken={TOKEN}"
            lines.write(f"POST\t/i/{links[str(user.email)]}\t{cookie}\t{body}\n")
    return len(people)


def _session_of(user: User, number: int) -> Session:
    content = SessionStore().encode(_signed_in(user))
    ends = timezone.now() + timedelta(days=1)
    return Session(session_key=f"invitee{number:025d}", session_data=content, expire_date=ends)


def message(slug: str, file: str) -> int:
    """Write what one message looks like to a file."""
    with transaction.atomic():
        invite(slug, "sample", "1")
        content = Renderer().bytes_of(Delivery.objects.get(key="sample0@acme.test"))
        transaction.set_rollback(True)
    return Path(file).write_bytes(content)


if __name__ == "__main__":
    actions: tuple[Callable[..., object], ...] = (found, cursors, invite, invitees, message)
    action = next(action for action in actions if action.__name__ == sys.argv[1])
    print(json.dumps(action(*sys.argv[2:])))
