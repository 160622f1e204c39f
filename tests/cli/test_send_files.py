"""Files of addresses on the command line: any size, each problem with its row."""

import pytest

from guestlist.models import Event, Invitation
from tests.cli.test_commands import assert_refused

pytestmark = pytest.mark.django_db
PEOPLE = "Name;E-Mail\nJane;jane@acme.test\nBob;bob@\n\nSue;sue@acme.test, sam@\nJane;JANE@acme.test\n"


@pytest.fixture
def send(run, organization, tmp_path):
    """Send what is in a file."""

    def call(content, *words):
        file = tmp_path / "people.csv"
        file.write_bytes(content if isinstance(content, bytes) else content.encode())
        return run("invitations", "send", "northwind", "--file", str(file), *words)

    return call


@pytest.mark.parametrize(
    ("content", "code"), [(b"PK\x03\x04xl", "file_not_text"), (b"\n \n", "no_addresses")]
)
def test_what_is_no_file_of_addresses_is_refused(send, content, code):
    assert_refused(send(content, "--json"), code)
    assert send(content).stderr.startswith("Error: ")
    assert not Invitation.objects.exists()


def test_every_problem_names_its_row(send):
    result = send(PEOPLE)
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "2 invitations sent. 1 listed twice. 2 to fix.",
        "  row 3: bob@ – nothing after the @",
        "  row 5: sam@ – nothing after the @",
    ]
    assert sorted(Invitation.objects.values_list("email", flat=True)) == ["jane@acme.test", "sue@acme.test"]


def test_a_dry_run_says_the_same_and_sends_nothing(send):
    result = send(PEOPLE, "--dry-run")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "Dry run, nothing was sent: 2 would be sent, 2 to fix, 1 duplicate.",
        "  jane@acme.test",
        "  sue@acme.test",
        "  row 3: bob@ – nothing after the @",
        "  row 5: sam@ – nothing after the @",
    ]
    assert not Invitation.objects.exists()


def test_a_program_gets_the_rows_too(send):
    answer = send(PEOPLE, "max@acme.test", "--json").data
    assert (answer["sent"], answer["duplicates"], answer["invalid"]) == (3, 1, 2)
    assert [(r.get("row"), r["outcome"]) for r in answer["results"]] == [
        (None, "sent"),
        (2, "sent"),
        (3, "invalid"),
        (5, "sent"),
        (5, "invalid"),
        (6, "duplicate"),
    ]
    assert answer["ignored"] == []


def test_a_domain_that_is_not_allowed_names_its_row(send, organization):
    organization.denied_domains = ["acme.test"]
    organization.save()
    result = send("Email\njane@acme.test\n")
    assert result.exit_code == 1
    assert "  row 2: jane@acme.test – the organization doesn’t allow this domain" in result.stdout


def test_a_file_can_have_any_number_of_addresses(send):
    """Sent in parts of 10,000; told as one."""
    rows = "".join(f"Person {n},person{n}@acme.test\n" for n in range(10_050))
    result = send(f"Name,Email\n{rows}Again,person0@acme.test\nBad,bad@\n", "--json")
    assert (result.data["sent"], result.data["duplicates"], result.data["invalid"]) == (10_050, 1, 1)
    assert result.data["results"][-1]["row"] == 10_053
    assert Invitation.objects.count() == Event.objects.filter(type="invitation.sent").count() == 10_050
    again = send(f"Name,Email\n{rows}", "--dry-run").stdout
    assert again == "Dry run, nothing was sent: 10050 already invited.\n"
