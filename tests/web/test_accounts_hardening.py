"""What an attack on accounts found: spellings of addresses, claims to them, what a squatter is left with."""

import re

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator as Key
from allauth.socialaccount.models import SocialAccount
from django.core import mail
from django.core.cache import cache
from django.test import Client

from guestlist.models import Membership
from guestlist_server.accounts.adapter import AccountAdapter
from guestlist_server.accounts.models import User
from guestlist_server.accounts.sign_up import create_verified_user, take_from_squatters
from tests.conftest import PASSWORD, join
from tests.web.authenticator import Authenticator
from tests.web.test_accounts_codes import CODE, EMAIL, claim, hand_over, invitation_to, link_to, mailed_code
from tests.web.test_accounts_pages import prove
from tests.web.test_accounts_providers import VERA, come_back
from tests.web.test_accounts_sign_up import BEGIN, options_of

# Each has made allauth, IDNA or a database fail; none is an address.
NO_ADDRESSES = [
    "a@xn--ü.test",
    "a@\u200d.test",
    "a@" + "ü" * 70 + ".test",
    "a@ü" + ".ü" * 100,
    "a" * 250 + "@x.test",
    "a@" + ".".join(["b" * 60] * 5) + ".test",
    "a\x00@x.test",
    "a@x",
]


@pytest.fixture
def client(mallory, as_user):
    """Mallory, who has just proved who she is."""
    client = as_user(mallory)
    prove(client)
    return client


@pytest.fixture
def open_sign_up(settings):
    settings.GUESTLIST_SIGNUP = "open"


def limits(settings):
    del settings.ACCOUNT_RATE_LIMITS
    settings.ACCOUNT_RATE_LIMITS = {"confirm_email": "1/10s/key,10/h/key"}
    cache.clear()


@pytest.mark.parametrize("text", NO_ADDRESSES, ids=ascii)
def test_what_is_no_address_is_refused_everywhere(client, text, open_sign_up):
    forms = {
        EMAIL: {"email": text, "action_add": ""},
        "/accounts/signup/": {"name": "X", "email": text, "password1": PASSWORD},
        "/accounts/login/": {"login": text, "password": PASSWORD},
        "/accounts/password/reset/": {"email": text},
    }
    for path, form in forms.items():
        browser = client if path == EMAIL else Client()
        assert browser.post(path, form).status_code == 200, path
    for action in ("action_send", "action_primary", "action_remove"):
        assert client.post(EMAIL, {"email": text, action: "", "confirmed": "1"}).status_code == 302
    assert not mail.outbox
    assert EmailAddress.objects.count() == 1


@pytest.mark.parametrize("typed", ["Vera@FAß.example", "vera@xn--fa-hia.example", "vera@Fa\u00adß.example."])
def test_an_address_is_stored_and_mailed_in_one_spelling(client, typed):
    client.post(EMAIL, {"email": typed, "action_add": ""})
    if not mail.outbox:  # what the browser's own rule refuses may be refused
        assert typed.endswith(".")
        return
    assert mail.outbox[-1].to == ["vera@xn--fa-hia.example"]
    client.post(CODE, {"code": mailed_code()})
    assert EmailAddress.objects.filter(email="vera@xn--fa-hia.example", verified=True).exists()


def test_a_mailbox_at_one_domain_opens_no_invitation_to_another(organization, alice, client, mallory):
    """IDNA2003 mails faß.example to fass.example; an invitation to it is one to xn--fa-hia.example."""
    claim(mallory, "vera@fass.example", verified=True)
    invitation = invitation_to(organization, alice, "vera@faß.example")
    assert client.post(link_to(invitation)).status_code == 403
    client.post(EMAIL, {"email": "vera@faß.example", "action_add": ""})
    assert "fass" not in str(mail.outbox[-1].message()["To"])


