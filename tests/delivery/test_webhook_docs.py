"""What docs/webhooks.md says of the types, and how it verifies a call."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from guestlist.models.webhook_delivery import TEST
from guestlist.webhook_messages import TYPES
from tests.delivery.webhook_script import call_due, secret_of

pytestmark = pytest.mark.django_db(transaction=True)
PAGE = (Path(__file__).parents[2] / "docs" / "webhooks.md").read_text()


def block(name):
    """The code that begins with its file name."""
    return re.search(rf"```\w+\n(?:#|//) {re.escape(name)}\n(.*?)```", PAGE, re.DOTALL)[1]


def test_every_type_is_documented_with_what_one_needs():
    rows = re.findall(r"^\| (`\w+\.\w+`.*?) \|.*\| (.*?) \|$", PAGE, re.MULTILINE)
    found = {kind: needed.strip("`") for kinds, needed in rows for kind in re.findall(r"`(\S+)`", kinds)}
    expected = {kind: needed.value if needed else "nothing more" for kind, needed in TYPES.items()}
    assert found == expected | {TEST: "nothing more"}


@pytest.fixture
def call(receiver, webhook, invite):
    """One that was received."""
    invite("jane@acme.test")
    call_due()
    return receiver.calls[0]


@pytest.mark.parametrize("name", ["verify.py", "verify_with_library.py"])
def test_python_verifies_a_call_and_nothing_else(call, webhook, name):
    code = {}
    exec(compile(block(name), name, "exec"), code)
    secret, verify = secret_of(webhook), code["message_of"]
    assert verify(secret, call.headers, call.body) == call.message
    assert verify(secret, call.headers, call.body.replace(b"jane", b"june")) is None
    assert verify(secret, call.headers | {"webhook-id": "msg_other"}, call.body) is None
    assert verify(secret, call.headers | {"webhook-timestamp": "1774000000"}, call.body) is None
    both = {"webhook-signature": f"v1,AAAA {call.headers['webhook-signature']}"}
    assert verify(secret, call.headers | both, call.body) == call.message


@pytest.mark.skipif(not shutil.which("node"), reason="there is no Node on this machine")
def test_node_verifies_a_call_and_nothing_else(call, webhook, tmp_path):
    import json

    (tmp_path / "verify.mjs").write_text(block("verify.mjs"))
    (tmp_path / "run.mjs").write_text(
        """
        import { messageOf } from "./verify.mjs";
        const [secret, headers, ...bodies] = JSON.parse(process.argv[2]);
        console.log(JSON.stringify(bodies.map((body) => messageOf(secret, headers, body))));
        """
    )
    body = call.body.decode()
    given = json.dumps([secret_of(webhook), call.headers, body, body.replace("jane", "june")])
    ran = subprocess.run(
        ["node", tmp_path / "run.mjs", given], capture_output=True, text=True, check=True, timeout=30
    )
    assert json.loads(ran.stdout) == [call.message, None]


def test_the_shell_computes_what_the_page_says():
    code = re.search(r"```sh\n(SECRET=.*?)```", PAGE, re.DOTALL)[1]
    said = re.search(r"prints `([^`]+)`", PAGE)[1]
    ran = subprocess.run(["bash", "-eu"], input=code, capture_output=True, text=True, check=True, timeout=30)
    assert ran.stdout == said
    assert f"webhook-signature: v1,{said}" in PAGE
