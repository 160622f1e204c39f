"""The three doors, each used as its users use it: the form of a page, a call with a key, a typed command.

Every door is given the same steps (`Send`, `Change`) and hands back an `Answer`: what it said, as far as it
says it. None in an answer is what a door does not tell.
"""

import html
import json
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from typer.testing import CliRunner

from guestlist import cli
from guestlist.actors import Actor
from guestlist.addresses import comparison_key
from guestlist.models import Invitation
from tests.api.conftest import ApiClient

SLUG = "northwind"
NOBODY = str(UUID(int=7))
FORM = "application/x-www-form-urlencoded"
# What the pages may say of numbers; the whole sentence has to be made of these.
PHRASES = {
    r"(\d+) invitations? sent": "sent",
    r"Nothing was sent": "",
    r"E-mail is not configured; nothing has gone out yet": "",
    r"(\d+) will be invited": "would_send",
    r"(\d+) already (?:a member|members), skipped": "already_member",
    r"(\d+) already invited, skipped": "already_invited",
    r"(\d+) asked not to be invited, skipped": "suppressed",
    r"(\d+) held back": "held",
    r"(\d+) listed twice": "duplicate",
    r"(\d+) to fix": "invalid",
    r"mail to \d+ of them came back or was unwanted before": "",
    r"Mail to \d+ address(?:es)? came back or was unwanted before": "",
    r"Send again to invite (?:it|them) anyway, or remove (?:it|them)": "",
    r"(\d+) invitations? revoked": "revoked",
    r"(\d+) invitations? sent again": "resent",
    r"(\d+) at (?:a domain that is|domains that are) not allowed, skipped": "domain_not_allowed",
    r"(\d+) skipped: no longer pending": "not_pending",
    r"(\d+) skipped: not found": "not_found",
}
SKIPPED = ("already_member", "already_invited", "suppressed", "declined")


@dataclass(frozen=True)
class Send:
    """Invite. A string is pasted text; a list is one address each, which the page has one to a line."""

    typed: str | list[str]
    language: str = ""
    lifetime: str = ""
    dry_run: bool = False

    @property
    def text(self) -> str:
        """As it stands in a box."""
        return self.typed if isinstance(self.typed, str) else "\n".join(self.typed)


@dataclass(frozen=True)
class SendFile:
    """Invite whom a file names. The page reads it into its box first; REST is given the text in it."""

    content: bytes
    name: str = "people.csv"


@dataclass(frozen=True)
class Reconcile:
    """Bring a set of addresses about. A string is a text; a list is one address each."""

    typed: str | list[str]
    prune: bool = False
    dry_run: bool = False


@dataclass(frozen=True)
class Change:
    """Revoke or resend: one, by its own button; several at once; all that are pending where none is named."""

    verb: str
    emails: tuple[str, ...] = ()
    one: bool = False

    @property
    def done(self) -> str:
        """What it is called afterwards."""
        return {"revoke": "revoked", "resend": "resent"}[self.verb]


@dataclass(frozen=True)
class Answer:
    """`counts` has outcomes; a refusal has `status`, `sentence` and `code` instead. `whole` is the JSON."""

    counts: Counter[str] | None = None
    status: int | None = None
    sentence: str | None = None
    code: str | None = None
    whole: Any = None

    @property
    def short(self) -> str | None:
        """`2 sent, 1 invalid` or `refused: not_pending`; None where the door has no code for it."""
        if self.counts is not None:
            return ", ".join(f"{n} {what}" for what, n in sorted(self.counts.items()) if n) or "nothing"
        return self.code and f"refused: {self.code}"


def newest_id(email: str) -> str:
    """The id of the newest invitation of the address, or one that nothing has."""
    rows = Invitation.objects.filter(organization__slug=SLUG, key=comparison_key(email)).order_by("pk")
    return str(rows.values_list("pk", flat=True).last() or NOBODY)