@pytest.mark.parametrize(
    "typed", ["vera@bücher.example", "VERA@BÜCHER.example", "vera@xn--bcher-kva.example"]
)
def test_any_spelling_signs_in_and_resets_the_password(db, typed):
    create_verified_user("vera@bücher.example", "Vera Vance", PASSWORD)
    form = {"login": typed, "password": PASSWORD}
    assert Client().post("/accounts/login/", form)["Location"] == "/"
    Client().post("/accounts/password/reset/", {"email": typed})
    assert [message.to for message in mail.outbox] == [["vera@xn--bcher-kva.example"]]


def test_another_spelling_makes_no_second_account(db, open_sign_up):
    create_verified_user("vera@bücher.example", "Vera Vance", PASSWORD)
    form = {"name": "X", "email": "vera@BÜCHER.example", "password1": PASSWORD}
    Client().post("/accounts/signup/", form)
    assert User.objects.count() == 1


def test_a_providers_address_is_stored_in_the_same_spelling(db, client, open_sign_up):
    browser = Client()
    come_back(browser, VERA | {"email": "Vera@Bücher.example"})
    address = EmailAddress.objects.get(user__name="Vera Vance")
    assert (address.email, address.user.email) == ("vera@xn--bcher-kva.example",) * 2
    other = Client()
    come_back(other, VERA | {"id": "8", "email": "vera@BÜCHER.example"})
    assert User.objects.filter(email__contains="bcher").count() == 1


def test_spellings_share_their_limit(client, settings):
    limits(settings)
    first = client.post(EMAIL, {"email": "victim@acme.test", "action_add": ""})
    assert first["Location"] == CODE
    for typed in ("victim@\uff41cme.test", "VICTIM@acme.test", "victim@ac\u00adme.test"):
        assert client.post(EMAIL, {"email": typed, "action_add": ""}).status_code == 429
    assert len(mail.outbox) == 1


def test_an_unverified_address_does_not_become_primary(client, mallory, organization):
    join(organization, mallory, None)
    claim(mallory, "ceo@acme.test")
    page = client.post(EMAIL, {"email": "ceo@acme.test", "action_primary": ""}, follow=True)
    assert "Confirm the address before you make it primary." in page.content.decode()
    mallory.refresh_from_db()
    assert mallory.email == "mallory@evil.test"


def test_nor_does_it_where_none_is_verified(organization, alice):
    browser = Client()
    browser.post(
        hand_over(invitation_to(organization, alice, "mal@evil.test")), {"name": "Mal", "password": PASSWORD}
    )
    prove(browser)
    user = User.objects.get(email="mal@evil.test")
    claim(user, "ceo@acme.test")
    browser.post(EMAIL, {"email": "CEO@acme.test", "action_primary": ""})
    assert Membership.objects.get(user=user).email == "mal@evil.test"
    assert User.objects.get(pk=user.pk).email == "mal@evil.test"


def test_the_only_address_of_an_account_may_be_its_primary_one(db, as_user):
    user = User.objects.create_user(None, PASSWORD, name="Vera")
    claim(user, "vera@acme.test")
    browser = as_user(user)
    prove(browser)
    browser.post(EMAIL, {"email": "vera@acme.test", "action_primary": ""})
    assert User.objects.get(pk=user.pk).email == "vera@acme.test"


def test_a_verified_address_becomes_primary_though_somebody_claims_it(client, mallory):
    claim(mallory, "new@evil.test", verified=True)
    squatter = User.objects.create_user("new@evil.test", PASSWORD, name="Squatter")
    claim(squatter, "new@evil.test", primary=True)
    client.post(EMAIL, {"email": "new@evil.test", "action_primary": ""})
    mallory.refresh_from_db()
    assert mallory.email == "new@evil.test"
    squatter.refresh_from_db()
    assert squatter.email is None


