"""The page, REST and the command line list the same invitations in the same order."""

import json
import re
from urllib.parse import urlencode

import pytest
from typer.testing import CliRunner

from guestlist import cli
from guestlist.models import Invitation
from tests.api.conftest import ApiClient
from tests.doors.givens import WORDS

pytestmark = pytest.mark.django_db
PAGE = "/o/northwind/admin/invitations"
GIVEN = (
    ("lapsed", "old@acme.test", "older@beta.test"),
    ("declined", "no@acme.test"),
    ("asking", "again@acme.test"),
    ("accepted", "ann@acme.test"),
    ("revoked", "gone@acme.test", "Away@beta.test"),
    ("sent yesterday", "dave@acme.test"),
    ("pending for", "never", "Carl@acme.test"),
    ("pending for", "2d", "bea@beta.test"),
    ("pending", "abe+x@acme.test"),
)
CARL, BEA, ABE, DAVE = "Carl@acme.test", "bea@beta.test", "abe+x@acme.test", "dave@acme.test"


LISTS = (
    ("pending", "email", "", [ABE, BEA, CARL, DAVE]),
    ("pending", "-email", "", [DAVE, CARL, BEA, ABE]),
    ("pending", "invited", "", [DAVE, CARL, BEA, ABE]),
    ("pending", "-invited", "", [ABE, BEA, CARL, DAVE]),
    ("pending", "expires", "", [BEA, DAVE, ABE, CARL]),
    ("pending", "-expires", "", [CARL, ABE, DAVE, BEA]),
    ("pending", "status", "", [DAVE, CARL, BEA, ABE]),
    ("pending", "-status", "", [ABE, BEA, CARL, DAVE]),
    ("pending", "email", "ACME", [ABE, CARL, DAVE]),
    ("pending", "email", "+x@", [ABE]),
    ("pending", "email", "%", []),
    ("pending", "email", "zoe", []),
    ("expired", "email", "", ["old@acme.test", "older@beta.test"]),
    ("revoked", "-email", "", ["gone@acme.test", "Away@beta.test"]),
    ("declined", "email", "", ["again@acme.test", "no@acme.test"]),
    ("accepted", "email", "", ["ann@acme.test"]),
    ("asked", "email", "", ["again@acme.test"]),
)


def test_the_doors_list_the_same(organization, bob, make_key, as_user):
    for word, *values in GIVEN:
        WORDS[word](organization, *values)
    names = {str(row.pk): row.email for row in Invitation.objects.all()}
    browser, rest, typed = as_user(bob), ApiClient(make_key(organization)), cli.app()
    for status, sort, q, emails in LISTS:
        asked = {"status": status, "sort": sort, "q": q}
        page = browser.get(PAGE, asked).content.decode()
        assert [names[pk] for pk in re.findall(r'<tr role="row" data-id="([^"]+)"', page)] == emails, asked
        answer = rest("GET", f"northwind/invitations?{urlencode(asked)}").data
        assert [row["email"] for row in answer["items"]] == emails, asked
        words = [word for name, value in asked.items() for word in (f"--{name}", value)]
        printed = CliRunner().invoke(typed, ["invitations", "list", "northwind", *words, "--json"])
        assert json.loads(printed.stdout) == answer, asked
