"""Addresses of webhooks: what is refused before anybody is asked where it leads."""

import pytest

from guestlist import errors
from guestlist.webhook_targets import check_address, clean_url, target_of

LOOPBACK = {"WEBHOOK_NETWORKS": ["127.0.0.0/8", "::1/128"]}

# Every one leads to this machine, its network or nowhere, for one program or another.
FORBIDDEN = [
    "https://127.0.0.1/",
    "https://127.1/",
    "https://127.0.1/",
    "https://0x7f000001/",
    "https://0X7F000001/",
    "https://0x7f.0.0.1/",
    "https://0x7F.0x0.0x0.0x1/",
    "https://2130706433/",
    "https://017700000001/",
    "https://0177.0.0.1/",
    "https://127.0.0.1./",
    "https://127.0.0.1../",
    "https://0/",
    "https://0.0.0.0/",
    "https://00000/",
    "https://[::]/",
    "https://[::1]/",
    "https://[0:0:0:0:0:0:0:1]/",
    "https://[0000::0001]:8443/",
    "https://[::127.0.0.1]/",
    "https://[::ffff:127.0.0.1]/",
    "https://[::FFFF:7F00:1]/",
    "https://[::ffff:0:127.0.0.1]/",
    "https://[64:ff9b::7f00:1]/",
    "https://[64:ff9b::169.254.169.254]/",
    "https://[64:ff9b:1::7f00:1]/",
    "https://[2002:7f00:1::]/",
    "https://[2001:0:4136:e378:8000:63bf:80ff:fffe]/",
    "https://[2001:db8::1]/",
    "https://[fe80::1]/",
    "https://[fe80::1%25eth0]/",
    "https://[fe80::1%eth0]/",
    "https://[fec0::1]/",
    "https://[fc00::1]/",
    "https://[fd12:3456::1]/",
    "https://[ff02::1]/",
    "https://169.254.169.254/latest/meta-data/",
    "https://10.0.0.1/",
    "https://172.16.0.1/",
    "https://172.31.255.255/",
    "https://192.168.1.1/",
    "https://100.64.0.1/",
    "https://192.0.0.8/",
    "https://192.0.2.1/",
    "https://198.18.0.1/",
    "https://203.0.113.7/",
    "https://224.0.0.1/",
    "https://240.0.0.1/",
    "https://255.255.255.255/",
    "https://localhost/",
    "https://localhost./",
    "https://LOCALHOST/",
    "https://foo.localhost/",
    "https://foo.LocalHost.:8443/",
    "https://１２７.０.０.１/",  # full-width digits
    "https://127。0。0。1/",  # full-width dots
    "https://①②⑦.⓪.⓪.①/",  # digits in circles
    "https://ｌｏｃａｌｈｏｓｔ/",
    "https://loc\u00adalhost/",  # a soft hyphen
    "https://%31%32%37.0.0.1/",
    "https://127.0.0.1%2f.example.com/",
    "https://127%2e0%2e0%2e1/",
    "https://localhost%00.example.com/",
    "https://example.com@127.0.0.1/",
    "https://127.0.0.1:443@example.com/",
    "https://user:secret@example.com/",
    "https://@example.com/",
    "https://127.0.0.1\\@example.com/",
    "https://example.com\\.127.0.0.1/",
    "https:\\\\127.0.0.1\\",
    "https:/127.0.0.1/",
    "https:127.0.0.1/",
    "https:///127.0.0.1/",
    "//127.0.0.1/",
    "https://127.0.0.1#.example.com/",
    "https://127.0.0.1?.example.com/",
    "https://127.0.0.1 .example.com/",
    "https://127.0.0.1\t.example.com/",
    "https://127.0.0.1\n.example.com/",
    "https://[127.0.0.1]/",
    "https://[::1/",
    "https://::1/",
]


