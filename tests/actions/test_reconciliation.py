"""A set of addresses brought about: who may, what becomes of each, what is revoked, and that doing it again
changes nothing.
"""

from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext

from guestlist import errors
from guestlist.actions.acceptance import accept_invitation, decline_invitation, find_invitation
from guestlist.actions.asking import ask_for_invitation, dismiss_request
from guestlist.actions.batches import Selection
from guestlist.actions.invitations import revoke_invitations, send_invitations
from guestlist.actions.join_links import create_join_link, invite_by_link
from guestlist.actions.members import leave_organization, remove_member
from guestlist.actions.reconciliation import reconcile_invitations
from guestlist.actors import Actor, Origin
from guestlist.addresses import parse_addresses, parse_items
from guestlist.links import invitation_token
from guestlist.models import Delivery, Event, Invitation, Membership, Organization, Suppression
from tests.conftest import actor_of, join, make_user

pytestmark = pytest.mark.django_db
JANE, BOB, EVE = "jane@acme.test", "bob@acme.test", "eve@acme.test"


@pytest.fixture(autouse=True)
def _no_limits(limit):
    limit()


def reconcile(organization, user, *emails, **how):
    return reconcile_invitations(
        actor=actor_of(user),
        organization=organization,
        parsed=parse_items(emails),
        may_be_empty=True,
        **how,
    )


def send(organization, user, *emails):
    batch = send_invitations(actor=actor_of(user), organization=organization, parsed=parse_items(emails))
    return batch.outcomes[0].invitation


def everything() -> dict[str, Any]:
    """All rows of all tables."""
    return {m._meta.db_table: list(m._default_manager.order_by("pk").values()) for m in apps.get_models()}


def outcomes(plan):
    return [outcome.outcome for outcome in plan.batch.outcomes]


def pending(organization):
    rows = Invitation.objects.pending().filter(organization=organization)
    return sorted(rows.values_list("email", flat=True))


def expire(*emails):
    Invitation.objects.filter(email__in=emails).update(
        invited_at=F("invited_at") - timedelta(days=9), expires_at=F("expires_at") - timedelta(days=8)
    )


def found(row):
    return find_invitation(token=invitation_token(row.nonce, row.pk))


def decline(row):
    decline_invitation(actor=Actor("invitee"), invitation=found(row), typed_address=row.email)


# Who may -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dry_run", [True, False])
def test_for_an_outsider_the_organization_does_not_exist(organization, alice, mallory, dry_run):
    send(organization, alice, JANE)
    before = everything()
    with pytest.raises(errors.NotFound):
        reconcile(organization, mallory, EVE, prune=True, dry_run=dry_run)
    assert everything() == before


@pytest.mark.parametrize("dry_run", [True, False])
def test_a_member_without_the_permission_is_told_which(organization, alice, charlie, dry_run):
    send(organization, alice, JANE)
    before = everything()
    with pytest.raises(errors.NotAllowed, match="Member: Manage"):
        reconcile(organization, charlie, EVE, prune=True, dry_run=dry_run)
    assert everything() == before


# Sending -----------------------------------------------------------------------------------------------


def test_the_missing_are_invited_and_members_and_pending_are_left_alone(organization, alice, bob):
    first = send(organization, alice, JANE)
    plan = reconcile(organization, alice, JANE, bob.email, EVE)
    assert outcomes(plan) == ["already_invited", "already_member", "sent"]
    assert pending(organization) == [EVE, JANE]
    assert Invitation.objects.get(email=JANE).pk == first.pk
    assert Delivery.objects.count() == 2


def test_the_counts_add_up(organization, alice, bob):
    send(organization, alice, "old@acme.test")
    Suppression.objects.create(key=EVE)
    plan = reconcile(organization, alice, JANE, "JANE@acme.test", bob.email, EVE, prune=True)
    data = plan.as_resource()
    counts = {k: data[k] for k in ("sent", "skipped", "duplicates", "invalid", "revoked")}
    assert counts == {"sent": 1, "skipped": 2, "duplicates": 1, "invalid": 0, "revoked": 1}
    assert len(data["results"]) == 4
    assert [r["email"] for r in data["revocations"]] == ["old@acme.test"]
    assert "warnings" not in data