def test_a_claim_to_somebodys_primary_address_is_no_error(alice, db, as_user):
    user = User.objects.create_user(None, PASSWORD, name="Vera")
    claim(user, alice.email)
    browser = as_user(user)
    prove(browser)
    assert browser.post(EMAIL, {"email": alice.email, "action_primary": ""}).status_code == 302
    assert User.objects.get(pk=user.pk).email is None


def test_who_loses_the_only_address_loses_every_way_in(organization, alice):
    key, squatter = Authenticator(), Client()
    link = hand_over(invitation_to(organization, alice, "vera@acme.test"))
    squatter.post(link, {"credential": key.create(options_of(squatter.post(link, BEGIN)))})
    user = User.objects.get(email="vera@acme.test")
    SocialAccount.objects.create(user=user, provider="dummy", uid="1")
    assert squatter.get("/accounts/profile/").status_code == 200

    create_verified_user("vera@acme.test", "Vera Vance", PASSWORD)
    assert not Key.objects.filter(user=user).exists()
    assert not SocialAccount.objects.filter(user=user).exists()
    assert squatter.get("/accounts/profile/").status_code == 302
    again = Client()
    asked = again.get("/accounts/2fa/webauthn/login/", headers={"Accept": "application/json"}).json()
    again.post("/accounts/2fa/webauthn/login/", {"credential": key.get(asked["request_options"])})
    assert "_auth_user_id" not in again.session


def test_who_has_another_address_keeps_the_ways_in(organization, mallory):
    join(organization, mallory, None)
    EmailAddress.objects.filter(user=mallory).update(primary=False)
    claim(mallory, "vera@acme.test", primary=True)
    User.objects.filter(pk=mallory.pk).update(email="vera@acme.test")
    Key.objects.create(user=mallory, type=Key.Type.TOTP, data={})
    take_from_squatters("vera@acme.test")
    assert Key.objects.filter(user=mallory).exists()
    assert User.objects.get(pk=mallory.pk).has_usable_password()
    member = Membership.objects.get(user=mallory)
    assert (member.email, member.email_verified) == ("mallory@evil.test", True)


def reset_password(email):
    """What the reader of a mailbox does."""
    reader = Client()
    reader.post("/accounts/password/reset/", {"email": email})
    path = re.search(r"(/accounts/password/reset/key/\S+)", mail.outbox[-1].body)[1]
    form = {"password1": "another horse battery", "password2": "another horse battery"}
    reader.post(reader.get(path)["Location"], form)


def test_a_password_set_by_mail_ends_the_passkeys_of_whoever_squatted(organization, alice):
    key, squatter = Authenticator(), Client()
    link = hand_over(invitation_to(organization, alice, "vera@acme.test"))
    squatter.post(link, {"credential": key.create(options_of(squatter.post(link, BEGIN)))})
    reset_password("vera@acme.test")
    assert not Key.objects.exists()
    assert squatter.get("/accounts/profile/").status_code == 302
    vera = Client()
    answer = vera.post("/accounts/login/", {"login": "vera@acme.test", "password": "another horse battery"})
    assert answer["Location"] == CODE
    vera.post(CODE, {"code": mailed_code()})
    assert vera.get("/accounts/profile/").status_code == 200


def test_a_password_set_by_mail_leaves_the_passkeys_of_a_confirmed_account(mallory):
    Key.objects.create(user=mallory, type=Key.Type.TOTP, data={})
    reset_password(mallory.email)
    assert Key.objects.filter(user=mallory).exists()


@pytest.mark.parametrize("account", ["²", "٣", "9" * 30, "9" * 5000, "-1", "1\x00", "", " 1"])
def test_disconnecting_what_is_no_account_is_no_error(client, mallory, account):
    SocialAccount.objects.create(user=mallory, provider="dummy", uid="1")
    assert client.post("/accounts/3rdparty/", {"account": account}).status_code in (200, 302)
    assert SocialAccount.objects.exists()


def test_addresses_have_one_spelling():
    assert AccountAdapter().clean_email("Vera@BÜCHER.example") == "vera@xn--bcher-kva.example"
