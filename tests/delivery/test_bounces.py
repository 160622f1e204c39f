"""What mail servers return: what is believed, what it says, and what becomes of the file."""

import asyncio
import random
import threading
import time
from uuid import UUID, uuid4

import pytest
from django.db import connections

from guestlist.cli.bounces import ingest_maildir
from guestlist.delivery.answers import is_hard
from guestlist.delivery.bounces import BounceReport, ingest, read_report
from guestlist.links import delivery_of_return_path, return_path
from guestlist.models import Delivery, Event
from tests.cli.conftest import run  # noqa: F401  (a fixture)
from tests.delivery.conftest import Mailbox

ID = UUID("01890000-0000-7000-8000-000000000001")


@pytest.fixture(autouse=True)
def _bounces_come_to(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"BOUNCES_TO": "bounces@guestlist.test"}


def dsn(to, *recipients, kind="delivery-status", headers=""):
    """A report as Postfix writes it. Each recipient is a group of fields."""
    groups = "\n".join(f"{recipient}\n" for recipient in recipients)
    return (
        f"From MAILER-DAEMON  Mon Nov 23 19:03:23 2026\nDelivered-To: bounces@guestlist.test\n{headers}"
        f"From: MAILER-DAEMON@mx.test (Mail Delivery System)\nSubject: Undelivered Mail Returned to Sender\n"
        f"To: {to}\nAuto-Submitted: auto-replied\nMIME-Version: 1.0\n"
        f'Content-Type: multipart/report; report-type={kind};\n\tboundary="B/mx.test"\n\n'
        "This is a MIME-encapsulated message.\n\n"
        "--B/mx.test\nContent-Type: text/plain; charset=us-ascii\n\nThe mail system at host mx.test.\n\n"
        f"--B/mx.test\nContent-Description: Delivery report\nContent-Type: message/{kind}\n\n{groups}\n"
        "--B/mx.test\nContent-Type: message/rfc822\n\n"
        f"From: Guestlist <guestlist@guestlist.test>\nTo: jane@acme.test\nX-Was: {return_path(uuid4())}\n"
        "Message-ID: <1@guestlist.test>\nSubject: Invitation\n\nHello\n\n--B/mx.test--\n"
    ).encode()


MESSAGE = (
    "Reporting-MTA: dns; mx.test\nX-Postfix-Queue-ID: 4Sx\nArrival-Date: Mon, 23 Nov 2026 19:03:23 +0000\n"
)


def recipient(action="failed", status="5.1.1", words="550 5.1.1 <jane@acme.test>:\n    no such user"):
    diagnostic = f"\nDiagnostic-Code: smtp; {words}" if words else ""
    return f"Final-Recipient: rfc822; jane@acme.test\nAction: {action}\nStatus: {status}{diagnostic}"


def read(*recipients, to=None):
    return read_report(dsn(to or return_path(ID), MESSAGE, *recipients))


# Return paths


def test_without_an_address_for_bounces_there_is_no_return_path(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"BOUNCES_TO": None}
    assert return_path(ID) is None


def test_a_return_path_fits_an_address_and_leads_back_in_any_case():
    address = return_path(ID)
    local, _, domain = address.partition("@")
    assert domain == "guestlist.test"
    assert len(local) <= 64
    assert address == address.lower()
    elsewhere = f"other+{local.partition('+')[2]}@elsewhere.test"
    for written in (address, address.upper(), address.title(), elsewhere):
        assert delivery_of_return_path(written) == ID


def test_no_character_of_a_return_path_can_be_changed():
    address = return_path(ID)
    start, end = address.index("+") + 1, address.index("@")
    alphabet = "abcdefghijklmnopqrstuvwxyz234567"
    for place in range(start, end):
        for other in set(alphabet) - {address[place]}:
            assert delivery_of_return_path(address[:place] + other + address[place + 1 :]) is None