@pytest.mark.parametrize("prune", [True, False])
def test_doing_it_again_changes_nothing_at_all(organization, alice, bob, limit, prune):
    limit(inviter="50/1d", organization="50/1d")
    send(organization, alice, "old@acme.test", "gone@acme.test", "no@acme.test")
    expire("gone@acme.test")
    decline(Invitation.objects.get(email="no@acme.test"))
    Suppression.objects.create(key=EVE)
    wanted = (JANE, bob.email, EVE, BOB, BOB, "gone@acme.test", "no@acme.test")
    assert reconcile(organization, alice, *wanted, prune=prune).batch.sent == 3
    before = everything()
    again = reconcile(organization, alice, *reversed(wanted), prune=prune)
    assert everything() == before
    assert (again.batch.sent, list(again.revoked)) == (0, [])


def test_an_address_that_declined_is_left_alone_until_somebody_sends_to_it(organization, alice):
    decline(send(organization, alice, JANE))
    assert outcomes(reconcile(organization, alice, JANE)) == ["declined"]
    assert reconcile(organization, alice, JANE).as_resource()["skipped"] == 1
    assert Invitation.objects.count() == 1
    send(organization, alice, JANE)
    assert outcomes(reconcile(organization, alice, JANE)) == ["already_invited"]
    expire(JANE)
    assert outcomes(reconcile(organization, alice, JANE)) == ["sent"]


def test_what_somebody_declined_elsewhere_does_not_count(organization, alice, beta, dora):
    decline(send(beta, dora, JANE))
    assert outcomes(reconcile(organization, alice, JANE)) == ["sent"]


def test_who_declined_and_asks_for_another_is_invited(organization, alice):
    row = send(organization, alice, JANE)
    decline(row)
    ask_for_invitation(actor=Actor("invitee"), invitation=found(row))
    assert outcomes(reconcile(organization, alice, JANE)) == ["sent"]
    assert not Invitation.objects.asked().exists()


def test_who_declined_and_whose_request_was_dismissed_is_left_alone(organization, alice):
    row = send(organization, alice, JANE)
    decline(row)
    ask_for_invitation(actor=Actor("invitee"), invitation=found(row))
    dismiss_request(actor=actor_of(alice), organization=organization, invitation_id=row.pk)
    assert outcomes(reconcile(organization, alice, JANE)) == ["declined"]


def test_expired_and_revoked_ones_and_former_members_are_invited_anew(organization, alice, bob, charlie):
    send(organization, alice, JANE, EVE)
    expire(JANE)
    chosen = Selection(q=EVE)
    revoke_invitations(actor=actor_of(alice), organization=organization, selection=chosen)
    member = Membership.objects.get(user=bob)
    remove_member(actor=actor_of(alice), organization=organization, member_id=member.pk)
    leave_organization(actor=actor_of(charlie), organization=organization)
    wanted = (JANE, EVE, bob.email, charlie.email)
    assert outcomes(reconcile(organization, alice, *wanted)) == ["sent"] * 4
    assert Invitation.objects.filter(email=JANE, status="expired").count() == 1


def test_an_address_that_asked_not_to_be_invited_is_not(organization, alice):
    Suppression.objects.create(key=JANE, organization=organization)
    assert outcomes(reconcile(organization, alice, JANE)) == ["suppressed"]
    assert not Invitation.objects.exists()


def test_language_and_lifetime_are_those_that_were_told(organization, alice):
    reconcile(organization, alice, JANE, language="de", lifetime="36h")
    row = Invitation.objects.get()
    assert (row.language, row.expires_at - row.invited_at) == ("de", timedelta(hours=36))


