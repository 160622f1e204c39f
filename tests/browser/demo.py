"""What the servers of the screenshots and of the accessibility tests hold: Northwind and its neighbours.

`python -c "from tests.browser.demo import main; main()"`, told where by the environment of a server that is
about to start, fills its data folder and prints who is signed in by which cookie and what stands where.
"""

# ruff: noqa: E402  (models can be imported only once Django is set up)
import json
import time
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import django

django.setup()

from allauth.account.forms import default_token_generator
from allauth.account.models import EmailAddress
from allauth.account.utils import user_pk_to_url_str
from allauth.mfa.models import Authenticator
from allauth.mfa.recovery_codes.internal.auth import RecoveryCodes
from allauth.mfa.totp.internal.auth import TOTP
from allauth.socialaccount.models import SocialAccount
from allauth.usersessions.models import UserSession
from django.db.models import F
from django.template.loader import render_to_string
from django.test import Client
from django.utils import timezone

from guestlist.actions.api_keys import create_api_key, revoke_api_key, rotate_api_key
from guestlist.actions.deletion import delete_organization
from guestlist.actions.invitations import send_invitations
from guestlist.actions.join_links import create_join_link, turn_off_join_link, url_of
from guestlist.actions.members import change_role
from guestlist.actions.organizations import create_organization, create_setup_link
from guestlist.actions.two_factor import require_two_factor
from guestlist.actions.webhook_log import send_test
from guestlist.actions.webhooks import create_webhook, rotate_secret, turn_off_webhook
from guestlist.actors import Actor
from guestlist.addresses import parse_addresses
from guestlist.links import HAND_OVER, UNSUBSCRIBE, invitation_token, new_nonce
from guestlist.models import (
    ApiKey,
    Delivery,
    Domain,
    Invitation,
    JoinLink,
    JoinRequest,
    Membership,
    Organization,
    Role,
    Suppression,
    Webhook,
    WebhookDelivery,
)
from guestlist.models.delivery import Kind
from guestlist.models.fields import timestamp
from guestlist.webhook_messages import message_body
from guestlist_server.accounts.models import User
from guestlist_server.serve import bring_up_to_date
from tests.conftest import actor_of, join, make_user

LONG = "bartholomew.featherstonehaugh-cholmondeley.the.third@customer-success.northwind.test"
TOTP_SECRET = "JBSWY3DPEHPK3PXPJBSWY3DPEHPK3PXP"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 Version/18.5 Safari/604.1"
)
TIMED_OUT = "The mail server did not answer in time."
HOUR = timedelta(hours=1)


def fill() -> dict[str, dict[str, str]]:
    """Everybody and everything; who is signed in by which cookie, and where things stand."""
    people = _people()
    organizations = _organizations(people)
    deferred = _invitations(organizations["Northwind"], people)
    _send(
        organizations["Contoso Logistics"],
        people["maya"],
        *(f"driver{n:03}@contoso.test" for n in range(137)),
    )
    _send(organizations["Acme Studio"], people["maya"], "ada@acme.test", "ben@acme.test", "cleo@acme.test")
    _session(people["maya"], agent=IPHONE)
    sessions = {name: _session(user) for name, user in people.items()}
    sessions["maya later"] = _session(people["maya"], proved=False)
    sessions["otto later"] = _session(_without_password(), proved=False)
    # Signing in would end the link of a reset.
    links = {"deferred": f"/o/northwind/admin/invitations/{deferred.pk}"}
    links |= {"member": _member(organizations["Northwind"], people)}
    _api_keys(organizations["Northwind"], people["maya"])
    links |= _links(organizations, people) | _account(people) | _setup_links(people)
    links |= _roles(organizations["Northwind"])
    links |= _webhooks(organizations["Northwind"], people["maya"])
    _settings(people)
    links |= _domains(organizations)
    links |= _join_links(organizations["Northwind"], people)
    _everything_has_left()
    return {"sessions": sessions, "links": links, "errors": _errors()}


