"""The running server against its own description: whatever a call holds, the answer is a described one.

`st run` with all checks and a fixed seed. The same by hand, for as long as wanted, against a server that
holds an organization northwind, from the root of the project:

    st run http://127.0.0.1:8000/api/v1/openapi.json --checks all -H "Authorization: Bearer $KEY"
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests

from tests.delivery.conftest import free_port
from tests.server.conftest import environ, guestlist, start  # noqa: F401  (fixtures)
from tests.server.stores import run_script, store_of_run, wait_for

ROOT = Path(__file__).parents[2]
LIMITS = ("INVITER", "ORGANIZATION", "RESEND", "ADDRESS", "GUESSES", "CREATION")
PEOPLE = """
import json
from datetime import timedelta
from guestlist.actions.api_keys import create_api_key
from guestlist.actions.invitations import send_invitations
from guestlist.actions.organizations import create_organization
from guestlist.actions.webhooks import create_webhook
from guestlist.actors import Actor
from guestlist.addresses import parse_items
from guestlist.models import *
from guestlist.permissions import all_permissions
from tests.conftest import join, make_user
alice, operator = make_user("alice@northwind.test", "Alice Archer"), Actor.operator()
northwind = create_organization(actor=operator, name="Northwind", slug="northwind", owner=alice)
own = {"organization": northwind}
for n in range(2):
    create_webhook(actor=operator, url="http://127.0.0.1:9/", **own)
for n in range(5):
    join(northwind, make_user(f"m{n}@northwind.test", f"Member {n}"), "Member")
people = parse_items([f"person{n}@acme.test" for n in range(8)])
send_invitations(actor=operator, parsed=people, **own)
Delivery.objects.filter(key__startswith="person0").update(state="failed", next_at=None)
for n, nonce in enumerate("AB"):
    Role.objects.create(name=f"Editor {n}", **own)
    JoinLink.objects.create(name="Team", nonce=nonce * 22, **own)
    code = {"nonce": nonce * 22, "code_expires_at": northwind.created_at + timedelta(days=1)}
    Domain.objects.create(domain=f"acme{n}.test", email="it@acme.test", **code, **own)
    JoinRequest.objects.create(email=f"w{n}@acme.test", key=f"w{n}@acme.test", **own)
may = sorted(all_permissions())
keys = [create_api_key(actor=operator, name="Key", permissions=may, **own) for n in range(3)]
def two(rows, *order):
    return [str(pk) for pk in rows.filter(**own).order_by(*order, "pk").values_list("pk", flat=True)[:2]]
ids = {
    "invitation_id": two(Invitation.objects),
    "delivery_id": two(Delivery.objects, "key"),
    "member_id": two(Membership.objects.filter(name__startswith="Member")),
    "role_id": two(Role.objects.filter(name__startswith="Editor")),
    "join_link_id": two(JoinLink.objects),
    "domain_id": two(Domain.objects),
    "request_id": two(JoinRequest.objects),
    "event_id": two(Event.objects),
    "webhook_id": two(Webhook.objects),
    "webhook_delivery_id": two(WebhookDelivery.objects, "webhook"),
    "api_key_id": [str(key.key.pk) for key in keys[1:]],
}
print(json.dumps({"key": keys[0].secret, "ids": ids}))
"""


@pytest.mark.database
@pytest.mark.skipif("postgres" not in os.environ.get("DATABASE_URL", ""), reason="once is enough")
def test_every_answer_is_a_described_one(tmp_path, environ, guestlist, start):  # noqa: F811
    with store_of_run(tmp_path / "data") as store:
        environ |= {"DATABASE_URL": store.url} | {f"GUESTLIST_LIMIT_{name}": "none" for name in LIMITS}
        assert guestlist("migrate").returncode == 0
        people = run_script(PEOPLE, environ)
        port = free_port()
        start("serve", "--port", str(port), "--no-worker")
        url = f"http://127.0.0.1:{port}"
        wait_for(lambda: _answers(url))
        (tmp_path / "schemathesis.toml").write_text(_with_ids(people["ids"]))
        done = _run(tmp_path, f"{url}/api/v1/openapi.json", people["key"])
        assert done.returncode == 0, done.stdout[-15_000:]
        assert "✅ Stateful" in done.stdout
        mine = {"Authorization": f"Bearer {people['key']}"}
        # What comes after a key that has revoked itself would have been refused without being looked at.
        assert requests.get(f"{url}/api/v1/permissions", headers=mine, timeout=30).status_code == 200


def _run(folder, url, key):
    command = [str(Path(sys.executable).with_name("st"))]
    options = ["--config-file", str(folder / "schemathesis.toml")]
    how = [
        "--checks",
        "all",
        "--seed",
        "1",
        "--max-examples",
        "3",
        "--no-color",
        "--generation-database",
        "none",
    ]
    return subprocess.run(
        [*command, *options, "run", url, "-H", f"Authorization: Bearer {key}", *how],
        cwd=folder,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def _with_ids(ids):
    """The settings for `st`, with one row for calls, and another one for those that remove it."""
    one, other = (
        "".join(f'"path.{name}" = "{rows[which]}"\n' for name, rows in ids.items()) for which in (0, 1)
    )
    text = (ROOT / "schemathesis.toml").read_text().replace("[parameters]\n", f"[parameters]\n{one}")
    return f'{text}\n[[operations]]\ninclude-method = "DELETE"\n[operations.parameters]\n{other}'


def _answers(url):
    try:
        return requests.get(f"{url}/readyz", timeout=30).ok
    except requests.ConnectionError:
        return False