@pytest.mark.parametrize(
    "text", ["", "@", "+", "bounces@guestlist.test", "bounces+@x", "a+" + "a" * 42, "\0+é@x"]
)
def test_what_is_no_return_path_is_none(text):
    assert delivery_of_return_path(text) is None


def test_a_return_path_outlives_a_change_of_the_secret_key(settings):
    address = return_path(ID)
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = "another" * 8
    assert delivery_of_return_path(address) == ID
    settings.SECRET_KEY_FALLBACKS = []
    assert delivery_of_return_path(address) is None


# What is believed


@pytest.mark.parametrize("header", ["Delivered-To", "X-Original-To", "Envelope-To"])
def test_any_header_in_which_servers_write_where_it_came_to_will_do(header):
    raw = dsn("postmaster@mx.test", MESSAGE, recipient(), headers=f"{header}: <{return_path(ID).upper()}>\n")
    assert read_report(raw).delivery_id == ID


def test_a_report_that_came_elsewhere_is_not_believed():
    forged = return_path(ID).replace("+", "+a")[:-1]
    for to in ("bounces@guestlist.test", "guestlist@guestlist.test", forged, "<1@guestlist.test>"):
        assert read(recipient(), to=to) is None


def test_an_answer_of_a_person_is_no_report():
    answer = f"To: {return_path(ID)}\nSubject: Out of office\n\nAction: failed\nStatus: 5.1.1\n"
    assert read_report(answer.encode()) is None
    assert read() is None


# What it says


def test_a_refusal_for_good_is_a_hard_bounce_in_the_servers_words():
    report = read(recipient())
    assert (report.delivery_id, report.outcome, report.hard) == (ID, "bounced", True)
    assert " ".join(report.detail.split()) == "550 5.1.1 <jane@acme.test>: no such user"


@pytest.mark.parametrize(
    ("status", "words", "hard"),
    [
        ("5.1.1", "", True),
        ("5.0.0", "550 unknown user", True),
        ("5.0.0 (permanent failure)", "552-5.2.2 over quota", False),
        ("5.2.2", "552 5.2.2 mailbox full", False),
        ("4.4.7", "", False),
        ("5.4.7", "delivery time expired", False),
        ("5.7.1", "550 5.7.1 your address is on a list", False),
        ("5.4.1", "550 5.4.1 recipient address rejected", True),
        ("4.2.2", "452 4.2.2 mailbox full", False),
        ("", "550 host [10.5.1.1] said no", True),
        ("", "452 try later", False),
        ("", "", False),
        ("nonsense", "nonsense", False),
    ],
)
def test_only_what_is_wrong_for_good_marks_the_address(status, words, hard):
    report = read(recipient(status=status, words=words))
    assert (report.outcome, report.hard) == ("bounced", hard)


def test_words_without_a_code_say_nothing_about_how_hard_it_is():
    assert is_hard("mx at 10.250.3.4, port 2525, knows nobody") is None


@pytest.mark.parametrize(
    ("action", "outcome"),
    [
        ("failed", "bounced"),
        ("Failed (bad address)", "bounced"),
        ("delayed", "delayed"),
        ("delivered", "delivered"),
        ("expanded", "delivered"),
        ("relayed", "relayed"),
    ],
)
def test_each_action_means_something(action, outcome):
    assert read(recipient(action)).outcome == outcome


def test_of_several_recipients_the_worst_counts():
    assert read(recipient("delivered"), recipient("delayed"), recipient()).outcome == "bounced"
    assert read(recipient("delivered"), recipient("delayed")).outcome == "delayed"
    # The address works for one of them.
    assert read(recipient("delivered"), recipient()).hard is False
    assert read(recipient(), recipient()).hard is True


@pytest.mark.parametrize("kind", ["abuse", "fraud", "opt-out"])
def test_a_complaint_is_one_also_where_only_the_report_names_our_return_path(kind):
    fields = f"Feedback-Type: {kind}\nUser-Agent: FBL/1\nVersion: 1\nOriginal-Mail-From: <{return_path(ID)}>"
    for to in ("fbl@guestlist.test", return_path(ID)):
        report = read_report(dsn(to, fields, kind="feedback-report"))
        assert report == BounceReport(ID, "complained", kind, hard=True)