def _people() -> dict[str, User]:
    people = {
        "maya": ("maya@northwind.test", "Maya Torres"),
        "liam": ("liam.chen@northwind.test", "Liam Chen"),
        "amara": ("amara@northwind.test", "Amara Okafor"),
        "noah": ("noah.fischer@northwind.test", "Noah Fischer"),
        "sofia": ("sofia@northwind.test", "Sofia Rossi"),
        "kenji": ("kenji.watanabe@northwind.test", "Kenji Watanabe"),
        "priya": ("priya@northwind.test", "Priya Raman"),
        "vera": ("vera@lakeside.test", "Vera Lindqvist"),
        "tess": ("tess@northwind.test", "Tess Moreau"),
    }
    users = {key: make_user(email, name) for key, (email, name) in people.items()}
    omar = User.objects.create_user("omar@lakeside.test", "correct horse battery staple", name="Omar Haddad")
    EmailAddress.objects.create(user=omar, email="omar@lakeside.test", verified=False, primary=True)
    return users | {"omar": omar}


def _roles(organization: Organization) -> dict[str, str]:
    """The pages of the roles, by name."""
    permissions = ["audit.read", "member.manage", "role.read"]
    Role.objects.create(organization=organization, name="Office manager", permissions=permissions)
    roles = Role.objects.filter(organization=organization)
    return {f"role_{role.name.lower()}": f"/o/northwind/admin/roles/{role.pk}" for role in roles}


def _settings(people: dict[str, User]) -> None:
    """An organization that requires two-factor authentication, and one that is deleted."""
    operator, owner = Actor.operator(), people["liam"]
    strict = create_organization(actor=operator, name="Adatum", slug="adatum", owner=owner)
    join(strict, people["noah"], "Member")
    require_two_factor(actor=operator, organization=strict, required=True)
    gone = create_organization(actor=operator, name="Blue Yonder", slug="blue", owner=owner)
    delete_organization(actor=operator, organization=gone, name=gone.name)


def _domains(organizations: dict[str, Organization]) -> dict[str, str]:
    """Domains in every state, what they open to Vera, and people who ask."""
    northwind, now = organizations["Northwind"], timezone.now()
    code = {"nonce": new_nonce(), "code_expires_at": now + HOUR, "email": "it@northwind.test"}
    own = Domain.objects.create(
        organization=northwind, domain="northwind.test", mode="request", verified_at=now, **code
    )
    for domain, mode in (("mail.northwind.test", "join"), ("northwind-logistics.test", "off")):
        Domain.objects.create(organization=northwind, domain=domain, mode=mode, verified_at=now, **code)
    waiting = Domain.objects.create(
        organization=northwind, domain="nw.test", **code | {"email": "postmaster@nw.test"}
    )
    for name, mode in (("Harbor & Pine", "join"), ("Acme Studio", "request"), ("Fabrikam", "request")):
        where = organizations[name]
        Domain.objects.create(organization=where, domain="lakeside.test", mode=mode, verified_at=now, **code)
    asking = [(northwind, "rosa.diaz@northwind.test", "Rosa Díaz"), (northwind, LONG, "")]
    asking += [(northwind, "idris@northwind.test", "Idris Bello")]
    asking += [(organizations["Acme Studio"], "vera@lakeside.test", "Vera Lindqvist")]
    for organization, email, name in asking:
        JoinRequest.objects.create(organization=organization, email=email, key=email, name=name, domain=own)
    return {"verify": f"/o/northwind/admin/domains/{waiting.pk}/verify"}