@pytest.mark.parametrize("url", FORBIDDEN)
def test_a_forbidden_address_is_refused_however_it_is_written(settings, url):
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": []}
    with pytest.raises((errors.WebhookTargetForbidden, errors.WebhookUrlInvalid)) as refused:
        clean_url(url)
    assert refused.value.status == 422
    assert refused.value.field == "url"


@pytest.mark.parametrize(
    "url",
    [
        "",
        "example.com/hooks",
        "ftp://example.com/",
        "javascript:alert(1)",
        "https://",
        "https://example.com:0/",
        "https://example.com:65536/",
        "https://example.com:https/",
        "https://example.com:４４３/",
        "https://example.com:/",
        "https://example.com/#part",
        "https://example.com/ü",
        "https://example.com/a b",
        "https://-example.com/",
        "https://exa..mple.com/",
        "https://" + "a" * 64 + ".com/",
        "https://" + "a." * 130 + "com/",
        "https://example.com/" + "a" * 2_000,
        "https://xn--a.com\u0000/",
        "https://134744072/",  # 8.8.8.8, in a way of writing of which programs make different things
    ],
)
def test_what_is_no_address_of_a_webhook_is_refused(settings, url):
    settings.GUESTLIST = settings.GUESTLIST | LOOPBACK
    with pytest.raises(errors.WebhookUrlInvalid):
        clean_url(url)


@pytest.mark.parametrize(
    ("url", "cleaned"),
    [
        ("https://example.com", "https://example.com/"),
        ("  HTTPS://Example.COM.:443/Hooks?a=B ", "https://example.com/Hooks?a=B"),
        ("https://example.com:8443/hooks", "https://example.com:8443/hooks"),
        ("https://example.com?x=1", "https://example.com/?x=1"),
        ("https://straße.example/", "https://xn--strae-oqa.example/"),
        ("https://my_receiver.internal/", "https://my_receiver.internal/"),
        ("https://8.8.8.8/", "https://8.8.8.8/"),
        ("https://[2606:4700:0:0::1111]/", "https://[2606:4700::1111]/"),
    ],
)
def test_an_address_is_stored_in_one_form(settings, url, cleaned):
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": []}
    assert clean_url(url) == cleaned
    assert clean_url(cleaned) == cleaned


def test_without_tls_only_networks_of_the_settings_are_called(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": []}
    with pytest.raises(errors.WebhookUrlInsecure):
        clean_url("http://example.com/")
    settings.GUESTLIST = settings.GUESTLIST | LOOPBACK
    assert clean_url("http://127.0.0.1:9000/") == "http://127.0.0.1:9000/"
    assert clean_url("http://localhost:9000/") == "http://localhost:9000/"
    assert clean_url("http://[::1]/") == "http://[::1]/"
    # Of a name nobody knows yet where it leads.
    assert clean_url("http://receiver.internal/") == "http://receiver.internal/"
    for url in ("http://8.8.8.8/", "http://[2606:4700::1111]/"):
        with pytest.raises(errors.WebhookUrlInsecure):
            clean_url(url)
    with pytest.raises(errors.WebhookTargetForbidden):
        clean_url("http://10.0.0.1/")


def test_settings_allow_addresses_of_a_network_in_their_own_form_only(settings):
    settings.GUESTLIST = settings.GUESTLIST | {"WEBHOOK_NETWORKS": ["10.1.0.0/16", "fd00::/8"]}
    for address in ("10.1.2.3", "fd12::1"):
        check_address(address, scheme="http")
    for address in ("10.2.0.1", "::ffff:10.1.2.3", "64:ff9b::10.1.2.3", "fd12::1%eth0", "127.0.0.1", "x"):
        with pytest.raises(errors.WebhookTargetForbidden):
            check_address(address, scheme="https")


def test_the_parts_of_an_address():
    target = target_of("https://[2606:4700::1111]:8443?a=b")
    assert (target.scheme, target.host, target.port, target.path) == (
        *("https", "2606:4700::1111", 8443),
        "/?a=b",
    )
    assert target.authority == "[2606:4700::1111]:8443"
