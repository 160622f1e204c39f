"""What a process loads stays in its memory; the one that sends mail draws no page."""

from tests.server.stores import run_script

WORKER = """
import json, sys
from django.conf import settings
from guestlist_server import commands
from guestlist.delivery import worker
from guestlist.conf import conf
conf()
print(json.dumps({"loaded": sorted({name.partition(".")[0] for name in sys.modules})}))
"""
OF_PAGES = {"fido2", "requests", "markdown_it", "prometheus_client", "granian"}


def test_a_worker_loads_nothing_of_pages(environ):
    loaded = run_script(WORKER, environ)["loaded"]
    assert OF_PAGES.isdisjoint(loaded)
