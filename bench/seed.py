"""Fills the database of `DATABASE_URL`. `seed.py key` makes an organization and prints an API key of it,
`seed.py invite PREFIX NUMBER` sends that many invitations at once, `seed.py message FILE` writes one of the
messages to a file, `seed.py state` prints what became of all.
"""

# ruff: noqa: T201

import os
import sys
from collections import Counter
from pathlib import Path

import django

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "guestlist_server.settings")
django.setup()

from django.db import transaction  # noqa: E402

from guestlist.actions.api_keys import create_api_key  # noqa: E402
from guestlist.actions.invitations import send_invitations  # noqa: E402
from guestlist.actions.organizations import create_organization  # noqa: E402
from guestlist.actors import Actor  # noqa: E402
from guestlist.addresses import parse_items  # noqa: E402
from guestlist.delivery.rendering import Renderer  # noqa: E402
from guestlist.models import Delivery, Organization  # noqa: E402
from guestlist_server.accounts.models import User  # noqa: E402

OPERATOR = Actor.operator()


def key():
    owner = User.objects.create_user("owner@northwind.test", "correct horse battery", name="Olivia Owner")
    organization = create_organization(actor=OPERATOR, name="Northwind", slug="northwind", owner=owner)
    made = create_api_key(
        actor=OPERATOR, organization=organization, name="Bench", permissions=("member.manage",)
    )
    print(made.secret)


def invite(prefix, number):
    parsed = parse_items([f"{prefix}{n}@acme.test" for n in range(int(number))])
    organization = Organization.objects.get(slug="northwind")
    print(send_invitations(actor=OPERATOR, organization=organization, parsed=parsed).sent)


def message(file):
    with transaction.atomic():
        invite("sample", 1)
        Path(file).write_bytes(Renderer().bytes_of(Delivery.objects.get(key="sample0@acme.test")))
        transaction.set_rollback(True)


def state():
    print(dict(Counter(Delivery.objects.values_list("state", flat=True))))


if __name__ == "__main__":
    {"key": key, "invite": invite, "message": message, "state": state}[sys.argv[1]](*sys.argv[2:])