@pytest.mark.parametrize("kind", ["not-spam", "auth-failure", "", "\0"])
def test_other_feedback_is_no_complaint(kind):
    fields = f"Feedback-Type: {kind}\nVersion: 1"
    assert read_report(dsn(return_path(ID), fields, kind="feedback-report")) is None


# Garbage


def test_no_text_makes_it_fail():
    whole, chance = dsn(return_path(ID), MESSAGE, recipient()), random.Random(4)
    for _ in range(300):
        broken = bytearray(whole)
        for _ in range(chance.randrange(1, 40)):
            broken[chance.randrange(len(broken))] = chance.randrange(256)
        read_report(bytes(broken[: chance.randrange(len(broken))]))
        read_report(bytes(broken))


def test_a_report_of_any_size_and_depth_takes_little_time():
    to = return_path(ID).encode()
    deep = (
        b"To: "
        + to
        + b"\n"
        + b"".join(
            b'Content-Type: multipart/mixed; boundary="%d"\n\n--%d\n' % (depth, depth)
            for depth in range(20_000)
        )
    )
    long = b"To: " + to + b"\nContent-Type: multipart/report; boundary=b\n\n" + b"--b\n" * 500_000
    many = b"To: " + b"a+" + b"a" * 42 + b"@x, " * 1 + (b"a+" + b"a" * 42 + b"@x, ") * 40_000
    started = time.process_time()
    for raw in (deep, long, many, b"+" * 2_000_000, b"a" * 2_000_000):
        assert read_report(raw) is None
    assert time.process_time() - started < 10


def test_the_end_of_a_long_returned_message_is_not_needed():
    raw = dsn(return_path(ID), MESSAGE, recipient()).replace(b"Hello", b"x" * 5_000_000)
    assert read_report(raw).outcome == "bounced"


# From the report to the row


@pytest.fixture
def mail(invite):
    """A message that the mail server took."""
    row = invite("jane@acme.test")[0]
    Delivery.objects.update(state="sent", next_at=None, attempts=1)
    return row.delivery


def returned(delivery, *recipients):
    return dsn(return_path(delivery.pk), MESSAGE, *(recipients or [recipient()]))


@pytest.mark.django_db
def test_a_report_reaches_its_row(mail):
    assert ingest(returned(mail)) == "bounced"
    mail.refresh_from_db()
    assert (mail.state, mail.hard) == ("bounced", True)
    assert mail.detail == "550 5.1.1 <jane@acme.test>: no such user"


@pytest.mark.django_db
def test_a_report_on_mail_that_nobody_knows_is_not_ours(mail):
    assert ingest(dsn(return_path(uuid4()), MESSAGE, recipient())) == "not_ours"


@pytest.mark.django_db
def test_a_message_that_was_passed_on_stays_as_it_is(mail):
    assert ingest(returned(mail, recipient("relayed"))) == "relayed"
    mail.refresh_from_db()
    assert mail.state == "sent"


class Impatient(Mailbox):
    """Returns each message before it says that it takes it."""

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        raw = dsn(envelope.mail_from, MESSAGE, recipient())
        await asyncio.get_running_loop().run_in_executor(None, self.give_back, raw)
        return await super().handle_DATA(server, session, envelope)

    def give_back(self, raw):
        assert ingest(raw) == "bounced"
        connections.close_all()


@pytest.fixture
def mailbox():
    return Impatient()


@pytest.mark.django_db(transaction=True)
def test_a_bounce_that_is_faster_than_the_servers_answer_is_not_hidden_by_it(mailbox, smtp, invite, drain):
    invite("jane@acme.test", "joe@acme.test")
    drain()
    assert sorted(mailbox.addresses) == ["jane@acme.test", "joe@acme.test"]
    assert set(Delivery.objects.values_list("state", "hard", "next_at")) == {("bounced", True, None)}
    assert not Delivery.objects.due().exists()


