"""What only a terminal sees: bars while long work goes on, and what Tab offers."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import environ_of

GUESTLIST = Path(sys.executable).with_name("guestlist")
BAR = "]  100%"


@pytest.fixture(scope="module")
def data(tmp_path_factory, up_to_date):
    """A data folder with two organizations, and roles in one of them."""
    folder = tmp_path_factory.mktemp("filled") / "data"

    def run(*words):
        command = [sys.executable, "-m", "guestlist_server", *words]
        subprocess.run(command, env=environ_of(folder), check=True, timeout=120)

    up_to_date(folder)
    for slug in ("northwind", "acme"):
        run("organizations", "create", slug.title(), "--slug", slug, "--owner", f"maya@{slug}.test")
    for name in ("$(reboot)", "Team lead", "a;b", "Editor"):
        run("roles", "create", "northwind", name)
    return str(folder)


@pytest.fixture
def filled(data, environ, guestlist):
    """The command, run where there is something."""
    environ["GUESTLIST_DATA_DIR"] = data
    return guestlist


@pytest.fixture
def on_terminal(environ, tmp_path):
    """Run a command with its standard error on a terminal; what it printed there, and elsewhere."""

    def run(*words, everything=True):
        ours, theirs = pty.openpty()
        with (tmp_path / "printed").open("w+b") as elsewhere:
            process = subprocess.Popen(
                [sys.executable, "-m", "guestlist_server", *words],
                env=environ | {"TERM": "xterm", "COLUMNS": "100"},
                stdin=subprocess.DEVNULL,
                stdout=theirs if everything else elsewhere,
                stderr=theirs,
            )
            os.close(theirs)
            seen = b"".join(iter(lambda: _read(ours), b""))
            os.close(ours)
            assert process.wait(60) == 0, seen
        return seen.decode(), (tmp_path / "printed").read_text()

    return run


def _read(terminal):
    try:
        return os.read(terminal, 65_536)
    except OSError:  # Linux says so when the other end is closed
        return b""


@pytest.fixture
def people(tmp_path):
    """A file that takes two parts to send."""
    file = tmp_path / "people.csv"
    file.write_text("Email\n" + "".join(f"person{number}@acme.test\n" for number in range(10_001)))
    return str(file)


# Bars --------------------------------------------------------------------------------------------------


def test_long_work_shows_a_bar_on_a_terminal(filled, on_terminal, people):
    seen, _ = on_terminal("invitations", "send", "northwind", "--file", people, "--dry-run")
    assert "Invitations  [" in seen
    assert BAR in seen
    seen, _ = on_terminal("audit", "verify")
    assert "Organizations  [" in seen
    assert "The audit logs of 2 organizations are whole" in seen


def test_what_goes_into_a_file_shows_its_bar_beside_it(filled, on_terminal):
    seen, printed = on_terminal("audit", "export", "northwind", everything=False)
    assert "Events  [" in seen
    assert BAR in seen
    assert [line[:1] for line in printed.splitlines()] == ["{"] * 6


def test_a_bar_does_not_run_through_what_is_printed(filled, on_terminal):
    seen, _ = on_terminal("audit", "export", "northwind")
    assert "Events" not in seen


def test_without_a_terminal_nothing_of_a_bar_is_printed(filled, people):
    for words in (
        ("invitations", "send", "northwind", "--file", people, "--dry-run"),
        ("audit", "verify"),
        ("audit", "export", "northwind"),
    ):
        done = filled(*words)
        assert done.returncode == 0
        assert done.stderr == ""
        assert "[#" not in done.stdout


def test_a_program_gets_no_bar_on_a_terminal_either(filled, on_terminal, people):
    words = ("invitations", "send", "northwind", "--file", people, "--dry-run", "--json")
    seen, printed = on_terminal(*words, everything=False)
    assert seen == ""
    assert '"sent": 10001' in printed


# Completion --------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def completion(tmp_path_factory):
    """What the command itself prints for bash."""
    environ = environ_of(tmp_path_factory.mktemp("completion") / "data")
    command = [GUESTLIST, "--show-completion", "bash"]
    return subprocess.run(command, env=environ, stdout=subprocess.PIPE, text=True, check=True).stdout


@pytest.fixture
def press_tab(environ, completion):
    """What bash offers behind these words."""

    def press(*words, **variables):
        script = f"""
            PATH={GUESTLIST.parent}:$PATH
            {completion}
            COMP_WORDS=(guestlist "$@"); COMP_CWORD=$#
            _guestlist_completion guestlist
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        done = subprocess.run(
            ["bash", "--norc", "-c", script, "bash", *words],
            env=environ | variables,
            capture_output=True,
            text=True,
            timeout=60,
            check=True,
        )
        assert done.stderr == ""
        return done.stdout.split("\n")[:-1]

    return press