def outcomes(resource: dict[str, Any], verb: str = "") -> Counter[str]:
    """What an answer of REST adds up to, checked against its own numbers."""
    found = Counter(result["outcome"] for result in resource["results"])
    if verb:
        assert found[verb] in (0, resource[verb])
        found[verb] = resource[verb]
        assert resource["skipped"] == found.total() - found[verb]
        return found
    assert resource["sent"] == found["sent"] + found["would_send"]
    assert resource["skipped"] == sum(found[outcome] for outcome in SKIPPED)
    assert (resource["duplicates"], resource["invalid"]) == (found["duplicate"], found["invalid"])
    return found


def reconciled(resource: dict[str, Any]) -> Counter[str]:
    """What bringing a set about adds up to, with what was revoked or would be."""
    revocations = Counter(each["outcome"] for each in resource["revocations"])
    assert resource["revoked"] == revocations.total()
    return outcomes(resource) + revocations


def read_numbers(sentence: str) -> Counter[str]:
    """The numbers in what a page says. A phrase that is not in PHRASES is an error."""
    found: Counter[str] = Counter()
    for phrase in filter(None, (part.strip() for part in sentence.split("."))):
        for pattern, outcome in PHRASES.items():
            if match := re.fullmatch(pattern, phrase):
                found.update({outcome: int(match[1])} if outcome else {})
                break
        else:
            raise AssertionError(f"The page says “{phrase}”.")
    return found


class Page:
    """The page, in a browser without JavaScript in which a manager is signed in.

    Where mail to an address came back the page says so first and holds it back: the manager reads that and
    presses again.
    """

    name = "page"

    def __init__(self, client: Client, actor: Actor) -> None:
        self.client, self.actor = client, actor

    def send(self, step: Send) -> Answer:
        """Type into the box and press."""
        if step.dry_run:
            response = self._post("preview_invitations", {"emails": step.text}, HTTP_HX_REQUEST="true")
            return Answer(self._tally(response)) if response.status_code == 200 else self._refusal(response)
        response = self._post("new_invitations", {"emails": step.text})
        answer = self._sent(response)
        if not answer.counts or not answer.counts["held"]:
            return answer
        fields = {"emails": self._inside(response, "textarea"), "bounced_seen": self._seen(response)}
        again = self._sent(self._post("new_invitations", fields))
        assert answer.counts
        assert again.counts
        answer.counts["held"] = 0
        return Answer(answer.counts + again.counts) if answer.counts["sent"] else again

    def send_file(self, step: SendFile) -> Answer:
        """Choose the file, have it put into the box, look, and press."""
        file = SimpleUploadedFile(step.name, step.content)
        url, before = reverse("guestlist:new_invitations", args=[SLUG]), Invitation.objects.count()
        response = self.client.post(url, {"emails": "", "file": file, "read": "1"})
        assert Invitation.objects.count() == before
        if response.status_code != 200:
            return Answer(
                status=response.status_code,
                sentence=self._inside(response, 'p class="error" id="file-error"'),
            )
        return self.send(Send(self._inside(response, "textarea")))

    def change(self, step: Change) -> Answer:
        """Press the button of a row, or the one above the list."""
        if step.one:
            response = self._post(f"{step.verb}_invitation", {}, newest_id(step.emails[0]))
        elif step.emails:
            response = self._post(f"{step.verb}_invitations", {"ids": [newest_id(e) for e in step.emails]})
        else:
            response = self._post(f"{step.verb}_invitations", {"all": "1", "status": "pending"})
        if response.status_code != 302:
            return self._refusal(response)
        told = self._told(response)
        if step.one:
            said = {"revoke": "Invitation revoked.", "resend": "Invitation sent again."}[step.verb]
            assert told.startswith(said)
            return Answer(Counter({step.done: 1}))
        return Answer(read_numbers(told))

    def _post(self, name: str, fields: dict[str, Any], *ids: str, **headers: str) -> Any:
        # A browser sends the lines of a box with CRLF.
        crlf = {key: re.sub("\r?\n", "\r\n", v) if key == "emails" else v for key, v in fields.items()}
        url = reverse(f"guestlist:{name}", args=[SLUG, *ids])
        body = urlencode(crlf, doseq=True, errors="surrogatepass")
        return self.client.post(url, body, content_type=FORM, **headers)

    def _sent(self, response: Any) -> Answer:
        if response.status_code == 302:
            return Answer(read_numbers(self._told(response)))
        if response.status_code == 200:  # part was sent; the form is back with the rest
            return Answer(read_numbers(self._inside(response, 'div class="note note--ok"')))
        error = self._inside(response, 'p class="error"')
        if error.startswith("None of these addresses can be invited."):
            return Answer(self._tally(response))
        if response.status_code == 422 and error.startswith("Nothing was sent."):
            return Answer(read_numbers(error))
        return Answer(status=response.status_code, sentence=error)

    def _told(self, response: Any) -> str:
        """The message on the page that comes next."""
        return self._inside(self.client.get(response["Location"]), 'div class="toast toast--ok"')

    def _tally(self, response: Any) -> Counter[str]:
        items = re.findall(r"<li[^>]*>(.*?)</li>", self._raw(response, 'ul class="tally"'), re.DOTALL)
        return read_numbers(".".join(_text(item) for item in items))

    def _refusal(self, response: Any) -> Answer:
        if response.status_code == 404:  # in words of its own
            return Answer(status=404)
        return Answer(status=response.status_code, sentence=self._inside(response, "p"))

    def _seen(self, response: Any) -> str:
        found = re.search(r'name="bounced_seen" value="([^"]*)"', response.content.decode())
        assert found
        return html.unescape(found[1])

    def _inside(self, response: Any, opening: str) -> str:
        return _text(self._raw(response, opening))

    def _raw(self, response: Any, opening: str) -> str:
        tag = opening.partition(" ")[0]
        found = re.search(rf"<{opening}[^>]*>(.*?)</{tag}>", response.content.decode(), re.DOTALL)
        assert found, f"The page has no <{opening}>: {response.status_code}"
        return found[1]


