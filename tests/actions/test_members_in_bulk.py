"""Many members at once: who may not, what each is told, what ends with them, and how much that asks."""

import pytest
from allauth.account.models import EmailAddress
from django.db import connection
from django.test.utils import CaptureQueriesContext

from guestlist import errors
from guestlist.actions.api_keys import create_api_key
from guestlist.actions.hand_over import create_hand_over_link
from guestlist.actions.member_batches import MemberSelection
from guestlist.actions.member_export import export_members
from guestlist.actions.members import change_roles, leave_organization, remove_members, what_stops
from guestlist.actors import Actor
from guestlist.models import ApiKey, Event, Invitation, Membership, Role
from guestlist_server.accounts.models import User
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user

EVERYBODY = MemberSelection(matching=True)


def chosen(*users):
    return MemberSelection(ids=[str(Membership.objects.get(user=user, state="active").pk) for user in users])


def role_id(organization, name):
    return Role.objects.get(organization=organization, name=name).pk


def crowd(organization, alice, number, role):
    """Some with that role, and each with a pending invitation to a second address."""
    send(organization, alice, "\n".join(f"c{i}@home.test" for i in range(number)))
    for i in range(number):
        user = make_user(f"c{i}@crowd.test", f"C {i}")
        join(organization, user, role)
        EmailAddress.objects.create(user=user, email=f"c{i}@home.test", verified=True)
    return MemberSelection(matching=True, q="@crowd.test")


def host(organization, number):
    """Many, each with a pending invitation to a second address, and a key."""
    alice = Membership.objects.get(role__fixed=True).user
    send(organization, alice, "\n".join(f"home.{i}@{number}.test" for i in range(number)))
    users = [User(email=f"{i}@{number}.test", name=f"H {i}") for i in range(number)]
    User.objects.bulk_create(users)
    EmailAddress.objects.bulk_create(
        EmailAddress(user=user, email=f"home.{user.email}", verified=True) for user in users
    )
    about = [{"organization": organization, "name": user.name} for user in users]
    Membership.objects.bulk_create(
        Membership(user=user, email=user.email, email_key=user.email, **values)
        for user, values in zip(users, about, strict=True)
    )
    ApiKey.objects.bulk_create(
        ApiKey(hash=user.email, created_by=user, **values) for user, values in zip(users, about, strict=True)
    )
    return MemberSelection(matching=True, q=f"@{number}.test")


@pytest.mark.parametrize("act", [change_roles, remove_members, what_stops])
def test_who_may_not(organization, beta, alice, charlie, mallory, dora, act):
    role = {"role_id": None} if act is change_roles else {}
    for user, refusal in ((mallory, errors.NotFound), (dora, errors.NotFound), (charlie, errors.NotAllowed)):
        with pytest.raises(refusal):
            act(actor=actor_of(user), organization=organization, selection=EVERYBODY, **role)
    assert Membership.objects.active().filter(organization=organization).count() == 2


@pytest.mark.parametrize("act", [change_roles, remove_members, what_stops])
def test_somebody_has_to_be_chosen(organization, alice, act):
    role = {"role_id": None} if act is change_roles else {}
    with pytest.raises(errors.NoMembersChosen):
        act(actor=actor_of(alice), organization=organization, selection=MemberSelection(), **role)
    ids = MemberSelection(ids=["x"] * 10_001)
    with pytest.raises(errors.TooManyIds):
        act(actor=actor_of(alice), organization=organization, selection=ids, **role)


def test_members_of_another_organization_are_not_found(organization, beta, alice, dora):
    ids = [*chosen(dora).ids, "nonsense"]
    result = remove_members(
        actor=actor_of(alice), organization=organization, selection=MemberSelection(ids=ids)
    )
    assert result.results == [(pk, "not_found") for pk in ids]
    assert str(result) == "0 members removed. 2 skipped: no longer members."
    assert Membership.objects.active().filter(user=dora).exists()


