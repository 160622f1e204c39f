"""The default answer to which addresses a user owns, for projects that give none."""

from guestlist.user_addresses import owners, verified_addresses
from guestlist_server.accounts.models import User


def test_the_address_of_an_active_user_counts_whatever_its_case(db):
    jane = User.objects.create_user("Jane@Acme.test", name="Jane")
    gone = User.objects.create_user("gone@acme.test", name="Gone", is_active=False)
    assert owners(["jane@acme.test", "gone@acme.test", "other@acme.test"]) == {"jane@acme.test": jane.pk}
    assert verified_addresses(jane) == ["Jane@Acme.test"]
    assert verified_addresses(gone) == []