def _text(markup: str) -> str:
    plain = html.unescape(re.sub(r"<[^>]+>", "", markup))
    return re.sub(r"[^\S\n]+", " ", plain).strip()


class Rest:
    """REST, with a key."""

    name = "REST"

    def __init__(self, key: str, actor: Actor) -> None:
        self.call, self.actor = ApiClient(key), actor

    def send(self, step: Send) -> Answer:
        """Text or a list of addresses."""
        body: dict[str, Any] = {"text" if isinstance(step.typed, str) else "emails": step.typed}
        body |= {name: v for name in ("language", "lifetime") if (v := getattr(step, name))}
        path = f"{SLUG}/invitations/preview" if step.dry_run else f"{SLUG}/invitations"
        response = self.call("POST", path, body)
        if response.status_code >= 400:
            return self._refusal(response)
        counts = outcomes(response.data)
        assert response.status_code == (201 if counts["sent"] else 200)
        return Answer(counts, whole=response.data)

    def send_file(self, step: SendFile) -> Answer:
        """The text that the file holds."""
        return self.send(Send(step.content.decode()))

    def reconcile(self, step: Reconcile) -> Answer:
        """The set as it is to be."""
        asked = urlencode({"prune": step.prune, "dry_run": step.dry_run}).lower()
        body = {"text" if isinstance(step.typed, str) else "emails": step.typed}
        response = self.call("PUT", f"{SLUG}/invitations?{asked}", body)
        if response.status_code >= 400:
            return self._refusal(response)
        return Answer(reconciled(response.data), whole=response.data)

    def change(self, step: Change) -> Answer:
        """One by its address; several by their ids; all pending by the filter."""
        if step.one:
            path = f"{SLUG}/invitations/{newest_id(step.emails[0])}/{step.verb}"
            response = self.call("POST", path)
            if response.status_code >= 400:
                return self._refusal(response)
            return Answer(Counter({step.done: 1}))
        chosen = {"ids": [newest_id(e) for e in step.emails]} if step.emails else {"status": "pending"}
        response = self.call("POST", f"{SLUG}/invitations/{step.verb}", chosen)
        if response.status_code >= 400:
            return self._refusal(response)
        return Answer(outcomes(response.data, step.done), whole=response.data)

    def _refusal(self, response: Any) -> Answer:
        problem = response.data
        assert problem["status"] == response.status_code
        sentence = None if response.status_code == 404 else problem["detail"]
        return Answer(None, response.status_code, sentence, problem["code"], problem)


