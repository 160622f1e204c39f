"""The list of members as a file, on the command line."""

import csv

from tests.conftest import join, make_user


def test_an_unknown_organization_is_refused(run, organization):
    result = run("members", "export", "nope")
    assert (result.exit_code, result.stdout) == (1, "")
    assert "There is no organization" in result.stderr


def test_members_are_printed_as_csv(run, organization, alice, bob):
    join(organization, make_user("eve@acme.test", "=cmd()"), None)
    result = run("members", "export", "northwind")
    rows = list(csv.DictReader(result.stdout_bytes.decode("utf-8-sig").splitlines()))
    assert [(row["name"], row["role"], row["joined_via"]) for row in rows] == [
        ("'=cmd()", "", "invitation"),
        ("Alice Archer", "Owner", "founded"),
        ("Bob Baker", "Admin", "invitation"),
    ]
    assert result.exit_code == 0