def _join_links(organization: Organization, people: dict[str, User]) -> dict[str, str]:
    """Join links in every state, one of them with people who came by it, and their addresses."""
    actor = actor_of(people["maya"])
    act = {"actor": actor, "organization": organization}
    team = create_join_link(**act, name="Summer interns", expires="30d", max_uses="20")
    domains = create_join_link(**act, name="Everybody at Lakeside", domains="office.lakeside.test")
    over, used = (create_join_link(**act, name=name, max_uses="1") for name in ("Open day 2025", "One seat"))
    off = create_join_link(
        **act, name="Poster in the hall, with a name as long as names of links can be here"
    )
    turn_off_join_link(**act, join_link_id=off.pk)
    JoinLink.objects.filter(pk=over.pk).update(expires_at=timezone.now() - 50 * HOUR)
    JoinLink.objects.filter(pk=used.pk).update(uses=1)
    JoinLink.objects.filter(pk=team.pk).update(uses=3)
    came = organization.memberships.filter(user__in=[people[name] for name in ("sofia", "kenji", "priya")])
    came.update(via="join_link", join_link=team)
    found = {"team": team, "domains": domains, "over": over, "used": used, "off": off}
    pages = {f"join_{name}": urlsplit(url_of(row)).path for name, row in found.items()}
    return pages | {"join_link": f"/o/northwind/admin/join-links/{team.pk}"}


def _without_password() -> User:
    """Somebody who signs in through a provider alone."""
    user = make_user("otto@lakeside.test", "Otto Lind")
    user.set_unusable_password()
    user.save()
    return user


def _organizations(people: dict[str, User]) -> dict[str, Organization]:
    maya, made = people["maya"], {}
    names = ("Northwind", "Fabrikam", "Contoso Logistics", "Acme Studio", "Harbor & Pine", "Tailspin Toys")
    for name in names:
        slug = name.split(maxsplit=1)[0].lower()
        made[name] = create_organization(actor=Actor.operator(), name=name, slug=slug, owner=maya)
    roles = {"liam": "Admin", "amara": "Admin", "noah": "Member", "sofia": "Member", "tess": "Member"}
    for name in ("liam", "amara", "noah", "sofia", "tess", "kenji", "priya"):
        join(made["Northwind"], people[name], roles.get(name))
    Membership.objects.filter(user=people["priya"]).update(email_verified=False)
    Membership.objects.exclude(user=maya).update(joined_at=F("joined_at") - 400 * HOUR)
    return made


def _member(organization: Organization, people: dict[str, User]) -> str:
    """One who had several roles; another has made a key."""
    member = Membership.objects.get(organization=organization, user=people["sofia"])
    for name in ("Admin", None, "Member"):
        role = name and Role.objects.get(organization=organization, name=name).pk
        change_role(
            actor=actor_of(people["maya"]), organization=organization, member_id=member.pk, role_id=role
        )
    permissions = ["member.manage"]
    create_api_key(
        actor=actor_of(people["amara"]), organization=organization, name="CI", permissions=permissions
    )
    return f"/o/northwind/admin/members/{member.pk}"


def _api_keys(organization: Organization, maya: User) -> None:
    """Beside the one of Amara: one with a long name, one of the operator, one above an Admin, one that is
    replaced, and one in each end.
    """
    about: dict[str, Any] = {"actor": actor_of(maya), "organization": organization}
    few = ["member.manage", "audit.read"]
    replaced = create_api_key(**about, name="Backend", permissions=few, expires="365d").key
    rotate_api_key(**about, api_key_id=replaced.pk)
    name = "Nightly import of the customer success team’s onboarding list, second try"
    create_api_key(**about, name=name, permissions=[*few, "role.read", "webhook.manage"], expires="90d")
    create_api_key(**about, name="Clean-up", permissions=["organization.delete"])
    create_api_key(**about | {"actor": Actor.operator()}, name="Monitoring", permissions=["audit.read"])
    for name in ("Old CI", "Trial"):
        ended = create_api_key(**about, name=name, permissions=few, expires="30d").key
        if name == "Old CI":
            revoke_api_key(**about, api_key_id=ended.pk)
        else:
            ApiKey.objects.filter(pk=ended.pk).update(expires_at=F("created_at"))
    used = ApiKey.objects.filter(organization=organization, name__in=("Backend", "CI"))
    used.update(last_used_at=F("created_at"))


