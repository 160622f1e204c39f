"""Domains: who may, which can be somebody's own, and the code that shows it."""

from datetime import timedelta

import pytest
from django.db.models import F

from guestlist import errors
from guestlist.actions import domains
from guestlist.actions.openings import ask_by_domain, join_by_domain, knock, open_to
from guestlist.actors import Origin
from guestlist.addresses import parse_items
from guestlist.conf import Limit
from guestlist.links import domain_code, new_nonce
from guestlist.models import Delivery, Domain, Event, Invitation, JoinRequest, Organization
from guestlist.models.domain import Mode
from guestlist.public_mail_domains import is_public, is_public_suffix
from tests.conftest import actor_of, make_user

HERE = Origin("web", "192.0.2.1", "tests")
ANY_ID = "01890000-0000-7000-8000-000000000000"


def add(organization, user, domain="acme.test", email="postmaster@acme.test", **values):
    return domains.add_domain(
        actor=actor_of(user), organization=organization, domain=domain, email=email, **values
    )


def code_of(row):
    row = Domain.objects.get(pk=row.pk)
    return domain_code(row.nonce, row.pk)


def verify(organization, user, row, code=None):
    return domains.verify_domain(
        actor=actor_of(user), organization=organization, domain_id=row.pk, code=code or code_of(row)
    )


def verified(organization, domain="acme.test", mode="join"):
    """A domain of the organization that is verified already."""
    return Domain.objects.create(
        organization=organization,
        domain=domain,
        mode=mode,
        email=f"postmaster@{domain}",
        nonce=new_nonce(),
        code_expires_at=Organization.objects.lock(organization.pk).now + timedelta(hours=1),
        verified_at=Organization.objects.lock(organization.pk).now,
    )


def types(organization):
    events = Event.objects.filter(organization=organization).order_by("number")
    return [name for name in events.values_list("type", flat=True) if name.startswith("domain")]


def wrong(row):
    return f"{(int(code_of(row)) + 1) % 10**8:08d}"


def test_an_outsider_is_told_that_there_is_no_such_organization(organization, mallory, dora, beta):
    row = verified(organization)
    for user in (mallory, dora):
        with pytest.raises(errors.NotFound):
            add(organization, user)
        with pytest.raises(errors.NotFound):
            domains.remove_domain(actor=actor_of(user), organization=organization, domain_id=row.pk)


def test_a_member_without_the_permission_is_told_which(organization, charlie):
    with pytest.raises(errors.NotAllowed, match="Organization: Update"):
        add(organization, charlie)
    row = verified(organization)
    for action, more in (
        (domains.send_code, {}),
        (domains.verify_domain, {"code": "12345678"}),
        (domains.change_domain_mode, {"mode": "off"}),
        (domains.remove_domain, {}),
    ):
        with pytest.raises(errors.NotAllowed):
            action(actor=actor_of(charlie), organization=organization, domain_id=row.pk, **more)


def test_a_domain_of_another_organization_is_an_unknown_one(organization, alice, beta):
    row = verified(beta)
    for pk in (row.pk, ANY_ID):
        with pytest.raises(errors.NotFound):
            domains.change_domain_mode(
                actor=actor_of(alice), organization=organization, domain_id=pk, mode="off"
            )
        with pytest.raises(errors.NotFound):
            domains.remove_domain(actor=actor_of(alice), organization=organization, domain_id=pk)
    row.refresh_from_db()
    assert row.mode == "join"


PUBLIC = """
    gmail.com GMail.com mail.gmail.com yahoo.co.uk hotmail.fr gmx.net web.de qq.com co.uk com.au github.io
    yandex.ru yopmail.com ya.ru alice.it docomo.ne.jp post.cz riseup.net eu.org
"""


@pytest.mark.parametrize("domain", PUBLIC.split())
def test_a_domain_at_which_anybody_can_be_is_refused(organization, alice, domain):
    with pytest.raises(errors.PublicDomain):
        add(organization, alice, domain, f"postmaster@{domain}")


@pytest.mark.parametrize(
    "domain", ["acme.com", "acme.co.uk", "mail.acme.com", "yahoo.acme.com", "id.me", "acme.onmicrosoft.com"]
)
def test_a_domain_of_ones_own_is_not_public(domain):
    assert not is_public(domain)
    assert not is_public_suffix(domain)


@pytest.mark.parametrize("domain", ["", "acme", "*.acme.test", "acme test", "127.0.0.1", "a@b.test"])
def test_what_is_no_domain_is_refused(organization, alice, domain):
    with pytest.raises((errors.DomainInvalid, errors.PublicDomain)):
        add(organization, alice, domain, "postmaster@acme.test")