class CommandLine:
    """Commands, as typed by the operator; pasted text comes from standard input.

    It has one command for one invitation and for several: what a refusal is elsewhere, is for it the outcome
    of the only address, and status 1.
    """

    name = "command line"

    def __init__(self, actor: Actor) -> None:
        self.runner, self.app, self.actor = CliRunner(), cli.app(), actor

    def send(self, step: Send) -> Answer:
        """Addresses as words (`--` comes first: one may begin with a hyphen), text as a file, whose rows it
        tells as well.
        """
        options = [
            word
            for name in ("language", "lifetime")
            if (v := getattr(step, name))
            for word in (f"--{name}", v)
        ]
        options += ["--dry-run"] if step.dry_run else []
        if isinstance(step.typed, str):
            status, data = self._run("send", [*options, "--file", "-"], stdin=step.typed.encode())
        else:
            status, data = self._run("send", options, step.typed)
        return self._sent(status, data, has_rows=isinstance(step.typed, str))

    def _sent(self, status: int, data: Any, *, has_rows: bool) -> Answer:
        if "code" in data:
            return self._refusal(status, data)
        _take_rows(data, has_rows=has_rows)
        counts = outcomes(data)
        went = counts["sent"] + counts["would_send"]
        assert status == (1 if counts["invalid"] and not went else 0)
        return Answer(counts, whole=data)

    def send_file(self, step: SendFile) -> Answer:
        """The file by its path."""
        with TemporaryDirectory() as folder:
            path = Path(folder, step.name)
            path.write_bytes(step.content)
            return self._sent(*self._run("send", ["--file", str(path)]), has_rows=True)

    def reconcile(self, step: Reconcile) -> Answer:
        """Without a terminal at which to be asked."""
        options = ["--prune"] * step.prune + (["--dry-run"] if step.dry_run else ["--yes"])
        if isinstance(step.typed, str):
            options += ["--file", "-"]
            status, data = self._run("reconcile", options, stdin=step.typed.encode())
        else:
            status, data = self._run("reconcile", options, step.typed)
        if "code" in data:
            return self._refusal(status, data)
        _take_rows(data, has_rows=isinstance(step.typed, str))
        kept = "not_pruned" in data.get("warnings", ())
        assert status == (1 if kept or (data["invalid"] and not data["sent"]) else 0)
        return Answer(reconciled(data), whole=data)

    def change(self, step: Change) -> Answer:
        """By address: the newest invitation of each."""
        status, data = self._run(step.verb, [] if step.emails else ["--all-pending"], step.emails)
        if "code" in data:
            return self._refusal(status, data)
        counts = outcomes(data, step.done)
        assert status == (1 if data["skipped"] and not data[step.done] else 0)
        if not step.one:
            return Answer(counts, whole=data)
        assert len(data["results"]) == 1
        outcome = data["results"][0]["outcome"]
        return Answer(counts) if outcome == step.done else Answer(code=outcome)

    def _run(
        self, verb: str, options: Sequence[str], addresses: Sequence[str] = (), stdin: bytes = b""
    ) -> tuple[int, Any]:
        words = ["invitations", verb, *options, "--json", SLUG, *(["--", *addresses] if addresses else [])]
        result = self.runner.invoke(self.app, words, input=stdin)
        if result.exception and not isinstance(result.exception, SystemExit):
            raise result.exception
        assert result.exit_code in (0, 1), result.output
        return result.exit_code, json.loads(result.stdout)

    def _refusal(self, status: int, problem: Any) -> Answer:
        assert status == 1
        sentence = None if problem["status"] == 404 else problem["detail"]
        return Answer(None, problem["status"], sentence, problem["code"], problem)


def _take_rows(data: Any, *, has_rows: bool) -> None:
    """What came from a file tells its row, which nothing else does."""
    for result in data["results"]:
        assert bool(result.pop("row", None)) == has_rows