def _webhooks(organization: Organization, maya: User) -> dict[str, str]:
    """Webhooks in every state, one of them with calls in every state, and where they stand."""
    about: dict[str, Any] = {"actor": actor_of(maya), "organization": organization}
    url = "https://hooks.example.com/guestlist"
    names = ("CRM", "Payroll", "Old CRM", "Data warehouse of the customer success team, in Frankfurt", "")
    rows = [create_webhook(**about, url=url, description=name).webhook for name in names]
    crm, failing, gone, failed, off = rows
    # A worker is about, and none of these happens here.
    rare = ["member.left", "role.deleted", "organization.updated"]
    Webhook.objects.filter(pk__in=[crm.pk, failing.pk]).update(types=rare)
    rotate_secret(**about, webhook_id=crm.pk)
    turn_off_webhook(**about, webhook_id=off.pk)
    Webhook.objects.filter(pk=off.pk).update(url=f"{url}/{'a-long-path/' * 12}", types=["member.joined"])
    Webhook.objects.filter(pk=crm.pk).update(delivered_at=F("created_at"))
    Webhook.objects.filter(pk=failing.pk).update(failures=4, failing_since=F("created_at"))
    for row, why in ((gone, "gone"), (failed, "failing")):
        Webhook.objects.filter(pk=row.pk).update(why_off=why, off_since=F("created_at"))
    told = Invitation.objects.for_display().filter(organization=organization).order_by("-pk")[:4]
    for number, row in enumerate(told):
        WebhookDelivery.objects.create(
            organization=organization,
            webhook=crm,
            event_id=row.pk,
            number=number,
            type="invitation.sent",
            subject_id=str(row.pk),
            subject_name=row.email,
            body=message_body("invitation.sent", timestamp(crm.created_at), row.as_resource()),
        )
    send_test(**about, webhook_id=crm.pk)
    calls = list(WebhookDelivery.objects.filter(webhook=crm).order_by("-pk"))
    refused = {"status": 500, "answer": "<h1>Internal Server Error</h1>", "attempts": 2}
    refused |= {"detail": "The receiver answered 500.", "next_at": None, "at": F("created_at")}
    moment = crm.created_at.isoformat()
    attempts = [
        {"at": moment, "state": "deferred", "detail": refused["detail"], "attempt": 1, "seconds": 0.31},
        {"at": moment, "state": "failed", "detail": refused["detail"], "attempt": 2, "seconds": 0.29},
    ]
    history = [entry | {"status": 500} for entry in attempts]
    ends = [
        {"state": "delivered", "status": 204, "attempts": 1, "next_at": None, "at": F("created_at")},
        {"state": "failed", "history": history, **refused},
        {"state": "deferred", **refused, "next_at": F("created_at") + 9 * HOUR},
        {"state": "canceled", "detail": "The webhook was turned off.", "next_at": None},
        {"next_at": F("created_at") + 12 * HOUR},
    ]
    for call, values in zip(calls, ends, strict=True):
        WebhookDelivery.objects.filter(pk=call.pk).update(**values)
    places = {"webhook": crm, "webhook_failing": failing, "webhook_gone": gone}
    pages = {name: f"/o/northwind/admin/webhooks/{row.pk}" for name, row in places.items()}
    return pages | {"webhook_call": f"{pages['webhook']}/deliveries/{calls[1].pk}"}


def _send(organization: Organization, user: User, *emails: str) -> list[Invitation]:
    parsed = parse_addresses("\n".join(emails))
    batch = send_invitations(actor=actor_of(user), organization=organization, parsed=parsed)
    assert batch.sent == len(emails)
    return [outcome.invitation for outcome in batch.outcomes]


