"""Two organizations that want one short name, and two people who delete and restore."""

from functools import partial

import pytest

from guestlist import errors
from guestlist.actions.deletion import delete_organization, restore_organization
from guestlist.actions.organizations import update_organization
from guestlist.models import Event, FormerSlug, Organization
from tests.conftest import actor_of
from tests.races.test_races import assert_log_has_no_gaps, at_once

pytestmark = pytest.mark.django_db(transaction=True)
ROUNDS = range(50)


def test_one_short_name_goes_to_one_organization(organization, alice, beta, dora):
    for number in ROUNDS:
        take = partial(update_organization, slug=f"wanted-{number}")
        results = at_once(
            partial(take, actor=actor_of(alice), organization=organization),
            partial(take, actor=actor_of(dora), organization=beta),
        )
        assert sorted(isinstance(result, errors.SlugTaken) for result in results) == [False, True]


def test_a_name_that_is_given_up_goes_to_nobody_meanwhile(organization, alice, beta, dora):
    for number in ROUNDS:
        before = Organization.objects.get(pk=organization.pk).slug
        results = at_once(
            partial(
                update_organization, actor=actor_of(alice), organization=organization, slug=f"new-{number}"
            ),
            partial(update_organization, actor=actor_of(dora), organization=beta, slug=before),
        )
        assert isinstance(results[1], errors.SlugTaken)
        assert not FormerSlug.objects.filter(slug__in=Organization.objects.values("slug")).exists()


def test_of_two_who_delete_one_does_and_of_two_who_restore_one_does(organization, alice):
    actor = actor_of(alice)
    delete = partial(delete_organization, actor=actor, organization=organization, name="Northwind")
    restore = partial(restore_organization, actor=actor, organization_id=organization.pk)
    for _ in ROUNDS:
        for act in (delete, restore):
            results = at_once(act, act)
            assert sorted(isinstance(result, errors.NotFound) for result in results) == [False, True]
    assert Event.objects.filter(type="organization.deleted").count() == len(ROUNDS)
    assert_log_has_no_gaps(organization)
