"""What people and workers see of a database that goes away, of wrong clocks, and of a restored backup."""

import json
import signal
import threading
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from aiosmtpd.controller import Controller

from tests.delivery.conftest import Mailbox, free_port
from tests.server.stores import impatient, run_script, store_of_run, wait_for

pytestmark = pytest.mark.database
NEW = "/o/northwind/admin/invitations/new"
API = "/api/v1/organizations/northwind/invitations"
TYPED = "amara@acme.test\r\nLiam & Co <liam@acme.test>"
PEOPLE = """
import json
from django.test import Client
from guestlist.actions.organizations import create_organization
from guestlist.actions.api_keys import create_api_key
from guestlist.actors import Actor
from tests.conftest import make_user
alice, operator = make_user("alice@northwind.test", "Alice Archer"), Actor.operator()
northwind = create_organization(actor=operator, name="Northwind", slug="northwind", owner=alice)
key = create_api_key(actor=operator, organization=northwind, name="Key", permissions=("member.manage",))
client = Client()
client.force_login(alice)
print(json.dumps({"session": client.cookies["sessionid"].value, "key": key.secret}))
"""
ROWS = """
import json
from guestlist.models import Delivery, Event, Invitation
kinds = (Invitation, Delivery, Event.objects.filter(type__startswith="invitation"))
print(json.dumps({"rows": [getattr(kind, "objects", kind).count() for kind in kinds]}))
"""
# What each address's link answers, to a process whose own clock is wrong by so many seconds.
LINKS = """
import datetime, json, sys, time
shift, real_time, real = float(sys.argv[1]), time.time, datetime.datetime
time.time = lambda: real_time() + shift
class Shifted(real):
    @classmethod
    def now(cls, tz=None):
        return real.now(tz) + datetime.timedelta(seconds=shift)
from django.utils import timezone
timezone.datetime = Shifted
from django.conf import settings
from django.test import Client
from guestlist.links import invitation_url
from guestlist.models import Invitation
settings.ALLOWED_HOSTS = ["testserver"]
found = {}
for row in Invitation.objects.for_display():
    path = "/i/" + invitation_url(row.nonce, row.pk).partition("/i/")[2]
    found[row.email] = [Client().get(path).status_code, row.status_now]
off = (timezone.now() - real.now(datetime.UTC)).total_seconds()
print(json.dumps({"links": found, "off": round(off)}))
"""


@pytest.fixture
def store(tmp_path, environ):
    """The database of the processes that a test starts."""
    with store_of_run(tmp_path / "data") as store:
        environ["DATABASE_URL"] = store.url
        yield store


@pytest.fixture
def people(store, environ, guestlist):
    """Alice's session and a key of Northwind, which she owns."""
    assert guestlist("migrate").returncode == 0
    return run_script(PEOPLE, environ)


@pytest.fixture
def server(store, people, start, tmp_path):
    """The address of a server that answers, without the process that sends mail."""
    port = free_port()
    start("serve", "--port", str(port), "--no-worker", **impatient(tmp_path))
    url = f"http://127.0.0.1:{port}"
    wait_for(lambda: _is_ready(url))
    return url


def _is_ready(url):
    try:
        return requests.get(f"{url}/readyz", timeout=30).status_code == 200
    except requests.ConnectionError:
        return False


@pytest.fixture
def post(server, people):
    """Sends the invitation form, with and without htmx, and calls the API, all at once."""
    browser = requests.Session()
    browser.cookies.set("sessionid", people["session"])
    browser.get(server + NEW, timeout=30).raise_for_status()
    form = {"emails": TYPED, "csrfmiddlewaretoken": browser.cookies["csrftoken"]}
    key = {"Authorization": f"Bearer {people['key']}"}

    def post_all():
        with ThreadPoolExecutor(3) as threads:
            calls = [
                threads.submit(browser.post, server + NEW, data=form, timeout=60),
                threads.submit(
                    browser.post, server + NEW, data=form, headers={"HX-Request": "true"}, timeout=60
                ),
                threads.submit(requests.post, server + API, json={"text": TYPED}, headers=key, timeout=60),
            ]
            return [call.result() for call in calls]

    return post_all