def _back(invitation: Invitation, hours: float, **values: object) -> None:
    """Let it be that much older."""
    then = timedelta(hours=hours)
    Invitation.objects.filter(pk=invitation.pk).update(
        invited_at=F("invited_at") - then,
        last_sent_at=F("last_sent_at") - then,
        expires_at=F("expires_at") - then,
        **values,
    )


def _invitations(organization: Organization, people: dict[str, User]) -> Invitation:
    """The one whose mail waits."""
    by_maya = ("jane@example.com", "grace.hopper@example.com", "ravi@lakeside.test", LONG)
    by_maya = (*by_maya, "ines.duarte@example.com", "t.nakamura@example.co.jp")
    by_liam = ("dana+events@example.com", "o'brien@example.ie", "lukas.weber@example.de", "chloe@example.fr")
    rows = _send(organization, people["maya"], *by_maya) + _send(organization, people["liam"], *by_liam)
    for index, row in enumerate(rows):
        _back(row, 0.2 + index * 13)
    ended = (
        ("expired", 200, {}),
        ("accepted", 90, {}),
        ("declined", 50, {"decline_note": "I retired in May."}),
    )
    for status, hours, values in (*ended, ("revoked", 30, {})):
        (row,) = _send(organization, people["maya"], f"{status}@example.com")
        ending = {"status": status, "ended_at": F("invited_at") + HOUR}
        _back(row, hours, **values, **({} if status == "expired" else ending))
    (asked,) = _send(organization, people["maya"], "sam.rivera@example.com")
    _back(asked, 220, asked_at=timezone.now() - 3 * HOUR)
    _mail(rows[1], "bounced", "The mail server said: 550 5.1.1 No such user here.")
    _mail(rows[5], "failed", "The mail server can’t be reached: timed out.")
    _mail(rows[7], "deferred", "The mail server takes no messages now: 451 4.7.1 Try again later.")
    _mail(rows[0], "queued", "")
    return rows[7]


def _mail(invitation: Invitation, state: str, detail: str) -> None:
    later = timezone.now() + 1000 * HOUR if state in ("queued", "deferred") else None
    held = later if state == "queued" else None
    mail = Delivery.objects.filter(invitation=invitation, kind=Kind.INVITATION)
    mail.update(state=state, detail=detail, attempts=1, next_at=later, leased_until=held)
    then = timezone.now() - 30 * HOUR
    history = [
        {
            "at": then,
            "state": "deferred",
            "detail": TIMED_OUT,
            "attempt": 1,
            "seconds": 30.02,
            "unclear": True,
        },
        {"at": then + HOUR, "state": "failed", "detail": "554 5.7.1 Refused", "attempt": 2, "seconds": 0.21},
        {"at": then + 29 * HOUR, "state": "queued", "detail": "", "by": "Liam Chen"},
        {"at": then + 30 * HOUR, "state": state, "detail": detail, "attempt": 3, "seconds": 0.4},
    ]
    told = [entry | {"at": entry["at"].isoformat()} for entry in history]
    mail.update(history=told if state in ("deferred", "failed") else told[-1:])


def _everything_has_left() -> None:
    mail = Delivery.objects.filter(state="queued", leased_until=None)
    # The outbox shows what was sent; a few are enough.
    crowd = mail.filter(organization__slug__in=["contoso", "harbor", "northwind"])
    crowd.update(state="delivered", at=F("created_at"), next_at=None, attempts=1)
    mail.update(state="sent", at=F("created_at"), next_at=None, attempts=1)


