"""Races about one key: it is rotated once, and what is revoked stays so."""

from functools import partial

import pytest

from guestlist import errors
from guestlist.actions.api_keys import create_api_key, revoke_api_key, rotate_api_key
from guestlist.models import ApiKey, Event
from tests.conftest import actor_of
from tests.races.test_races import ROUNDS, assert_log_has_no_gaps, at_once

pytestmark = pytest.mark.django_db(transaction=True)


def prepared(organization, alice):
    about = {"actor": actor_of(alice), "organization": organization}
    key = create_api_key(**about, name="CI", permissions=["member.manage"]).key
    return key, about | {"api_key_id": key.pk}


def test_a_key_is_rotated_once(organization, alice):
    for _ in range(ROUNDS):
        key, about = prepared(organization, alice)
        results = at_once(partial(rotate_api_key, **about), partial(rotate_api_key, **about))
        assert sum(isinstance(result, errors.KeyReplaced) for result in results) == 1
        assert ApiKey.objects.filter(replaces=key).count() == 1
    assert Event.objects.filter(type="api_key.rotated").count() == ROUNDS
    assert_log_has_no_gaps(organization)


def test_a_key_that_is_revoked_while_it_is_rotated_is_dead(organization, alice):
    for _ in range(ROUNDS):
        key, about = prepared(organization, alice)
        rotated, revoked = at_once(partial(rotate_api_key, **about), partial(revoke_api_key, **about))
        assert not isinstance(revoked, Exception)
        assert not ApiKey.objects.usable().filter(pk=key.pk).exists()
        was_late = isinstance(rotated, errors.KeyEnded)
        assert ApiKey.objects.filter(replaces=key).exists() != was_late
    assert_log_has_no_gaps(organization)


def test_a_form_that_is_sent_twice_at_once_makes_one_key(organization, alice):
    for number in range(ROUNDS):
        own = ApiKey().pk
        about = {"actor": actor_of(alice), "organization": organization, "api_key_id": own}
        make = partial(create_api_key, **about, name=f"Key {number}", permissions=["member.manage"])
        results = at_once(make, make)
        assert sum(isinstance(result, errors.KeyMade) for result in results) == 1
    assert ApiKey.objects.count() == ROUNDS
