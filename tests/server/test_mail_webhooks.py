"""Reports of mail providers, in the format in which each one posts them."""

import base64
import hashlib
import hmac
import json
import subprocess
import sys
import types
import warnings

import pytest
from django.core.checks import run_checks
from django.test import Client
from django.urls import clear_url_caches

from guestlist.models import Delivery, Event
from guestlist_server import mail_webhooks, urls
from tests.actions.test_send_invitations import send
from tests.delivery.conftest import free_port

SECRET = "provider:correct-horse-battery"
KEY = "key-0123456789abcdef"


@pytest.fixture
def mail(organization, alice):
    row = send(organization, alice, "jane@acme.test").outcomes[0].invitation
    Delivery.objects.update(state="sent", next_at=None, attempts=1, provider_id="<1@provider.test>")
    return row.delivery


@pytest.fixture
def provider(settings):
    """The server as it is configured for a provider."""

    def configure(name, secret=SECRET, **values):
        settings.EMAIL_BACKEND = f"anymail.backends.{name}.EmailBackend"
        settings.ANYMAIL = {f"{name.upper()}_API_KEY": "k", "WEBHOOK_SECRET": secret, **values}
        ours = [p for p in urls.urlpatterns if getattr(p, "name", "") != "email_webhook"]
        module = types.ModuleType("configured_urls")
        module.urlpatterns = [*ours[:-1], *mail_webhooks.urlpatterns(), ours[-1]]
        settings.ROOT_URLCONF = module
        clear_url_caches()
        return Caller(name)

    yield configure
    clear_url_caches()


class Caller:
    """The provider."""

    def __init__(self, name):
        self.url = f"/email/{name}/tracking/"
        self.client = Client(enforce_csrf_checks=True)

    def __call__(self, body, secret=SECRET, **extra):
        if secret:
            extra["HTTP_AUTHORIZATION"] = "Basic " + base64.b64encode(secret.encode()).decode()
        return self.client.post(self.url, json.dumps(body), "application/json", **extra)


def postmark(kind="HardBounce", record="Bounce", **values):
    """As https://postmarkapp.com/developer/webhooks describes it."""
    return {
        "RecordType": record,
        "MessageStream": "outbound",
        "ID": 4323372036854775807,
        "Type": kind,
        "TypeCode": 1,
        "Name": "Hard bounce",
        "Tag": "",
        "MessageID": "883953f4-6105-42a2-a16a-77a8eac79483",
        "Metadata": {},
        "ServerID": 23,
        "Description": "The server was unable to deliver your message.",
        "Details": "smtp;550 5.1.1 The email account that you tried to reach does not exist.",
        "Email": "jane@acme.test",
        "From": "guestlist@guestlist.test",
        "BouncedAt": "2026-03-01T12:00:00Z",
        "DumpAvailable": False,
        "Inactive": True,
        "CanActivate": True,
        "Subject": "Invitation",
    } | values


def mailgun(event, delivery=None, **values):
    """As https://documentation.mailgun.com describes it, signed with KEY."""
    token, timestamp = "t" * 50, "1774008000"
    signature = hmac.new(KEY.encode(), f"{timestamp}{token}".encode(), hashlib.sha256).hexdigest()
    data = {
        "event": event,
        "id": "G9Bn5sl1TC6nu79C8C0bwg",
        "timestamp": 1774008000.5,
        "recipient": "jane@acme.test",
        "message": {"headers": {"message-id": "1@provider.test", "to": "jane@acme.test"}},
        "user-variables": {"delivery": str(delivery.pk)} if delivery else {},
        "tags": [],
    }
    signed = {"timestamp": timestamp, "token": token, "signature": signature}
    return {"signature": signed, "event-data": data | values}


# Who may not


@pytest.mark.parametrize("secret", [None, "provider:wrong-horse-battery", "other:correct-horse-battery", ":"])
@pytest.mark.django_db
def test_a_caller_without_the_secret_is_refused(provider, mail, secret):
    call = provider("postmark")
    answer = call(postmark(Metadata={"delivery": str(mail.pk)}), secret=secret)
    assert answer.status_code == 400
    assert Delivery.objects.get().state == "sent"


@pytest.mark.django_db
def test_a_wrong_signature_is_refused_and_so_is_a_right_one_without_the_secret(provider, mail):
    call = provider("mailgun", MAILGUN_WEBHOOK_SIGNING_KEY=KEY)
    forged = mailgun("delivered", mail)
    forged["signature"]["signature"] = "0" * 64
    assert call(forged).status_code == 400
    assert call(mailgun("delivered", mail), secret=None).status_code == 400
    assert Delivery.objects.get().state == "sent"


@pytest.mark.django_db
def test_without_a_secret_there_is_no_such_address(provider, mail):
    call = provider("postmark", secret="")
    assert call(postmark(), secret=None).status_code == 404
    assert call(postmark()).status_code == 404


@pytest.mark.django_db
def test_only_the_provider_that_is_configured_has_an_address_and_nothing_takes_mail_in(provider, mail):
    call = provider("postmark")
    for url in ("/email/mailgun/tracking/", "/email/postmark/inbound/", "/anymail/postmark/tracking/"):
        call.url = url
        assert call(postmark()).status_code == 404


# What they say