def test_an_admin_skips_owners_and_oneself_and_the_numbers_add_up(organization, alice, bob, charlie):
    result = remove_members(actor=actor_of(bob), organization=organization, selection=EVERYBODY)
    assert (result.done, sum(result.counts.values())) == (1, 3)
    sentence = "1 member removed. 1 skipped: you. 1 skipped: has permissions that you don’t have."
    assert str(result) == sentence
    assert {outcome for _pk, outcome in result.results} == {"above_own_role", "own_membership"}
    assert set(Membership.objects.active().values_list("user", flat=True)) == {alice.pk, bob.pk}


def test_an_admin_gives_nobody_more_than_they_have(organization, alice, bob, charlie):
    owner = role_id(organization, "Owner")
    result = change_roles(
        actor=actor_of(bob), organization=organization, selection=chosen(charlie), role_id=owner
    )
    assert result.results[0][1] == "above_own_role"
    assert Membership.objects.get(user=charlie).role.name == "Member"


def test_a_role_of_another_organization_is_unknown(organization, beta, alice, charlie):
    with pytest.raises(errors.UnknownRole):
        change_roles(
            actor=actor_of(alice),
            organization=organization,
            selection=chosen(charlie),
            role_id=role_id(beta, "Admin"),
        )


def test_roles_are_given_taken_and_written_down(organization, alice, bob, charlie):
    about = {"actor": actor_of(alice), "organization": organization, "selection": chosen(alice, bob, charlie)}
    result = change_roles(**about, role_id=role_id(organization, "Admin"))
    assert str(result) == "1 member is now Admin. 1 skipped: you. 1 had this role already."
    assert str(change_roles(**about, role_id=None)) == "2 members have no role now. 1 skipped: you."
    changed = Event.objects.filter(type="member.role_changed").order_by("number")
    assert list(changed.values_list("subject_name", "changes")) == [
        ("Charlie Cook", {"role": ["Member", "Admin"]}),
        ("Bob Baker", {"role": ["Admin", None]}),
        ("Charlie Cook", {"role": ["Admin", None]}),
    ]


@pytest.mark.parametrize("owners", [1, 3])
@pytest.mark.parametrize("act", [change_roles, remove_members])
def test_of_all_owners_one_stays(organization, alice, charlie, act, owners):
    for i in range(owners - 1):
        join(organization, make_user(f"o{i}@northwind.test", f"O {i}"), "Owner")
    role = {"role_id": None} if act is change_roles else {}
    result = act(actor=Actor.operator(), organization=organization, selection=EVERYBODY, **role)
    assert result.counts["last_owner"] == 1
    assert result.done == owners
    assert "1 skipped: the last owner stays." in str(result)
    assert Membership.objects.active().filter(role__fixed=True).count() == 1


def test_all_that_match_are_those_of_the_filter(organization, alice, bob, charlie):
    join(organization, make_user("charlotte@northwind.test", "Charlotte"), "Admin")
    member = str(role_id(organization, "Member"))
    selection = MemberSelection(matching=True, role=member, q="charl")
    assert remove_members(actor=actor_of(alice), organization=organization, selection=selection).done == 1
    assert not Membership.objects.active().filter(user=charlie).exists()
    nobody = MemberSelection(matching=True, role="nonsense")
    assert remove_members(actor=actor_of(alice), organization=organization, selection=nobody).counts == {}


def test_removing_many_ends_what_was_theirs_and_nothing_else(organization, alice, bob, charlie, settings):
    settings.GUESTLIST = settings.GUESTLIST | {"EMAIL_SENDING": "off"}
    everybody = crowd(organization, alice, 3, "Admin")
    send(organization, alice, "friend@acme.test, other@acme.test")
    mine, theirs = Invitation.objects.filter(email__endswith="@acme.test").order_by("pk")
    first = Membership.objects.get(email="c0@crowd.test").user
    for user, invitation in ((first, theirs), (alice, mine)):
        about = {"actor": actor_of(user), "organization": organization}
        create_hand_over_link(**about, invitation_id=invitation.pk)
        create_api_key(**about, name=f"Key of {user.name}", permissions=["member.manage"])
    stopping = what_stops(actor=actor_of(alice), organization=organization, selection=everybody)
    assert str(stopping) == (
        "3 pending invitations to their addresses, 1 hand-over link and the API key Key of C 0 stop working."
    )
    result = remove_members(actor=actor_of(alice), organization=organization, selection=everybody)
    assert str(result) == "3 members removed."
    pending = Invitation.objects.pending().order_by("pk")
    assert [(row.email, bool(row.hand_over_nonce)) for row in pending] == [
        ("friend@acme.test", True),
        ("other@acme.test", False),
    ]
    assert [key.name for key in ApiKey.objects.usable()] == [f"Key of {alice.name}"]
    types = list(Event.objects.order_by("number").values_list("type", flat=True))[-7:]
    assert types == ["member.removed"] * 3 + ["api_key.revoked"] + ["invitation.revoked"] * 3