@pytest.mark.parametrize(
    ("how", "refusal"),
    [({"language": "xx"}, errors.LanguageUnknown), ({"lifetime": "soon"}, errors.LifetimeInvalid)],
)
@pytest.mark.parametrize("emails", [(), (EVE,)])
@pytest.mark.parametrize("dry_run", [True, False])
def test_an_unknown_manner_changes_nothing(organization, alice, how, refusal, emails, dry_run):
    send(organization, alice, JANE)
    before = everything()
    with pytest.raises(refusal):
        reconcile(organization, alice, *emails, prune=True, dry_run=dry_run, **how)
    assert everything() == before


# Pruning -----------------------------------------------------------------------------------------------


def test_without_prune_nothing_is_revoked(organization, alice):
    send(organization, alice, JANE)
    plan = reconcile(organization, alice, EVE)
    assert plan.as_resource()["revocations"] == []
    assert pending(organization) == [EVE, JANE]


def test_with_prune_what_is_not_in_the_set_is_revoked_and_written_down(organization, alice):
    row = send(organization, alice, JANE)
    plan = reconcile(organization, alice, EVE, prune=True)
    (revocation,) = plan.as_resource()["revocations"]
    assert (revocation["email"], revocation["outcome"]) == (JANE, "revoked")
    assert revocation["invitation"]["status"] == "revoked"
    assert revocation["invitation"]["delivery"]["state"] == "canceled"
    event = Event.objects.get(type="invitation.revoked")
    assert (event.subject_id, event.changes) == (str(row.pk), {"status": ["pending", "revoked"]})
    with pytest.raises(errors.NotPending):
        accept_invitation(actor=actor_of(make_user(JANE, "Jane")), invitation=found(row))


def test_what_is_in_the_set_in_another_spelling_stays(organization, alice):
    send(organization, alice, JANE, "eve@xn--strae-oqa.example")
    wanted = ("JANE@Acme.Test", "Eve <EVE@straße.example>")
    assert outcomes(reconcile(organization, alice, *wanted, prune=True)) == ["already_invited"] * 2
    assert len(pending(organization)) == 2


def test_other_organizations_are_not_touched(organization, alice, beta, dora):
    send(beta, dora, JANE)
    assert not reconcile(organization, alice, EVE, prune=True).revoked
    assert pending(beta) == [JANE]


def test_what_has_ended_is_not_revoked(organization, alice):
    decline(send(organization, alice, JANE))
    send(organization, alice, BOB)
    expire(BOB)
    assert not reconcile(organization, alice, EVE, prune=True).revoked


def test_what_people_asked_for_themselves_is_never_revoked(organization, alice):
    link = create_join_link(actor=actor_of(alice), organization=organization, name="Team")
    invite_by_link(origin=Origin("web", "192.0.2.1", "tests"), join_link=link, email=JANE)
    send(organization, alice, BOB)
    for emails in ((EVE,), ()):
        reconcile(organization, alice, *emails, prune=True)
        assert JANE in pending(organization)
    assert pending(organization) == [JANE]


def test_where_an_address_is_mistyped_nothing_is_revoked_and_the_others_go_out(organization, alice):
    send(organization, alice, JANE)
    plan = reconcile(organization, alice, EVE, "jane@", prune=True)
    assert outcomes(plan) == ["sent", "invalid"]
    assert plan.as_resource()["warnings"] == ["not_pruned"]
    assert (plan.as_resource()["revoked"], pending(organization)) == (0, [EVE, JANE])


def test_without_prune_nobody_is_told_that_nothing_was_pruned(organization, alice):
    assert "warnings" not in reconcile(organization, alice, EVE, "jane@").as_resource()


NO_ADDRESS = ["", " ,;\n", "<html></html>", "Name,Email\n", "Email> \x85Email"]


@pytest.mark.parametrize("text", NO_ADDRESS)
@pytest.mark.parametrize("prune", [True, False])
@pytest.mark.parametrize("dry_run", [True, False])
def test_text_without_any_address_is_no_empty_set(organization, alice, text, prune, dry_run):
    send(organization, alice, JANE)
    before = everything()
    about: dict[str, Any] = {"actor": actor_of(alice), "organization": organization}
    with pytest.raises(errors.NoAddresses):
        reconcile_invitations(**about, parsed=parse_addresses(text), prune=prune, dry_run=dry_run)
    assert everything() == before