OFFERED = [
    (("inv",), ["invitations"]),
    (("invitations", "re"), ["revoke", "resend", "reconcile"]),
    (("invitations", "list", ""), ["acme", "northwind"]),
    (("invitations", "send", "no"), ["northwind"]),
    (("invitations", "list", "acme", "--status", "e"), ["expired"]),
    (("invitations", "list", "acme", "--sort", "e"), ["email", "expires"]),
    (("members", "change-role", "acme", "a@acme.test", ""), ["Admin", "Member", "Owner"]),
    (("roles", "delete", "acme", "Editor", "--successor", "M"), ["Member"]),
    (("roles", "create", "acme", "Editor", "--permission", "member"), ["member.manage"]),
    (("api-keys", "create", "acme", "--permission", "audit"), ["audit.read"]),
    (("audit", "list", "acme", "--type", "invitation.sen"), ["invitation.sent"]),
    (("deliveries", "list", "acme", "--state", "b"), ["bounced"]),
    (("invitations", "reconcile", "acme", "--language", "d"), ["de"]),
    (("members", "list", "acme", "--role", "A"), ["Admin"]),
    (("members", "list", "acme", "--sort", "j"), ["joined"]),
    (("api-keys", "list", "acme", "--status", "c"), ["creator_gone"]),
    (("api-keys", "list", "acme", "--sort", "u"), ["used"]),
    (("webhooks", "create", "acme", "https://x.test", "--type", "member.j"), ["member.joined"]),
    (("webhooks", "deliveries", "acme", "CRM", "--state", "f"), ["failed"]),
]


def test_tab_offers_what_exists(filled, press_tab):
    assert {words: sorted(press_tab(*words)) for words, _ in OFFERED} == {
        words: sorted(found) for words, found in OFFERED
    }


def test_tab_offers_no_name_that_a_shell_would_run_or_split(filled, press_tab):
    offered = press_tab("roles", "delete", "northwind", "")
    assert offered == ["Admin", "Editor", "Member", "Owner"]


@pytest.mark.parametrize(
    "words",
    [("members", "change-role", "nope", "a@acme.test", ""), ("invitations", "list", "x'\"$(")],
)
def test_tab_offers_nothing_where_there_is_nothing(filled, press_tab, words):
    assert press_tab(*words) == [""]


def test_tab_says_nothing_while_there_is_no_database_or_a_wrong_setting(press_tab):
    assert press_tab("invitations", "list", "n") == [""]
    assert press_tab("invitations", "list", "n", DATABASE_URL="mysql://x/y") == [""]


def test_completion_is_installed_for_bash(environ, tmp_path):
    done = subprocess.run(
        [GUESTLIST, "--install-completion", "bash"],
        env=environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert "bash completion installed in" in done.stdout
    assert "guestlist" in (tmp_path / ".bashrc").read_text()
    assert "_GUESTLIST_COMPLETE" in (tmp_path / ".bash_completions" / "guestlist.sh").read_text()


# About itself ------------------------------------------------------------------------------------------


def test_the_version_is_printed_without_any_configuration(guestlist):
    done = guestlist("--version", DATABASE_URL="mysql://x/y")
    assert done.returncode == 0
    assert done.stdout.startswith("guestlist 0.")