def test_where_nobody_can_be_removed_the_reason_is_told_at_once(organization, alice, bob):
    about = {"actor": actor_of(bob), "organization": organization}
    with pytest.raises(errors.AboveOwnRole):
        what_stops(**about, selection=chosen(alice))
    with pytest.raises(errors.OwnMembership):
        what_stops(**about, selection=chosen(bob))
    with pytest.raises(errors.NotFound):
        what_stops(**about, selection=MemberSelection(ids=["nonsense"]))


def test_where_nothing_stops_nothing_is_said(organization, alice, charlie):
    stopping = what_stops(actor=actor_of(alice), organization=organization, selection=chosen(charlie))
    assert (stopping.members, str(stopping)) == (1, "")


def test_many_keys_are_counted_rather_than_named(organization, alice, bob):
    for i in range(6):
        create_api_key(
            actor=actor_of(bob), organization=organization, name=f"K{i}", permissions=["member.manage"]
        )
    about = {"actor": actor_of(alice), "organization": organization, "selection": chosen(bob)}
    assert str(what_stops(**about)) == "6 API keys stop working."
    ApiKey.objects.exclude(name="K3").update(revoked_at="2026-01-01T00:00Z")
    assert str(what_stops(**about)) == "The API key K3 stops working."


def test_whoever_leaves_takes_their_keys_along_but_not_invitations_to_them(organization, alice, bob):
    send(organization, alice, "bobby@home.test")
    EmailAddress.objects.create(user=bob, email="bobby@home.test", verified=True)
    create_api_key(actor=actor_of(bob), organization=organization, name="CI", permissions=["member.manage"])
    leave_organization(actor=actor_of(bob), organization=organization)
    assert not ApiKey.objects.usable().exists()
    assert Invitation.objects.get().status == "pending"
    assert Event.objects.filter(type="api_key.revoked", subject_name="CI").exists()


@pytest.mark.parametrize(("act", "most"), [(change_roles, 16), (remove_members, 28), (what_stops, 9)])
def test_300_ask_for_as_many_statements_as_2(organization, alice, act, most, limit):
    limit()
    role = {"role_id": role_id(organization, "Member")} if act is change_roles else {}
    counts = []
    for number in (2, 300):
        selection = host(organization, number)
        with CaptureQueriesContext(connection) as queries:
            result = act(actor=actor_of(alice), organization=organization, selection=selection, **role)
        assert (result.members if act is what_stops else result.done) == number
        counts.append(len(queries))
    assert counts[0] == counts[1] <= most


def test_the_export_is_for_managers(organization, charlie, mallory):
    with pytest.raises(errors.NotFound):
        export_members(actor=actor_of(mallory), organization=organization)
    with pytest.raises(errors.NotAllowed):
        export_members(actor=actor_of(charlie), organization=organization)


def test_the_export_of_many_reads_500_at_a_time(organization, alice, limit, django_assert_num_queries):
    limit()
    host(organization, 1_001)
    with django_assert_num_queries(4):  # the permission, then three times up to 500
        rows = list(export_members(actor=actor_of(alice), organization=organization, sort="-name"))
    assert len(rows) == len({row[1] for row in rows}) == 1_002
    assert rows[0][0] > rows[-1][0]