@pytest.mark.parametrize("email", ["jane@sub.acme.test", "jane@acme.test.evil.test", "jane@evil.test"])
def test_the_code_goes_to_the_domain_itself(organization, alice, email):
    with pytest.raises(errors.AddressElsewhere):
        add(organization, alice, email=email)
    with pytest.raises(errors.AddressInvalid):
        add(organization, alice, email="jane@acme.test, eve@evil.test")
    assert not Domain.objects.exists()


def test_a_domain_is_kept_as_its_a_label(organization, alice):
    row = add(organization, alice, "@Bücher.Test", "info@bücher.test")
    assert (row.domain, row.email) == ("xn--bcher-kva.test", "info@xn--bcher-kva.test")


def test_adding_owes_a_mail_that_stores_no_code(organization, alice):
    row = add(organization, alice)
    mail = Delivery.objects.get()
    assert (mail.kind, mail.recipient, mail.state) == ("domain_code", "postmaster@acme.test", "queued")
    code = code_of(row)
    assert code not in str(mail.__dict__)
    assert code not in str(Domain.objects.values().get())
    assert code not in str(list(Event.objects.values()))
    assert (len(code), code.isdigit()) == (8, True)


def test_a_domain_is_added_once(organization, alice, beta, dora):
    add(organization, alice)
    with pytest.raises(errors.DomainListed):
        add(organization, alice, "ACME.test", "jane@acme.test")
    verify(beta, dora, add(beta, dora, email="jane@acme.test"))  # another organization may have it too


def test_there_is_room_for_so_many(organization, alice, monkeypatch):
    monkeypatch.setattr(domains, "MOST_DOMAINS", 1)
    add(organization, alice)
    with pytest.raises(errors.TooManyDomains):
        add(organization, alice, "other.test", "a@other.test")


def test_the_code_verifies_and_lets_people_ask(organization, alice):
    row = add(organization, alice)
    code = code_of(row)
    row = verify(organization, alice, row, f" {code[:4]}-{code[4:]} ")
    assert (row.verified_at is not None, row.mode) == (True, Mode.REQUEST)
    assert types(organization) == ["domain.added", "domain.verified"]
    with pytest.raises(errors.DomainVerified):
        verify(organization, alice, row)
    with pytest.raises(errors.DomainVerified):
        domains.send_code(actor=actor_of(alice), organization=organization, domain_id=row.pk)


def test_tries_are_counted_and_a_new_code_starts_anew(organization, alice):
    row = add(organization, alice)
    for _ in range(domains.MOST_TRIES):
        with pytest.raises(errors.CodeWrong):
            verify(organization, alice, row, wrong(row))
    with pytest.raises(errors.CodeTriesOver):
        verify(organization, alice, row)  # the right one comes too late
    old = code_of(row)
    Delivery.objects.update(created_at=F("created_at") - timedelta(minutes=2))
    domains.send_code(actor=actor_of(alice), organization=organization, domain_id=row.pk)
    with pytest.raises(errors.CodeWrong):
        verify(organization, alice, row, old)
    assert verify(organization, alice, row).verified_at


@pytest.mark.parametrize("code", ["", "1", "\ud800", "１２３４５６７８", "0" * 10_000])
def test_nonsense_is_no_code(organization, alice, code):
    row = add(organization, alice)
    with pytest.raises(errors.CodeWrong):
        domains.verify_domain(actor=actor_of(alice), organization=organization, domain_id=row.pk, code=code)


def test_a_code_holds_for_an_hour_by_the_databases_clock(organization, alice):
    row = add(organization, alice)
    Domain.objects.update(code_expires_at=F("code_expires_at") - timedelta(hours=1, seconds=1))
    with pytest.raises(errors.CodeExpired):
        verify(organization, alice, row)


def test_codes_to_one_address_are_limited_whoever_asks(organization, alice, beta, dora):
    row = add(organization, alice)
    with pytest.raises(errors.TooManyCodes):
        domains.send_code(actor=actor_of(alice), organization=organization, domain_id=row.pk)
    domains.remove_domain(actor=actor_of(alice), organization=organization, domain_id=row.pk)
    for who, where in ((alice, organization), (dora, beta)):
        with pytest.raises(errors.TooManyCodes) as refused:
            add(where, who)
        assert 0 < refused.value.values["retry_after"] <= 60
    assert not Domain.objects.exists()


