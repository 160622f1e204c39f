"""Commands as the operator types them."""

from datetime import timedelta

import pytest

from guestlist.actions.api_keys import authenticate
from guestlist.actors import Origin
from guestlist.models import Delivery, Event, Invitation, Membership, Organization, SetupLink
from guestlist.models.invitation import NEVER

pytestmark = pytest.mark.django_db


def assert_refused(result, code):
    """Status 1, with the problem that REST would answer on standard output."""
    assert result.exit_code == 1
    assert result.data["code"] == code
    assert {"type", "title", "status", "detail"} <= result.data.keys()
    assert result.stderr == ""


@pytest.mark.parametrize(
    "words",
    [
        ("organizations", "setup-link"),
        ("invitations", "list"),
        ("invitations", "send", "jane@example.com"),
        ("invitations", "revoke", "--all-pending"),
        ("invitations", "resend", "--all-pending"),
        ("deliveries", "list"),
        ("deliveries", "retry", "--all-failed"),
        ("members", "list"),
        ("members", "remove", "jane@example.com"),
        ("members", "change-role", "jane@example.com", "Admin"),
        ("api-keys", "create", "--name", "CI", "--permission", "member.manage"),
    ],
)
@pytest.mark.parametrize("slug", ["nope", "NOPE", "\udcff", "a\x1b[31m"])
def test_an_unknown_organization_is_refused(run, organization, words, slug):
    noun, verb, *rest = words
    assert_refused(run(noun, verb, slug, *rest, "--json"), "not_found")
    result = run(noun, verb, slug, *rest)
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("Error: There is no organization")
    assert result.stderr.count("\n") == 1
    assert "\x1b" not in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("invitations", "send", "northwind"),
        ("invitations", "send", "northwind", "--file", "/no/such/file"),
        ("invitations", "revoke", "northwind"),
        ("invitations", "resend", "northwind", "jane@example.com", "--all-pending"),
        ("invitations", "list"),
        ("deliveries", "retry", "northwind"),
        ("deliveries", "retry", "northwind", "x", "--all-failed"),
        ("organizations", "create", "Northwind"),
        ("api-keys", "create", "northwind", "--name", "CI"),
        ("members", "nope"),
    ],
)
def test_wrong_usage_is_status_2(run, organization, words):
    assert run(*words).exit_code == 2


def test_help_shows_an_example_of_every_command(run):
    for noun, verbs in {
        "organizations": ("create", "setup-link", "list"),
        "invitations": ("send", "list", "revoke", "resend"),
        "members": ("list", "change-role", "remove"),
        "api-keys": ("create",),
    }.items():
        for verb in verbs:
            assert f"guestlist {noun} {verb}" in run(noun, verb, "--help").stdout


CREATE = ("organizations", "create", "Acme", "--slug", "acme", "--owner")


def test_an_organization_is_not_made_without_its_set_up_link(run, db):
    assert_refused(run(*CREATE, "nope", "--json"), "address_invalid")
    assert not Organization.objects.exists()


def test_a_short_name_is_taken_once(run, organization):
    words = ("organizations", "create", "Other", "--slug", "northwind", "--owner", "a@example.com")
    assert_refused(run(*words, "--json"), "slug_taken")
    assert "Another organization" in run(*words).stderr


def test_an_organization_is_made_with_its_set_up_link(run, db):
    result = run(*CREATE, "maya@example.com", "--json")
    assert result.exit_code == 0
    assert result.data.keys() == {"id", "slug", "name", "setup_url"}
    assert "/setup/" in result.data["setup_url"]
    again = run("organizations", "setup-link", "acme", "--json")
    assert again.data["setup_url"] != result.data["setup_url"]
    assert SetupLink.objects.get().email == "maya@example.com"
    assert Event.objects.filter(actor_type="operator", door="cli").count() == 3


def test_an_organization_with_an_owner_gets_no_set_up_link(run, organization):
    assert_refused(run("organizations", "setup-link", "northwind", "--json"), "has_owner")


def test_organizations_are_listed(run, organization):
    assert run("organizations", "list", "--json").data["items"] == [organization.as_resource()]
    assert "northwind  Northwind" in run("organizations", "list").stdout


def send(run, *words, **stdin):
    return run("invitations", "send", "northwind", *words, **stdin)


