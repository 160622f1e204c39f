"""The variables that set limits, each checked with an error that names it."""

import pytest
from django.core.exceptions import ImproperlyConfigured

from guestlist.conf import DEFAULT_LIMITS, parse_limits
from guestlist_server.environment import read


@pytest.mark.parametrize("name", DEFAULT_LIMITS)
def test_each_limit_has_a_variable(tmp_path, name):
    variables = {"GUESTLIST_DATA_DIR": str(tmp_path)}
    assert parse_limits(read(variables).limits) == parse_limits({})
    given = read(variables | {f"GUESTLIST_LIMIT_{name.upper()}": "7/3h"}).limits
    assert parse_limits(given) == parse_limits({name: "7/3h"})
    off = read(variables | {f"GUESTLIST_LIMIT_{name.upper()}": "none"}).limits
    assert getattr(parse_limits(off), name) is None


@pytest.mark.parametrize("text", ["lots", "-1/1d", "10", "10/0d", "10/1y", "1.5/1d"])
def test_a_value_that_cannot_work_names_its_variable(tmp_path, text):
    with pytest.raises(ImproperlyConfigured, match=r"GUESTLIST_LIMIT_RESEND: .* is not a limit"):
        read({"GUESTLIST_DATA_DIR": str(tmp_path), "GUESTLIST_LIMIT_RESEND": text})
