"""A message that is filled in says, to the byte of its text, what a message drawn by itself says."""

import email
import email.policy
from datetime import timedelta

import pytest
from django.utils import timezone

from guestlist.actors import Actor
from guestlist.delivery import rendering
from guestlist.delivery.emails import message_of
from guestlist.delivery.rendering import Renderer
from guestlist.models import Delivery, Invitation, Organization

pytestmark = pytest.mark.django_db
OWN = ("Date", "Content-Type")


def parsed(content):
    return email.message_from_bytes(content, policy=email.policy.default)


def deliveries():
    return list(Delivery.objects.select_related("invitation", "organization").order_by("pk"))


def assert_same(renderer, delivery):
    content = renderer.bytes_of(delivery)
    filled, drawn = parsed(content), parsed(message_of(delivery).message().as_bytes(linesep="\r\n"))
    for name in set(filled.keys()) | set(drawn.keys()):
        if name not in OWN:
            assert [str(v) for v in filled.get_all(name)] == [str(v) for v in drawn.get_all(name)], name
    for kind in ("plain", "html"):
        texts = [m.get_body((kind,)).get_content() for m in (filled, drawn)]
        assert texts[0].rstrip() == texts[1].rstrip()
    assert content.isascii()
    assert content.count(b"\n") == content.count(b"\r\n")
    body = content.partition(b"\r\n\r\n")[2]
    assert max(map(len, body.split(b"\r\n"))) <= 76


def count_drawn(monkeypatch):
    drawn, real = [], rendering.draw
    monkeypatch.setattr(rendering, "draw", lambda draft: drawn.append(draft) or real(draft))
    return drawn


ADDRESSES = [
    "jane@acme.test",
    "o'brien&sons@acme.test",
    "a=b=c==d=e@acme.test",
    f"{'x' * 64}@{'y' * 60}.{'z' * 60}.test",
    "Mixed.Case+tag@xn--strae-oqa.test",
]


def test_a_filled_message_is_the_drawn_one(invite):
    invite(*ADDRESSES)
    renderer = Renderer()
    for delivery in deliveries():
        assert_same(renderer, delivery)


def test_messages_of_one_send_are_drawn_once(invite, monkeypatch):
    invite(*(f"p{n}@acme.test" for n in range(40)))
    drawn, renderer = count_drawn(monkeypatch), Renderer()
    for delivery in deliveries():
        renderer.bytes_of(delivery)
    assert len(drawn) == 2  # with blanks, and one whole to compare with


@pytest.mark.parametrize(
    ("of", "values"),
    [
        (Organization, {"name": "Åäö & Söhne <b>"}),
        (Organization, {"slug": "other-slug"}),
        (Organization, {"accent": "#ff8800"}),
        (Organization, {"language": "ar"}),
        (Invitation, {"language": "de"}),
        (Invitation, {"invited_by_name": "Zoë Ünal"}),
        (Invitation, {"invited_by_email": "zoe@acme.test"}),
        (Invitation, {"invited_by_type": "operator"}),
        (Invitation, {"expires_at": timezone.now() + timedelta(days=20)}),
        (Delivery, {"kind": "reminder"}),
    ],
)
def test_whatever_changes_the_text_is_drawn_anew(invite, of, values):
    invite("jane@acme.test")
    renderer = Renderer()
    assert_same(renderer, deliveries()[0])
    of.objects.update(**values)
    assert_same(renderer, deliveries()[0])


@pytest.mark.parametrize("name", ["QxlinkxQ", "QxemailxQ Qxdecline_linkxQ", "Qx"])
def test_a_name_that_looks_like_a_blank_stays_a_name(invite, name):
    Organization.objects.update(name=name)
    invite("jane@acme.test")
    Organization.objects.update(name=name)
    renderer = Renderer()
    assert_same(renderer, deliveries()[0])
    assert name in parsed(renderer.bytes_of(deliveries()[0]))["Subject"]


@pytest.mark.parametrize(
    "text",
    [
        "{{ email|upper }} {{ link }}",
        "{% if email == 'jane@acme.test' %}Hello Jane{% else %}Hello{% endif %} {{ link }}",
        "{% if 'jane' in email %}Hello Jane{% endif %} {{ link }}",
        "{{ email[0] }} {{ link }}",
        "{{ email.split('@')[0] }} {{ link }}",
    ],
)
def test_a_template_that_computes_with_the_address_is_drawn_each_time(invite, tmp_path, settings, text):
    (tmp_path / "guestlist/email").mkdir(parents=True)
    (tmp_path / "guestlist/email/invitation.txt").write_text(text)
    settings.TEMPLATES = [settings.TEMPLATES[0] | {"DIRS": [tmp_path, *settings.TEMPLATES[0]["DIRS"]]}]
    invite("jane@acme.test", "bill@acme.test")
    renderer = Renderer()
    for delivery in deliveries():
        assert_same(renderer, delivery)


def test_the_last_forms_are_kept_and_no_more(invite):
    invite(*(f"p{n}@acme.test" for n in range(rendering.FORMS + 5)), actor=Actor.operator())
    renderer = Renderer()
    for number, delivery in enumerate(deliveries()):
        delivery.invitation.invited_by_type, delivery.invitation.invited_by_email = (
            "user",
            f"p{number}@a.test",
        )
        renderer.bytes_of(delivery)
    assert len(renderer.forms) == rendering.FORMS


def test_a_header_cannot_be_broken_into_two(invite):
    invite("jane@acme.test")
    delivery, renderer = deliveries()[0], Renderer()
    renderer.bytes_of(delivery)
    delivery.message_id = "<a@b>\r\nBcc: everybody@acme.test"
    with pytest.raises(ValueError, match="another line"):
        renderer.bytes_of(delivery)