def test_addresses_are_invited(run, organization):
    result = send(run, "jane@example.com", "jane@", "--json")
    assert result.exit_code == 0
    assert (result.data["sent"], result.data["invalid"]) == (1, 1)
    assert Delivery.objects.count() == 1


def test_invitations_have_the_language_that_is_told(run, organization):
    result = run("invitations", "send", "northwind", "vera@acme.test", "--language", "xx", "--json")
    assert_refused(result, "language_unknown")
    assert run("invitations", "send", "northwind", "vera@acme.test", "--language", "de").exit_code == 0
    assert Invitation.objects.get().language == "de"


def test_invitations_last_as_long_as_is_told(run, organization):
    result = run("invitations", "send", "northwind", "vera@acme.test", "--lifetime", "30m", "--json")
    assert_refused(result, "lifetime_invalid")
    assert not Invitation.objects.exists()
    for lifetime in ("36h", "never"):
        run("invitations", "send", "northwind", f"vera{lifetime}@acme.test", "--lifetime", lifetime)
    short, forever = Invitation.objects.order_by("pk")
    assert short.expires_at - short.invited_at == timedelta(hours=36)
    assert forever.expires_at == NEVER


def test_an_address_that_is_not_allowed_is_named_with_its_reason(run, organization):
    Organization.objects.update(allowed_domains=["acme.test"])
    result = run("invitations", "send", "northwind", "vera@evil.test")
    assert result.exit_code == 1
    assert "vera@evil.test: the organization doesn’t allow this domain" in result.output
    assert not Invitation.objects.exists()


def test_nothing_sent_and_something_invalid_is_status_1(run, organization):
    result = send(run, "jane@")
    assert result.exit_code == 1
    assert "Nothing was sent." in result.stdout
    assert "jane@: nothing after the @" in result.stdout


def test_nothing_sent_because_all_are_invited_is_status_0(run, organization):
    send(run, "jane@example.com")
    result = send(run, "jane@example.com")
    assert result.exit_code == 0
    assert "1 already invited" in result.stdout


def test_a_dry_run_changes_nothing(run, organization):
    result = send(run, "jane@example.com", "--dry-run")
    assert result.exit_code == 0
    assert "1 would be sent" in result.stdout
    assert send(run, "jane@example.com", "--dry-run", "--json").data["results"][0]["outcome"] == "would_send"
    assert not Invitation.objects.exists()


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_file_is_read_as_pasted(run, organization, tmp_path, encoding):
    file = tmp_path / "addresses.txt"
    file.write_bytes("Jane Doe <jane@example.com>\nbob@example.com".encode(encoding))
    assert send(run, "--file", str(file), "eve@example.com", "--json").data["sent"] == 3


def test_standard_input_is_a_file_too_and_a_bad_byte_spoils_its_line_only(run, organization):
    result = send(run, "--file", "-", "--json", stdin=b"jane@example.com\n\xff@example.com\n")
    assert (result.data["sent"], result.data["invalid"]) == (1, 1)


def test_an_empty_file_is_refused(run, organization):
    assert_refused(send(run, "--file", "-", "--json", stdin=""), "no_addresses")


@pytest.mark.parametrize("size", [1_000_001, 4_000_001])
def test_a_file_that_is_too_large_is_refused(run, organization, size):
    assert_refused(send(run, "--file", "-", "--json", stdin="a" * size), "input_too_large")


def test_no_control_character_reaches_the_terminal(run, organization):
    token = "\x1b]0;x\x07\u202e\x9b31m@\udcff"
    for result in (send(run, token), send(run, token, "--json"), send(run, token, "--dry-run")):
        assert result.exit_code == 1
        assert not any((c < " " and c != "\n") or c in "\u202e\x9b\x7f" for c in result.stdout)


def test_invitations_are_listed(run, organization):
    send(run, "jane@example.com", "bob@example.com")
    result = run("invitations", "list", "northwind", "--status", "pending", "--sort", "email")
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["EMAIL", "STATUS", "INVITED", "EXPIRES", "MAIL"]
    assert [line.split()[0] for line in lines[1:]] == ["bob@example.com", "jane@example.com"]
    assert lines[1].index("pending") == lines[2].index("pending") == lines[0].index("STATUS")
    found = run("invitations", "list", "northwind", "--q", "jane", "--json").data
    assert (found["total"], found["next_cursor"]) == (1, None)
    assert_refused(run("invitations", "list", "northwind", "--status", "x", "--json"), "invalid_filter")
    assert_refused(run("invitations", "list", "northwind", "--sort", "x", "--json"), "invalid_filter")
    assert "gli_" not in run("invitations", "list", "northwind", "--json").stdout