def test_a_database_that_is_away_creates_nothing_and_loses_no_text(server, store, post, environ):
    store.take_away()
    try:
        answers = post()
        start_page = requests.get(server, timeout=60)
        scrape = requests.get(f"{server}/metrics", timeout=60)
    finally:
        store.bring_back()
    page, htmx, api = answers
    for answer in [*answers, start_page]:
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
        assert answer.headers["Content-Security-Policy"].startswith("default-src 'none'")
    assert "<textarea" in page.text
    assert "amara@acme.test\r\nLiam &amp; Co &lt;liam@acme.test&gt;" in page.text
    assert f'href="{NEW}"' in page.text
    assert "nothing was saved or sent" in page.text
    assert "<html" not in htmx.text
    assert api.json()["code"] == "unavailable"
    assert "<textarea" not in start_page.text
    assert scrape.status_code == 503
    wait_for(lambda: _is_ready(server))
    assert run_script(ROWS, environ) == {"rows": [0, 0, 0]}
    assert all(answer.status_code < 500 for answer in post())
    assert run_script(ROWS, environ) == {"rows": [2, 2, 2]}


def test_a_fault_that_is_not_the_databases_stays_a_500(client, monkeypatch, db):
    def broken(request):
        raise RuntimeError("broken")

    monkeypatch.setattr("guestlist.web.home.root", broken)
    monkeypatch.setattr("guestlist_server.urls.Organization.objects.exists", lambda: True, raising=False)
    client.raise_request_exception = False
    answer = client.get("/")
    assert answer.status_code == 500
    assert "Retry-After" not in answer


class Cutting(Mailbox):
    """Takes the database away while it has a message in its hands, says 250, and brings it back later."""

    store = None

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        answer = await super().handle_DATA(server, session, envelope)
        if len(self.received) == 8:
            self.store.take_away()
            threading.Timer(4, self.store.bring_back).start()
        return answer


def test_a_database_lost_after_the_250_costs_one_repeat_at_most(
    store, people, guestlist, start, environ, tmp_path
):
    mailbox, emails = Cutting(), [f"person{n}@acme.test" for n in range(30)]
    mailbox.store = store
    smtp = Controller(mailbox, hostname="127.0.0.1", port=free_port())
    smtp.start()
    variables = {"EMAIL_URL": f"smtp://127.0.0.1:{smtp.port}"}
    try:
        sent = guestlist("invitations", "send", "northwind", *emails, **variables)
        assert sent.returncode == 0, sent.stderr
        worker = start("worker", **variables, **impatient(tmp_path))
        wait_for(lambda: set(mailbox.addresses) == set(emails), 90)
        wait_for(lambda: _owed(guestlist) == 0, 90)
        worker.send_signal(signal.SIGTERM)
        assert worker.wait(30) == 0
    finally:
        smtp.stop()
    counts = Counter(mailbox.addresses)
    repeated = [address for address, count in counts.items() if count > 1]
    assert sum(counts.values()) <= len(emails) + 1
    copies = {mailbox.parsed(n)["Message-ID"] for n, to in enumerate(mailbox.addresses) if to in repeated}
    assert len(copies) == len(repeated)


def _owed(guestlist):
    rows = json.loads(guestlist("invitations", "list", "northwind", "--json").stdout)["items"]
    return sum(row["delivery"]["state"] != "sent" for row in rows)


def test_machines_whose_clocks_are_minutes_wrong_agree_about_what_has_expired(people, guestlist, environ):
    guestlist("invitations", "send", "northwind", "open@acme.test", "over@acme.test")
    minute = "from guestlist.models import Invitation\nfrom django.db.models.functions import Now\n"
    minute += "from datetime import timedelta\nrows = Invitation.objects.filter\n"
    minute += "rows(email='open@acme.test').update(expires_at=Now() + timedelta(minutes=1))\n"
    minute += "rows(email='over@acme.test').update(invited_at=Now() - timedelta(hours=1), "
    minute += "expires_at=Now() - timedelta(minutes=1))\nprint('{}')"
    run_script(minute, environ)
    for shift in (-300, 0, 300):
        found = run_script(LINKS, environ, str(shift))
        assert found["off"] == shift
        assert found["links"] == {"open@acme.test": [200, "pending"], "over@acme.test": [410, "expired"]}


def test_after_yesterdays_backup_one_command_ends_every_old_link(store, people, guestlist, environ):
    addresses = [f"{name}@acme.test" for name in ("revoked", "kept", "resent")]
    guestlist("invitations", "send", "northwind", *addresses)
    store.back_up()
    assert guestlist("invitations", "revoke", "northwind", "revoked@acme.test").returncode == 0
    assert run_script(LINKS, environ, "0")["links"]["revoked@acme.test"] == [410, "revoked"]
    store.restore()
    found = run_script(LINKS, environ, "0")["links"]
    assert found == {address: [200, "pending"] for address in addresses}
    assert guestlist("invitations", "revoke", "northwind", "--all-pending").returncode == 0
    found = run_script(LINKS, environ, "0")["links"]
    assert found == {address: [410, "revoked"] for address in addresses}