def test_so_many_codes_a_day(organization, alice):
    row = add(organization, alice)
    for _ in range(9):
        Delivery.objects.update(created_at=F("created_at") - timedelta(minutes=2))
        domains.send_code(actor=actor_of(alice), organization=organization, domain_id=row.pk)
    Delivery.objects.update(created_at=F("created_at") - timedelta(minutes=2))
    with pytest.raises(errors.TooManyCodes):
        domains.send_code(actor=actor_of(alice), organization=organization, domain_id=row.pk)
    assert Delivery.objects.owed().count() == 1


def test_an_organization_cannot_have_codes_mailed_to_one_address_after_another(
    organization, alice, monkeypatch
):
    monkeypatch.setattr(domains, "OWN_CODE_LIMIT", Limit(3, timedelta(days=1)))
    for number in range(3):
        row = add(organization, alice, email=f"stranger{number}@acme.test")
        domains.remove_domain(actor=actor_of(alice), organization=organization, domain_id=row.pk)
    with pytest.raises(errors.TooManyCodes) as refused:
        add(organization, alice, "other.test", "stranger@other.test")
    assert refused.value.values["retry_after"] > 0
    assert Delivery.objects.count() == 3
    assert not Domain.objects.exists()


def test_an_address_that_wants_no_mail_gets_no_code(organization, alice):
    from guestlist.models import Suppression

    Suppression.objects.create(key="postmaster@acme.test")
    with pytest.raises(errors.Suppressed):
        add(organization, alice)
    assert not Domain.objects.exists()


def test_a_domain_that_is_not_verified_opens_nothing(organization, alice):
    row = add(organization, alice, mode="join")
    jane = make_user("jane@acme.test", "Jane Doe")
    assert open_to(actor=actor_of(jane)) == []
    with pytest.raises(errors.NotFound):
        join_by_domain(actor=actor_of(jane), domain_id=row.pk)
    knock(address=parse_items(["jim@acme.test"]).addresses[0], origin=HERE)
    assert not Invitation.objects.exists()
    with pytest.raises(errors.DomainUnverified):
        domains.change_domain_mode(
            actor=actor_of(alice), organization=organization, domain_id=row.pk, mode="join"
        )


def test_what_people_may_do_is_in_the_audit_log(organization, alice):
    row = verified(organization, mode="request")
    for mode in ("join", "join", "off"):
        domains.change_domain_mode(
            actor=actor_of(alice), organization=organization, domain_id=row.pk, mode=mode
        )
    changes = Event.objects.filter(type="domain.updated").order_by("number").values_list("changes", flat=True)
    assert list(changes) == [{"mode": ["request", "join"]}, {"mode": ["join", "off"]}]
    with pytest.raises(errors.ModeUnknown):
        domains.change_domain_mode(
            actor=actor_of(alice), organization=organization, domain_id=row.pk, mode="owner"
        )


@pytest.mark.parametrize("end", ["remove", "request"])
def test_invitations_that_people_sent_themselves_end_with_joining_at_once(organization, alice, end):
    row = verified(organization)
    knock(address=parse_items(["jane@acme.test"]).addresses[0], origin=HERE)
    assert Invitation.objects.pending().count() == 1
    actor = actor_of(alice)
    if end == "remove":
        domains.remove_domain(actor=actor, organization=organization, domain_id=row.pk)
    else:
        domains.change_domain_mode(actor=actor, organization=organization, domain_id=row.pk, mode=end)
    assert Invitation.objects.get().status == "revoked"
    assert Delivery.objects.get(kind="invitation").state == "canceled"


def test_removing_a_domain_dismisses_requests_and_keeps_members(organization, alice):
    row = verified(organization, mode="request")
    ask_by_domain(actor=actor_of(make_user("jane@acme.test", "Jane Doe")), domain_id=row.pk)
    Domain.objects.update(mode="join")
    member = join_by_domain(actor=actor_of(make_user("jim@acme.test", "Jim Doe")), domain_id=row.pk)
    domains.remove_domain(actor=actor_of(alice), organization=organization, domain_id=row.pk)
    assert JoinRequest.objects.get().state == "dismissed"
    member.refresh_from_db()
    assert member.state == "active"
    assert types(organization)[-1] == "domain.removed"


def test_removing_a_domain_keeps_back_its_code(organization, alice):
    row = add(organization, alice)
    domains.remove_domain(actor=actor_of(alice), organization=organization, domain_id=row.pk)
    assert Delivery.objects.get().state == "canceled"