def test_whoever_may_not_is_told_so_before_an_empty_set_is_refused(organization, charlie):
    parsed = parse_addresses("")
    with pytest.raises(errors.NotAllowed):
        reconcile_invitations(actor=actor_of(charlie), organization=organization, parsed=parsed)


@pytest.mark.parametrize("text", ["null", '{"items": []}', "502 Bad Gateway\nnginx"])
def test_words_in_place_of_addresses_prune_nothing(organization, alice, text):
    send(organization, alice, JANE)
    parsed = parse_addresses(text)
    plan = reconcile_invitations(actor=actor_of(alice), organization=organization, parsed=parsed, prune=True)
    assert (plan.as_resource()["warnings"], pending(organization)) == (["not_pruned"], [JANE])


def test_names_and_headings_next_to_addresses_hinder_no_pruning(organization, alice):
    send(organization, alice, JANE)
    parsed = parse_addresses(f"Name,Email\nEve,{EVE}")
    assert parsed.ignored
    plan = reconcile_invitations(actor=actor_of(alice), organization=organization, parsed=parsed, prune=True)
    assert [row.email for row in plan.revoked] == [JANE]


def test_a_domain_that_is_not_allowed_any_more_ends_no_invitation(organization, alice):
    send(organization, alice, JANE, "old@acme.test")
    Organization.objects.update(denied_domains=["acme.test"])
    plan = reconcile(organization, alice, JANE, EVE, "new@fine.test", prune=True)
    assert outcomes(plan) == ["already_invited", "invalid", "sent"]
    assert plan.batch.outcomes[1].item.reason == "domain_not_allowed"
    assert [row.email for row in plan.revoked] == ["old@acme.test"]


def test_the_empty_set_revokes_all_with_prune_and_does_nothing_without(organization, alice):
    send(organization, alice, JANE, BOB)
    before = everything()
    assert reconcile(organization, alice).as_resource()["results"] == []
    assert everything() == before
    assert len(reconcile(organization, alice, prune=True).revoked) == 2
    assert pending(organization) == []


# How an address stands → the outcome in a set that names it, and whether something is pending then and in one
# that does not name it, with prune and without.
STATES: dict[str, tuple[str, bool, bool, bool]] = {
    "unknown": ("sent", True, False, False),
    "member": ("already_member", False, False, False),
    "pending": ("already_invited", True, False, True),
    "expired": ("sent", True, False, False),
    "revoked": ("sent", True, False, False),
    "declined": ("declined", False, False, False),
    "asking": ("sent", True, False, False),
    "asked": ("already_invited", True, True, True),
    "suppressed": ("suppressed", False, False, False),
    "suppressed-pending": ("already_invited", True, False, True),
    "denied.evil": ("invalid", False, False, False),
    "pending.evil": ("already_invited", True, False, True),
}


def bring_into(organization, alice, state, email):
    """Make `email` stand so with the organization."""
    if state == "member":
        join(organization, make_user(email, "M"), "Member")
    elif state == "asked":
        link = create_join_link(
            actor=actor_of(alice), organization=organization, name=email.partition("@")[0]
        )
        invite_by_link(origin=Origin("web", "192.0.2.1", "tests"), join_link=link, email=email)
    elif state not in ("unknown", "suppressed", "denied.evil"):
        row = send(organization, alice, email)
        if state in ("declined", "asking"):
            decline(row)
        if state == "asking":
            ask_for_invitation(actor=Actor("invitee"), invitation=found(row))
        if state == "expired":
            expire(email)
        if state == "revoked":
            chosen = Selection(ids=[str(row.pk)])
            revoke_invitations(actor=actor_of(alice), organization=organization, selection=chosen)
    if state.startswith("suppressed"):
        Suppression.objects.create(key=email)


