"""Join links: who makes and changes them, and what they take."""

from datetime import timedelta

import pytest

from guestlist import errors
from guestlist.actions.join_links import (
    create_join_link,
    find_join_link,
    last_day,
    turn_off_join_link,
    turn_on_join_link,
    update_join_link,
    url_of,
)
from guestlist.links import HAND_OVER, JOIN, MAILED, invitation_token, new_nonce
from guestlist.models import Event, JoinLink
from guestlist.models.invitation import NEVER
from tests.conftest import actor_of

pytestmark = pytest.mark.django_db
BLANK = {"expires": "", "max_uses": "", "domains": ""}


@pytest.fixture
def link(organization, alice):
    return create_join_link(actor=actor_of(alice), organization=organization, name="Team")


def test_a_member_without_the_permission_makes_and_changes_none(organization, charlie, link):
    who = {"actor": actor_of(charlie), "organization": organization}
    with pytest.raises(errors.NotAllowed):
        create_join_link(**who, name="Mine")
    for act in (turn_off_join_link, turn_on_join_link):
        with pytest.raises(errors.NotAllowed):
            act(**who, join_link_id=link.pk)
    with pytest.raises(errors.NotAllowed):
        update_join_link(**who, join_link_id=link.pk, name="Mine", **BLANK)
    assert list(JoinLink.objects.values_list("name", "enabled")) == [("Team", True)]


def test_a_manager_of_another_organization_finds_none(beta, dora, link):
    for act in (turn_off_join_link, turn_on_join_link):
        with pytest.raises(errors.NotFound):
            act(actor=actor_of(dora), organization=beta, join_link_id=link.pk)
    with pytest.raises(errors.NotFound):
        act(actor=actor_of(dora), organization=link.organization, join_link_id=link.pk)


def test_making_one_is_in_the_log(organization, alice):
    who = {"actor": actor_of(alice), "organization": organization}
    row = create_join_link(
        **who, name="  Summer  ", expires="7d", max_uses="10", domains="acme.test *.b.test"
    )
    assert (row.name, row.max_uses, row.domains) == ("Summer", 10, ["acme.test", "*.b.test"])
    assert row.expires_at == row.created_at + timedelta(days=7)
    event = Event.objects.get(type="join_link.created")
    assert (event.subject_name, event.changes["max_uses"]) == ("Summer", [None, 10])
    assert row.nonce not in str(event.changes)


def test_the_link_opens_it_in_every_state(organization, alice, link):
    token = url_of(link).rpartition("/")[2]
    turn_off_join_link(actor=actor_of(alice), organization=organization, join_link_id=link.pk)
    assert find_join_link(token=token).state_now == "off"


def test_a_token_of_another_kind_opens_nothing(link, django_assert_num_queries):
    for kind in (MAILED, HAND_OVER):
        with pytest.raises(errors.NotFound), django_assert_num_queries(1):
            find_join_link(token=invitation_token(link.nonce, link.pk, kind))
    good = invitation_token(link.nonce, link.pk, JOIN)
    forged = good[:-4] + ("AAAA" if good[-4:] != "AAAA" else "BBBB")
    for token in (invitation_token(new_nonce(), link.pk, JOIN), forged, "glj_", "nonsense"):
        with pytest.raises(errors.NotFound), django_assert_num_queries(1):
            find_join_link(token=token)


def test_a_link_of_a_deleted_organization_is_gone(organization, link):
    organization.deleted_at = link.created_at
    organization.save()
    with pytest.raises(errors.OrganizationGone):
        find_join_link(token=url_of(link).rpartition("/")[2])


@pytest.mark.parametrize(
    "text", ["0d", "-3d", "3651d", "99999999999d", "2020-01-01", "2999-01-01", "soon", "1h"]
)
def test_an_expiry_that_is_none_is_refused(organization, alice, text):
    with pytest.raises(errors.ExpiryInvalid):
        create_join_link(actor=actor_of(alice), organization=organization, name="Team", expires=text)


@pytest.mark.parametrize("text", ["0", "-1", "many", "1.5", "1000001", "９"])
def test_a_number_of_uses_that_is_none_is_refused(organization, alice, text):
    with pytest.raises(errors.MaxUsesInvalid):
        create_join_link(actor=actor_of(alice), organization=organization, name="Team", max_uses=text)


def test_it_cannot_be_used_less_than_it_was(organization, alice, link):
    JoinLink.objects.update(uses=3)
    who = {"actor": actor_of(alice), "organization": organization, "join_link_id": link.pk}
    with pytest.raises(errors.MaxUsesInvalid):
        update_join_link(**who, name="Team", **BLANK | {"max_uses": "2"})
    assert update_join_link(**who, name="Team", **BLANK | {"max_uses": "3"}).state_now == "used_up"


def test_a_last_day_ends_with_that_day_and_can_stay_when_it_is_over(organization, alice, link):
    who = {"actor": actor_of(alice), "organization": organization, "join_link_id": link.pk}
    day = (link.created_at + timedelta(days=3)).date().isoformat()
    row = update_join_link(**who, name="Team", **BLANK | {"expires": day})
    assert last_day(row) == day
    assert row.expires_at - link.created_at > timedelta(days=2)
    JoinLink.objects.update(expires_at=link.created_at - timedelta(days=9))
    over = last_day(JoinLink.objects.get())
    assert update_join_link(**who, name="Other", **BLANK | {"expires": over}).state_now == "expired"


def test_a_change_says_before_and_after(organization, alice, link):
    who = {"actor": actor_of(alice), "organization": organization, "join_link_id": link.pk}
    update_join_link(**who, name="Crew", **BLANK | {"max_uses": "5"})
    event = Event.objects.get(type="join_link.updated")
    assert event.changes == {"name": ["Team", "Crew"], "max_uses": [None, 5]}
    update_join_link(**who, name="Crew", **BLANK | {"max_uses": "5"})
    assert Event.objects.filter(type="join_link.updated").count() == 1


def test_it_is_turned_off_and_on(organization, alice, link):
    who = {"actor": actor_of(alice), "organization": organization, "join_link_id": link.pk}
    assert turn_off_join_link(**who).state_now == "off"
    assert turn_off_join_link(**who).state_now == "off"
    assert turn_on_join_link(**who).state_now == "on"
    changes = (
        Event.objects.filter(type="join_link.updated").order_by("number").values_list("changes", flat=True)
    )
    assert list(changes) == [{"enabled": [True, False]}, {"enabled": [False, True]}]


def test_there_is_room_for_a_hundred_that_are_on(organization, alice, link, monkeypatch):
    monkeypatch.setattr("guestlist.actions.join_links.MOST_ON", 1)
    who = {"actor": actor_of(alice), "organization": organization}
    with pytest.raises(errors.TooManyJoinLinks):
        create_join_link(**who, name="One more")
    turn_off_join_link(**who, join_link_id=link.pk)
    create_join_link(**who, name="One more")
    with pytest.raises(errors.TooManyJoinLinks):
        turn_on_join_link(**who, join_link_id=link.pk)


def test_one_that_never_expires_is_shown_without_a_time(link):
    assert link.expires_at == NEVER
    assert link.as_resource()["expires_at"] is None
    assert "nonce" not in link.as_resource()