def test_invitations_are_revoked_by_address(run, organization):
    send(run, "jane@example.com", "bob@example.com")
    result = run(
        "invitations", "revoke", "northwind", "JANE@example.com", "nobody@example.com", "\udcff", "--json"
    )
    assert result.exit_code == 0
    assert [r["outcome"] for r in result.data["results"]] == ["revoked", "not_found", "not_found"]
    again = run("invitations", "revoke", "northwind", "jane@example.com")
    assert again.exit_code == 1
    assert "1 skipped: no longer pending." in again.stdout
    assert "  jane@example.com: no longer pending\n" in again.stdout
    assert run("invitations", "revoke", "northwind", "--all-pending", "--json").data["revoked"] == 1
    assert not Invitation.objects.pending().exists()


@pytest.mark.parametrize("verb", ["revoke", "resend"])
def test_an_address_without_an_invitation_or_there_twice_is_called_that(run, organization, verb):
    send(run, "jane@example.com")
    words = ("jane@example.com", "nobody@example.com", "JANE@example.com")
    said = run("invitations", verb, "northwind", *words).stdout.splitlines()
    assert said[0].endswith(" 1 skipped: not found. 1 listed twice.")
    assert said[1:] == ["  nobody@example.com: never invited", "  JANE@example.com: listed twice"]


def test_revoking_all_of_none_is_done(run, organization):
    assert run("invitations", "revoke", "northwind", "--all-pending").exit_code == 0


def test_invitations_are_resent(run, organization):
    send(run, "jane@example.com")
    assert run("invitations", "resend", "northwind", "jane@example.com", "--json").data["resent"] == 1
    assert "1 invitation sent again." in run("invitations", "resend", "northwind", "--all-pending").stdout
    assert Invitation.objects.get().sent_count == 3


def test_the_last_owner_stays(run, alice, organization):
    assert_refused(run("members", "remove", "northwind", alice.email, "--json"), "last_owner")
    assert_refused(run("members", "change-role", "northwind", alice.email, "none", "--json"), "last_owner")


def test_a_stranger_is_no_member(run, mallory, organization):
    for words in (
        ("remove", "northwind", mallory.email),
        ("change-role", "northwind", mallory.email, "Admin"),
    ):
        assert_refused(run("members", *words, "--json"), "not_found")
        refusal = f"has no member with the verified address or id “{mallory.email}”"
        assert refusal in run("members", *words).stderr


def test_a_role_is_given_by_its_name_and_taken_away(run, charlie, organization):
    given = run("members", "change-role", "northwind", charlie.email.upper(), "admin", "--json")
    assert given.data["role"]["name"] == "Admin"
    assert "no role" in run("members", "change-role", "northwind", charlie.email, "none").stdout
    unknown = run("members", "change-role", "northwind", charlie.email, "Emperor", "--json")
    assert_refused(unknown, "unknown_role")
    by_id = run("members", "change-role", "northwind", charlie.email, given.data["role"]["id"], "--json")
    assert by_id.data["role"] == given.data["role"]


def test_members_are_listed_and_removed(run, alice, bob, charlie, organization):
    assert run("members", "list", "northwind", "--json").data["total"] == 3
    assert charlie.email in run("members", "list", "northwind").stdout
    result = run("members", "remove", "northwind", charlie.email)
    assert result.exit_code == 0
    assert not Membership.objects.active().filter(user=charlie).exists()


def test_an_unknown_permission_makes_no_key(run, organization):
    words = ("api-keys", "create", "northwind", "--name", "CI", "--permission", "member.everything")
    assert_refused(run(*words, "--json"), "unknown_permission")


def test_a_key_is_printed_once_and_works(run, organization):
    words = ("--permission", "member.manage", "--permission", "audit.read", "--json")
    made = run("api-keys", "create", "northwind", "--name", "CI", *words)
    assert made.data.keys() >= {"id", "key", "name", "permissions"}
    assert made.data["permissions"] == ["audit.read", "member.manage"]
    assert authenticate(secret=made.data["key"], origin=Origin("api")).name == "CI"
