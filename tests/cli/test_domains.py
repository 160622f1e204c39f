"""Domains as the operator types them."""

import pytest

from guestlist.models import Domain
from tests.actions.test_domains import verified
from tests.cli.test_commands import assert_refused

pytestmark = pytest.mark.django_db


def test_domains_are_listed(run, organization):
    assert run("domains", "list", "northwind").stdout == "There are no domains yet.\n"
    verified(organization)
    data = run("domains", "list", "northwind", "--json").data
    assert [(item["domain"], item["mode"]) for item in data["items"]] == [("acme.test", "join")]
    assert "acme.test" in run("domains", "list", "northwind").stdout
    assert "nonce" not in str(data)


def test_a_domain_is_removed(run, organization, beta):
    verified(organization)
    verified(beta)
    gone = run("domains", "remove", "northwind", "ACME.test")
    assert gone.stdout == "acme.test is no longer a domain of Northwind.\n"
    assert Domain.objects.get().organization == beta


def test_an_unknown_domain_is_refused(run, organization):
    assert_refused(run("domains", "remove", "northwind", "acme.test", "--json"), "not_found")
    refused = run("domains", "remove", "northwind", "acme.test")
    assert (refused.exit_code, refused.stdout) == (1, "")
    assert refused.stderr == "Error: Northwind has no domain “acme.test”.\n"
    assert_refused(run("domains", "remove", "northwind", "a\0\udcff", "--json"), "not_found")
