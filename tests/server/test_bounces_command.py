"""`guestlist bounces ingest` as a mail server calls it."""

from uuid import uuid4

import pytest

from guestlist.links import return_path
from tests.delivery.test_bounces import MESSAGE, dsn, recipient

SECRET = "s" * 40


def test_a_server_that_cannot_use_its_database_asks_to_be_called_again(guestlist, settings):
    settings.SECRET_KEY = SECRET
    settings.GUESTLIST = settings.GUESTLIST | {"BOUNCES_TO": "bounces@guestlist.test"}
    report = dsn(return_path(uuid4()), MESSAGE, recipient()).decode()
    done = guestlist("bounces", "ingest", "-", text=report, GUESTLIST_SECRET_KEY=SECRET)
    assert done.returncode == 75  # there are no tables
    assert done.stderr == "Error: The database can’t be used now; try again later.\n"
    guestlist("migrate", GUESTLIST_SECRET_KEY=SECRET)
    done = guestlist("bounces", "ingest", "-", text=report, GUESTLIST_SECRET_KEY=SECRET)
    assert (done.returncode, done.stdout) == (0, "0 reports read; 1 not ours.\n")


@pytest.mark.parametrize("address", ["bounces", "b" * 21 + "@x.test", "a+b@x.test", "Bounces <b@x.test>"])
def test_an_address_that_has_no_room_for_a_token_is_named(guestlist, address):
    done = guestlist("bounces", "ingest", "-", GUESTLIST_BOUNCES_TO=address)
    assert done.returncode == 2
    assert done.stderr.startswith("guestlist: GUESTLIST_BOUNCES_TO: ")