@pytest.mark.parametrize("bad", [(), ("jane@",)])
@pytest.mark.parametrize("prune", [True, False])
def test_however_addresses_stand_the_set_is_brought_about_once(organization, alice, prune, bad):
    wanted = {state: f"yes@{state}.test" for state in STATES}
    others = {state: f"no@{state}.test" for state in STATES}
    for state in STATES:
        bring_into(organization, alice, state, wanted[state])
        bring_into(organization, alice, state, others[state])
    Organization.objects.update(denied_domains=["*.evil.test"])
    plan = reconcile(organization, alice, *wanted.values(), *bad, prune=prune)
    assert outcomes(plan) == [state[0] for state in STATES.values()] + ["invalid" for _ in bad]
    pruned = prune and not bad
    left = [email for state, email in wanted.items() if STATES[state][1]]
    left += [email for state, email in others.items() if STATES[state][2 if pruned else 3]]
    assert pending(organization) == sorted(left)
    before = everything()
    reconcile(organization, alice, *wanted.values(), *bad, prune=prune)
    assert everything() == before


# Dry run -----------------------------------------------------------------------------------------------


def test_a_dry_run_writes_nothing_and_tells_what_happens_then(organization, alice, bob):
    send(organization, alice, JANE, "old@acme.test", "gone@acme.test", "no@acme.test")
    expire("gone@acme.test")
    decline(Invitation.objects.get(email="no@acme.test"))
    wanted = (JANE, EVE, bob.email, "gone@acme.test", "no@acme.test", EVE)
    before = everything()
    dry = reconcile(organization, alice, *wanted, prune=True, dry_run=True).as_resource()
    assert everything() == before
    wet = reconcile(organization, alice, *wanted, prune=True).as_resource()
    assert (dry["dry_run"], wet["dry_run"]) == (True, False)
    counts = ("sent", "skipped", "duplicates", "invalid", "revoked")
    assert [dry[k] for k in counts] == [wet[k] for k in counts] == [2, 3, 1, 0, 1]
    told = [result["outcome"].replace("would_send", "sent") for result in dry["results"]]
    assert told == [result["outcome"] for result in wet["results"]]
    assert [(r["email"], r["outcome"]) for r in dry["revocations"]] == [("old@acme.test", "would_revoke")]
    assert dry["revocations"][0]["invitation"]["status"] == "pending"


def test_a_dry_run_says_that_nothing_would_be_pruned(organization, alice):
    send(organization, alice, JANE)
    plan = reconcile(organization, alice, "jane@", prune=True, dry_run=True)
    assert (plan.as_resource()["warnings"], plan.as_resource()["revoked"]) == (["not_pruned"], 0)


# How much ----------------------------------------------------------------------------------------------


def test_beyond_a_limit_nothing_happens_and_nothing_is_revoked(organization, alice, limit):
    send(organization, alice, JANE)
    limit(inviter="1/1d")
    before = everything()
    with pytest.raises(errors.InviterLimit):
        reconcile(organization, alice, EVE, BOB, prune=True)
    assert everything() == before


def test_what_is_there_already_uses_no_limit_up(organization, alice, limit):
    send(organization, alice, JANE, BOB)
    limit(inviter="1/1d")
    assert reconcile(organization, alice, JANE, BOB, EVE).batch.sent == 1


@pytest.mark.parametrize("dry_run", [True, False])
def test_more_than_ten_thousand_are_refused_whole(organization, alice, dry_run):
    send(organization, alice, JANE)
    before = everything()
    with pytest.raises(errors.TooManyAddresses):
        reconcile(
            organization, alice, *(f"p{i}@acme.test" for i in range(10_001)), prune=True, dry_run=dry_run
        )
    assert everything() == before


def test_three_hundred_cost_as_many_statements_as_one(organization, alice):
    def statements(number):
        mixed = [[f"{name}{i}of{number}@acme.test" for i in range(number)] for name in ("old", "both", "new")]
        old, both, new = mixed
        half = number - number // 2
        reconcile(organization, alice, *old[:half], *both[: number - half], prune=True)
        with CaptureQueriesContext(connection) as captured:
            plan = reconcile(organization, alice, *both[: number - half], *new[:half], prune=True)
        assert (plan.batch.sent, len(plan.revoked)) == (half, half)
        return len(captured)

    # Of one alone there is nobody who was invited before.
    assert statements(1) < statements(2) == statements(300)
