"""Every way of arriving: what each visitor sees behind each kind of link under each sign-up policy, and what
a press of the button changes. One row of TABLE for each (link, visitor); it says where the policy matters.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from itertools import product

import pytest
from allauth.account.models import EmailAddress
from django.contrib.sessions.models import Session
from django.db.models import F
from django.test import Client
from django.urls import reverse

from guestlist.actions.hand_over import create_hand_over_link
from guestlist.links import invitation_token
from guestlist.models import Event, Invitation, Membership, Organization
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import PASSWORD, actor_of, join, make_user

EMAIL = "vera@acme.test"
FORM = {"name": "Vera Vance", "password": PASSWORD, "email": EMAIL}

LINKS = ("mailed", "handed over", "expired", "declined", "revoked", "used", "unknown")
VISITORS = (
    "new",  # signed out, no account
    "signed out",  # signed out, the address has an account
    "squatted",  # signed out, an account holds the address without having proved it
    "owner",  # signed in, owns the address
    "owner inside",  # signed in, owns the address, and is a member by another one
    "holder",  # signed in, holds the address without having proved it
    "stranger",  # signed in as somebody else, the address is free
    "stranger, taken",  # signed in as somebody else, the address is another account's
    "member",  # signed in as somebody else who is a member
)
POLICIES = ("invited", "open", "none")


@dataclass(frozen=True)
class Row:
    """`status` and `sees` of the page, `after` of the POST; then what changed."""

    status: int
    sees: tuple[str, ...]
    after: int | str
    invitation: str = "pending"
    joins: bool = False
    verified: bool | None = None
    account: bool = False


SIGN_UP = Row(200, ("Join Northwind", "Create a password"), "/o/northwind/", "accepted", True, True, True)
SIGN_IN = Row(200, ("Join Northwind", "already has an account", "Sign In to Accept"), 403)
READY = Row(
    200, ("Join Northwind", "Signed in as", "Accept Invitation"), "/o/northwind/", "accepted", True, True
)
WRONG = Row(200, ("for another email", "v***@acme.test", "Sign Out and Continue", "Add This Address"), 403)
WRONG_TAKEN = Row(200, ("for another email", "v***@acme.test", "Sign Out and Continue"), 403)
WRONG_MEMBER = Row(200, ("for another email", "a member of Northwind already", "Go to Northwind"), 403)
INSIDE = Row(200, ("Join Northwind", "a member already", "Go to Northwind"), "/o/northwind/", "accepted")
EXPIRED = Row(410, ("has expired", "Ask for a New Invitation"), 410, "pending")
DECLINED = Row(410, ("You declined", "Ask for a New Invitation"), 410, "declined")
REVOKED = Row(410, ("was withdrawn", "Alice Archer"), 410, "revoked")
USED = Row(410, ("already used",), 410, "accepted")
UNKNOWN = Row(404, ("This link doesn’t work",), 404)

TABLE: dict[tuple[str, str], Row | dict[str, Row]] = {
    ("mailed", "new"): {"invited": SIGN_UP, "open": SIGN_UP, "none": SIGN_IN},
    ("mailed", "signed out"): SIGN_IN,
    ("mailed", "squatted"): {"invited": SIGN_UP, "open": SIGN_UP, "none": SIGN_IN},
    ("mailed", "owner"): READY,
    ("mailed", "owner inside"): INSIDE,
    ("mailed", "holder"): Row(200, ("Confirm your address first", "Add This Address"), 403),
    ("mailed", "stranger"): WRONG,
    ("mailed", "stranger, taken"): WRONG_TAKEN,
    ("mailed", "member"): WRONG_MEMBER,
    ("handed over", "new"): {
        "invited": Row(
            200, ("was handed to you", "Create a password"), "/o/northwind/", "accepted", True, False, True
        ),
        "open": Row(
            200, ("was handed to you", "Create a password"), "/o/northwind/", "accepted", True, False, True
        ),
        "none": SIGN_IN,
    },
    ("handed over", "signed out"): SIGN_IN,
    ("handed over", "squatted"): {
        "invited": Row(200, ("was handed to you", "Create a password"), 409),
        "open": Row(200, ("was handed to you", "Create a password"), 409),
        "none": SIGN_IN,
    },
    ("handed over", "owner"): READY,
    ("handed over", "owner inside"): INSIDE,
    ("handed over", "holder"): Row(
        200, ("was handed to you", "Signed in as"), "/o/northwind/", "accepted", True, False
    ),
    ("handed over", "stranger"): WRONG_TAKEN,
    ("handed over", "stranger, taken"): WRONG_TAKEN,
    ("handed over", "member"): WRONG_MEMBER,
    **{("expired", visitor): EXPIRED for visitor in VISITORS},
    **{("declined", visitor): DECLINED for visitor in VISITORS},
    **{("revoked", visitor): REVOKED for visitor in VISITORS},
    **{("used", visitor): USED for visitor in VISITORS},
    # Whoever used it and comes back is let in.
    ("used", "owner inside"): Row(302, (), "/o/northwind/", "accepted"),
    **{("unknown", visitor): UNKNOWN for visitor in VISITORS},
}
NOT_OFFERED = {("mailed", "stranger, taken"), ("handed over", "stranger"), ("handed over", "stranger, taken")}


def test_the_table_is_complete() -> None:
    assert set(TABLE) == set(product(LINKS, VISITORS))


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize("visitor", VISITORS)
@pytest.mark.parametrize("link", LINKS)
def test_every_visitor_at_every_link(organization, alice, settings, link, visitor, policy):
    row = TABLE[link, visitor]
    expected = row[policy] if isinstance(row, dict) else row
    settings.GUESTLIST_SIGNUP = "open" if policy == "open" else "invited"
    invitation = send(organization, alice, EMAIL).outcomes[0].invitation
    client = VISIT[visitor](organization)
    url = _link(settings, organization, alice, invitation, link)
    if policy == "none":
        settings.GUESTLIST = settings.GUESTLIST | {"SIGN_UP": None}
    before = _state(invitation)
    sessions = Session.objects.count()

    page = client.get(url)
    assert page.status_code == expected.status
    text = page.content.decode().replace("<wbr>", "")
    assert [words for words in expected.sees if words not in text] == []
    if (link, visitor) in NOT_OFFERED:
        assert "Add This Address" not in text
    assert _state(invitation) == before
    assert Session.objects.count() == sessions

    answer = client.post(url, FORM)
    if isinstance(expected.after, str):
        assert (answer.status_code, answer["Location"]) == (302, expected.after)
    else:
        assert answer.status_code == expected.after
    _check_changes(invitation, expected, before)


def _check_changes(invitation, expected, before):
    invitation.refresh_from_db()
    assert invitation.status == expected.invitation
    status, members, accounts, _ = before
    assert Membership.objects.active().count() == members + expected.joins
    assert User.objects.count() == accounts + expected.account
    if expected.joins:
        member = Membership.objects.active().latest("joined_at", "pk")
        assert member.role is None
        assert member.email_verified is expected.verified
        assert EmailAddress.objects.get(email=EMAIL, user=member.user).verified is expected.verified
        assert Event.objects.filter(type="member.joined", subject_id=str(member.pk)).count() == 1
    if not expected.joins and expected.invitation == status:
        assert _state(invitation) == before


def _state(invitation) -> tuple[object, ...]:
    """Everything that arriving may change."""
    invitation.refresh_from_db()
    return (
        invitation.status,
        Membership.objects.active().count(),
        User.objects.count(),
        (Event.objects.count(), sorted(EmailAddress.objects.values_list("email", "user_id", "verified"))),
    )


def _link(settings, organization, alice, invitation, link) -> str:
    path = f"/i/{invitation_token(invitation.nonce, invitation.pk)}"
    rows = Invitation.objects.filter(pk=invitation.pk)
    match link:
        case "handed over":
            settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
            made = create_hand_over_link(
                actor=actor_of(alice), organization=organization, invitation_id=invitation.pk
            )
            return "/i/" + made.rpartition("/")[2]
        case "expired":
            week = timedelta(days=8)
            rows.update(invited_at=F("invited_at") - week, expires_at=F("expires_at") - week)
        case "declined" | "revoked":
            rows.update(status=link, ended_at=F("invited_at"))
        case "used":
            rows.update(status="accepted", ended_at=F("invited_at"))
        case "unknown":
            return "/i/gli_" + "A" * 64
    return path


def _signed_in(user: User) -> Client:
    client = Client()
    client.force_login(user)
    return client


def _holder() -> User:
    user = User.objects.create_user(EMAIL, PASSWORD, name="Unproved")
    EmailAddress.objects.create(user=user, email=EMAIL, verified=False, primary=True)
    return user


def _signed_out(_organization: Organization) -> Client:
    make_user(EMAIL, "Vera Vance")
    return Client()


def _squatted(_organization: Organization) -> Client:
    _holder()
    return Client()


def _owner_inside(organization: Organization) -> Client:
    user = make_user("vera@home.test", "Vera Vance")
    EmailAddress.objects.create(user=user, email=EMAIL, verified=True)
    join(organization, user, "Member")
    return _signed_in(user)


def _taken(_organization: Organization) -> Client:
    make_user(EMAIL, "Vera Vance")
    return _signed_in(make_user("mallory@evil.test", "Mallory Mayhem"))


def _member(organization: Organization) -> Client:
    user = make_user("charlie@northwind.test", "Charlie Cook")
    join(organization, user, "Member")
    return _signed_in(user)


VISIT: dict[str, Callable[[Organization], Client]] = {
    "new": lambda organization: Client(),
    "signed out": _signed_out,
    "squatted": _squatted,
    "owner": lambda organization: _signed_in(make_user(EMAIL, "Vera Vance")),
    "owner inside": _owner_inside,
    "holder": lambda organization: _signed_in(_holder()),
    "stranger": lambda organization: _signed_in(make_user("mallory@evil.test", "Mallory Mayhem")),
    "stranger, taken": _taken,
    "member": _member,
}


@pytest.mark.parametrize("policy", ["invited", "open"])
def test_sign_up_without_an_invitation_is_open_only_where_it_is_configured(
    organization, settings, client, policy
):
    settings.GUESTLIST_SIGNUP = policy
    form = {"email": "somebody@else.test", "password1": PASSWORD, "name": "Some Body"}
    client.post(reverse("account_signup"), form)
    assert User.objects.filter(email="somebody@else.test").exists() is (policy == "open")