def _links(organizations: dict[str, Organization], people: dict[str, User]) -> dict[str, str]:
    maya, harbor = people["maya"], organizations["Harbor & Pine"]
    names = ["new", "decline", "preferences", "saved", "declining", "expired", "asked"]
    names += ["newer", "revoked", "declined", "used", "suppressed"]
    rows = dict(zip(names, _send(harbor, maya, *(f"{n}.guest@lakeside.test" for n in names)), strict=True))
    owned = {"vera": "vera@lakeside.test", "omar": "omar@lakeside.test", "second": "maya.torres@home.test"}
    rows |= dict(zip(owned, _send(harbor, maya, *owned.values()), strict=True))
    for row in rows.values():
        _back(row, 20)
    for name in ("expired", "asked", "suppressed"):
        _back(rows[name], 200, asked_at=timezone.now() - 3 * HOUR if name == "asked" else None)
    ends = {"newer": "expired", "revoked": "revoked", "declined": "declined", "used": "accepted"}
    for name, status in ends.items():
        _back(rows[name], 200, status=status, ended_at=F("invited_at") + HOUR)
    _send(harbor, maya, rows["newer"].email)
    Suppression.objects.create(key=rows["suppressed"].key, organization=harbor)
    for name in ("Acme Studio", "Tailspin Toys"):
        _send(organizations[name], maya, "vera@lakeside.test")
    Suppression.objects.create(key="vera@lakeside.test", organization=organizations["Contoso Logistics"])
    nonce = new_nonce()
    Invitation.objects.filter(pk=rows["new"].pk).update(hand_over_nonce=nonce)
    links = {name: f"/i/{invitation_token(row.nonce, row.pk)}" for name, row in rows.items()}
    wanting = rows["declining"]
    links["unsubscribe"] = f"/u/{invitation_token(wanting.nonce, wanting.pk, UNSUBSCRIBE)}"
    return links | {"handed over": f"/i/{invitation_token(nonce, rows['new'].pk, HAND_OVER)}"}


def _account(people: dict[str, User]) -> dict[str, str]:
    maya, tess = people["maya"], people["tess"]
    EmailAddress.objects.create(user=maya, email="maya.torres@home.test", verified=True)
    EmailAddress.objects.create(user=maya, email="maya@old-employer.test", verified=False)
    for user in (maya, tess):
        TOTP.activate(user, TOTP_SECRET)
        RecoveryCodes.activate(user)
    passwordless = {"clientExtensionResults": {"credProps": {"rk": True}}}
    for name, credential in (("MacBook Pro", passwordless), ("YubiKey 5C", {})):
        data = {"name": name, "credential": credential}
        Authenticator.objects.create(user=maya, type=Authenticator.Type.WEBAUTHN, data=data)
    SocialAccount.objects.create(user=maya, provider="google", uid="1", extra_data={"email": maya.email})
    key = f"{user_pk_to_url_str(people['noah'])}-{default_token_generator.make_token(people['noah'])}"
    return {"reset": f"/accounts/password/reset/key/{key}/"}


def _setup_links(people: dict[str, User]) -> dict[str, str]:
    found = {}
    for name, email in (("Litware", "owner@litware.test"), ("Wingtip", people["vera"].email)):
        slug, operator = name.lower(), Actor.operator()
        organization = create_organization(actor=operator, name=name, slug=slug)
        code = create_setup_link(actor=operator, organization=organization, email=email).code
        found[name] = f"/setup/{code}"
    return found


def _errors() -> dict[str, str]:
    """What cannot be had from a server that is well."""
    return {name: render_to_string(f"{name}.html") for name in ("429", "500")}


def _session(user: User, *, proved: bool = True, agent: str = FIREFOX) -> str:
    client = Client(HTTP_USER_AGENT=agent)
    client.force_login(user)
    session = client.session
    if proved:
        session["account_authentication_methods_user"] = str(user.pk)
        proof = {"method": "password", "at": time.time() + 86400, "reauthenticated": True}
        session["account_authentication_methods"] = [proof]
        session.save()
    ip = "198.51.100.7" if agent == IPHONE else "127.0.0.1"
    UserSession.objects.create(user=user, session_key=session.session_key, user_agent=agent, ip=ip)
    return client.cookies["sessionid"].value


def main() -> None:
    """Fill, and print."""
    bring_up_to_date()
    print(json.dumps(fill()))