# The command


@pytest.mark.django_db
@pytest.mark.parametrize(
    "words", [(), ("-", "--maildir", "."), ("/no/such/file",), ("--maildir", "/no/such")]
)
def test_wrong_usage_is_status_2(run, words):  # noqa: F811
    assert run("bounces", "ingest", *words).exit_code == 2


@pytest.mark.django_db
def test_a_report_is_read_from_standard_input(run, mail):  # noqa: F811
    result = run("bounces", "ingest", "-", stdin=returned(mail))
    assert (result.exit_code, result.stdout) == (0, "1 report read: 1 bounced.\n")


@pytest.mark.django_db
def test_what_is_not_ours_is_no_failure(run, tmp_path):  # noqa: F811
    (tmp_path / "letter").write_bytes(b"From: a@b.test\n\nHello \xff")
    result = run("bounces", "ingest", str(tmp_path / "letter"), "--json")
    assert result.exit_code == 0
    zero = dict.fromkeys(("read", "bounced", "complained", "delayed", "relayed", "delivered"), 0)
    assert result.data == zero | {"not_ours": 1}


def maildir(path, **messages):
    for folder in ("new", "cur", "tmp"):
        (path / folder).mkdir(exist_ok=True)
    for name, raw in messages.items():
        folder, _, file = name.partition("_")
        (path / folder / file.replace("_", ":2,")).write_bytes(raw)


def files(path):
    return sorted(str(each.relative_to(path)) for each in path.rglob("*") if each.is_file())


@pytest.mark.django_db
def test_a_maildir_is_emptied_of_reports_and_of_nothing_else(run, invite, tmp_path):  # noqa: F811
    first, second, third = (row.delivery for row in invite("a@acme.test", "b@acme.test", "c@acme.test"))
    Delivery.objects.update(state="sent", next_at=None, attempts=1)
    maildir(
        tmp_path,
        new_1=returned(first),
        new_2=returned(second, recipient("delayed", "4.0.0")),
        cur_3_RS=returned(third),
        new_4=b"Subject: hello\n\n",
        cur_5_F=b"",
        tmp_6=returned(third),
    )
    result = run("bounces", "ingest", "--maildir", str(tmp_path))
    assert (result.exit_code, result.stdout) == (0, "3 reports read: 2 bounced, 1 delayed; 2 not ours.\n")
    assert files(tmp_path) == ["cur/4:2,S", "cur/5:2,FS", "tmp/6"]
    again = run("bounces", "ingest", "--maildir", str(tmp_path))
    assert again.stdout == "0 reports read; 2 not ours.\n"
    assert files(tmp_path) == ["cur/4:2,S", "cur/5:2,FS", "tmp/6"]
    assert Delivery.objects.filter(state="bounced").count() == 2


@pytest.mark.django_db
def test_a_link_in_a_maildir_is_not_followed(run, mail, tmp_path):  # noqa: F811
    maildir(tmp_path)
    outside = tmp_path / "outside"
    outside.write_bytes(returned(mail))
    (tmp_path / "new" / "1").symlink_to(outside)
    assert run("bounces", "ingest", "--maildir", str(tmp_path)).stdout == "0 reports read.\n"
    assert outside.exists()


@pytest.mark.django_db(transaction=True)
def test_twice_at_once_reads_each_report_once(run, invite, tmp_path):  # noqa: F811
    rows = invite(*(f"p{number}@acme.test" for number in range(20)))
    Delivery.objects.update(state="sent", next_at=None, attempts=1)
    maildir(tmp_path, **{f"new_{number}": returned(row.delivery) for number, row in enumerate(rows)})
    found = []

    def read_all():
        found.extend(ingest_maildir(tmp_path))
        connections.close_all()

    threads = [threading.Thread(target=read_all) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["bounced"] * 20
    assert files(tmp_path) == []
    assert Event.objects.filter(type="invitation.bounced").count() == 20