@pytest.mark.django_db
def test_postmarks_bounce_reaches_its_row_by_the_id_that_we_gave(provider, mail):
    assert provider("postmark")(postmark(Metadata={"delivery": str(mail.pk)})).status_code == 200
    row = Delivery.objects.get()
    assert (row.state, row.hard, row.at.isoformat()) == ("bounced", True, "2026-03-01T12:00:00+00:00")
    assert "550 5.1.1 The email account that you tried to reach does not exist." in row.detail
    assert Event.objects.get(type="invitation.bounced").actor_type == "system"


@pytest.mark.django_db
def test_postmarks_bounce_reaches_its_row_by_the_id_that_it_gave(provider, mail):
    Delivery.objects.update(provider_id="883953f4-6105-42a2-a16a-77a8eac79483")
    assert provider("postmark")(postmark()).status_code == 200
    assert Delivery.objects.get().state == "bounced"


@pytest.mark.django_db
def test_a_full_mailbox_does_not_mark_the_address(provider, mail):
    body = postmark("SoftBounce", Metadata={"delivery": str(mail.pk)}, Details="smtp;452 4.2.2 mailbox full")
    assert provider("postmark")(body).status_code == 200
    row = Delivery.objects.get()
    assert (row.state, row.hard) == ("bounced", False)


@pytest.mark.django_db
@pytest.mark.parametrize(
    ("body", "state"),
    [
        (postmark(record="Delivery", Details="smtp;250 OK", DeliveredAt="2026-03-01T12:00:00Z"), "delivered"),
        (postmark("SpamComplaint", record="SpamComplaint"), "complained"),
        (postmark("Blocked"), "bounced"),
        (postmark("Transient"), "sent"),
        (postmark(record="Open", FirstOpen=True, ReceivedAt="2026-03-01T12:00:00Z"), "sent"),
        (postmark(record="Click", OriginalLink="https://x.test", ReceivedAt="2026-03-01T12:00:00Z"), "sent"),
    ],
)
def test_each_report_of_postmark_means_something(provider, mail, body, state):
    assert provider("postmark")(body | {"Metadata": {"delivery": str(mail.pk)}}).status_code == 200
    row = Delivery.objects.get()
    assert row.state == state
    assert len(row.history) == (0 if body["RecordType"] in ("Open", "Click") else 1)


@pytest.mark.django_db
def test_mailguns_signed_reports_reach_their_row(provider, mail):
    call = provider("mailgun", MAILGUN_WEBHOOK_SIGNING_KEY=KEY)
    assert call(mailgun("delivered")).status_code == 200  # by its own id
    assert Delivery.objects.get().state == "delivered"
    status = {"code": 550, "message": "550 5.1.1 no such user", "description": ""}
    failed = mailgun("failed", mail, severity="permanent", reason="bounce", **{"delivery-status": status})
    for _ in range(2):
        assert call(failed).status_code == 200
    row = Delivery.objects.get()
    assert (row.state, row.hard, row.detail) == ("bounced", True, "550 5.1.1 no such user")
    assert Event.objects.filter(type="invitation.bounced").count() == 1


@pytest.mark.django_db
@pytest.mark.parametrize("delivery", ["01890000-0000-7000-8000-000000000000", "x", "", None, ["\0"]])
def test_a_report_on_mail_of_another_server_is_taken_and_changes_nothing(provider, mail, delivery):
    assert provider("postmark")(postmark(Metadata={"delivery": delivery})).status_code == 200
    assert Delivery.objects.get().state == "sent"


# The start


@pytest.mark.parametrize("secret", ["secret", "user:short", ":correct-horse-battery", "user:"])
def test_a_weak_secret_stops_the_start(guestlist, secret):
    done = guestlist("migrate", GUESTLIST_EMAIL_WEBHOOK_SECRET=secret)
    assert done.returncode == 2
    assert done.stderr.startswith("guestlist: GUESTLIST_EMAIL_WEBHOOK_SECRET: ")
    assert done.stderr.count("\n") == 1


def test_a_missing_signing_key_stops_the_start_and_is_named(guestlist):
    variables = {"EMAIL_URL": "anymail+mailersend://KEY@default", "GUESTLIST_EMAIL_WEBHOOK_SECRET": SECRET}
    done = guestlist("serve", "--port", str(free_port()), **variables)
    assert done.returncode == 2
    assert done.stderr.startswith("guestlist: EMAIL_URL: mailersend signs its reports")
    assert "?mailersend_signing_secret=KEY" in done.stderr
    assert done.stderr.count("\n") == 1


def test_with_everything_configured_it_starts_and_nothing_replaces_the_secret(environ):
    code = (
        "import django; django.setup()\n"
        "from django.conf import settings; from django.core.checks import run_checks\n"
        "from django.urls import reverse\n"
        "print(reverse('email_webhook'), [c.id for c in run_checks() if c.level >= 40], settings.ANYMAIL)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        env=environ
        | {
            "DJANGO_SETTINGS_MODULE": "guestlist_server.settings",
            "EMAIL_URL": "anymail+mailersend://K@default?mailersend_signing_secret=SIGN&webhook_secret=a:b",
            "GUESTLIST_EMAIL_WEBHOOK_SECRET": SECRET,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.startswith("/email/mailersend/tracking/ [] ")
    assert f"'WEBHOOK_SECRET': '{SECRET}'" in done.stdout


@pytest.mark.django_db
def test_the_check_names_a_package_that_is_missing(provider):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        provider("resend", RESEND_SIGNING_SECRET="whsec_x")
        found = [message.msg for message in run_checks() if message.id == "guestlist_server.E001"]
    assert len(found) == 1
    assert "svix" in found[0]
