"""One member in detail, and the transfer of ownership, through the door."""

import pytest

from guestlist.actions.acceptance import accept_invitation, find_invitation
from guestlist.actions.members import change_role, leave_organization, transfer_ownership
from guestlist.actors import Actor
from guestlist.errors import OwnersOnly
from guestlist.links import invitation_token
from guestlist.models import Domain, Event, Invitation, JoinLink, Membership, Role
from tests.actions.test_send_invitations import send
from tests.conftest import actor_of, join, make_user
from tests.web.test_invitations_page import ANY_ID, HTMX, text_of

URL = "/o/northwind/admin/members"


def member(user):
    return Membership.objects.get(user=user, state="active")


def role_id(organization, name):
    return str(Role.objects.get(organization=organization, name=name).pk)


@pytest.mark.parametrize("path", ["", "/transfer"])
def test_who_may_not(organization, alice, charlie, mallory, client, as_user, path):
    url = f"{URL}/{member(alice).pk}{path}"
    assert client.get(url).status_code == 302
    assert as_user(mallory).get(url).status_code == 404
    response = as_user(charlie).get(url)
    assert response.status_code == 403
    assert "alice@" not in text_of(response)


@pytest.mark.parametrize("path", ["", "/transfer", "/remove"])
def test_a_member_of_another_organization_looks_like_none(organization, alice, beta, dora, as_user, path):
    client = as_user(dora)
    theirs = client.get(f"/o/beta/admin/members/{member(alice).pk}{path}")
    none = client.get(f"/o/beta/admin/members/{ANY_ID}{path}")
    assert (theirs.status_code, none.status_code) == (404, 404)
    assert theirs.content == none.content


def test_whoever_has_left_has_no_details(organization, alice, bob, as_user):
    pk = member(bob).pk
    leave_organization(actor=actor_of(bob), organization=organization)
    assert as_user(alice).get(f"{URL}/{pk}").status_code == 404


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_how_they_joined_and_which_roles_they_had(organization, alice, bob, as_user, headers):
    send(organization, bob, "jane@acme.test")
    row = Invitation.objects.get()
    jane = make_user("jane@acme.test", "Jane Doe")
    token = invitation_token(row.nonce, row.pk)
    accept_invitation(actor=actor_of(jane), invitation=find_invitation(token=token))
    for user, name in ((alice, "Member"), (bob, "Admin"), (alice, None)):
        change_role(
            actor=actor_of(user),
            organization=organization,
            member_id=member(jane).pk,
            role_id=role_id(organization, name) if name else None,
        )
    page = text_of(as_user(alice).get(f"{URL}/{member(jane).pk}", headers=headers))
    assert "By a mailed invitation" in page
    assert "Invited by Bob Baker" in page
    history = page[page.index("Role history") :]
    told = ("Lost the role Admin", "Role changed from Member to Admin", "Got the role Member")
    places = [history.index(text) for text in (*told, "Joined without a role")]
    assert places == sorted(places)
    assert history.index("By Alice Archer") < history.index("By Bob Baker")


def test_every_way_in_is_named(organization, alice, bob, as_user):
    row = member(bob)
    about = {"organization": organization, "nonce": "A" * 22}
    link = JoinLink.objects.create(name="Summer camp", **about)
    send(organization, alice, "x@acme.test")
    invitation = Invitation.objects.get()
    invitation.domain = Domain.objects.create(
        domain="acme.test", email="it@acme.test", code_expires_at=invitation.expires_at, **about
    )
    invitation.save(update_fields=["domain"])
    ways = [
        ("", {}, "Not recorded"),
        ("founded", {}, "Created the organization"),
        ("set_up", {}, "By the set-up link"),
        ("hand_over", {}, "By a link that was handed over"),
        ("join_link", {"join_link": link}, "By the join link “Summer camp”"),
        ("join_link", {"join_link": None}, "By a join link"),
        ("domain", {"invitation": invitation}, "By an address at acme.test"),
        ("domain", {"invitation": None}, "By an address at a verified domain"),
    ]
    assert {via for via, _values, _text in ways} | {"invitation"} == {*Membership.Via.values, ""}
    for via, values, text in ways:
        Membership.objects.filter(pk=row.pk).update(via=via, **values)
        assert text in text_of(as_user(alice).get(f"{URL}/{row.pk}"))


@pytest.mark.parametrize("changes", [1, 80])
def test_a_long_history_is_cut_and_takes_no_more_queries(
    organization, alice, bob, as_user, changes, django_assert_num_queries
):
    for i in range(changes):
        change_role(
            actor=actor_of(alice),
            organization=organization,
            member_id=member(bob).pk,
            role_id=role_id(organization, "Admin") if i % 2 else None,
        )
    client = as_user(alice)
    with django_assert_num_queries(6):
        html = client.get(f"{URL}/{member(bob).pk}", headers=HTMX).content.decode()
    assert html.count('<li class="who">') == min(changes + 1, 50)


def test_the_buttons_are_those_that_can_be_used(organization, alice, bob, charlie, as_user):
    def buttons(user, of):
        html = as_user(user).get(f"{URL}/{member(of).pk}", headers=HTMX).content.decode()
        return ("/remove" in html, "/transfer" in html)

    assert buttons(alice, bob) == (True, True)
    assert buttons(alice, alice) == (False, False)
    assert buttons(bob, charlie) == (True, False)
    assert buttons(bob, alice) == (False, False)


def test_only_an_owner_passes_the_ownership_on(organization, alice, bob, charlie, as_user):
    url = f"{URL}/{member(charlie).pk}/transfer"
    for method in ("get", "post"):
        response = getattr(as_user(bob), method)(url, {"new_role": "none"})
        assert response.status_code == 403
        assert "Only an owner can pass the ownership on." in text_of(response)
    with pytest.raises(OwnersOnly):
        transfer_ownership(
            actor=Actor.operator(), organization=organization, member_id=member(charlie).pk, role_id=None
        )
    assert member(alice).role.fixed


def test_nobody_passes_the_ownership_on_to_themselves(organization, alice, as_user):
    url = f"{URL}/{member(alice).pk}/transfer"
    assert as_user(alice).get(url).status_code == 403
    assert as_user(alice).post(url, {"new_role": "none"}).status_code == 403
    assert member(alice).role.fixed


@pytest.mark.parametrize("new_role", ["", "nonsense", ANY_ID])
def test_an_unknown_role_ends_nothing(organization, alice, bob, as_user, new_role):
    url = f"{URL}/{member(bob).pk}/transfer"
    assert as_user(alice).post(url, {"new_role": new_role}).status_code == 422
    assert (member(alice).role.name, member(bob).role.name) == ("Owner", "Admin")


@pytest.mark.parametrize("mine", ["Admin", "Member", None])
def test_ownership_is_transferred(organization, alice, bob, as_user, mine):
    client, url = as_user(alice), f"{URL}/{member(bob).pk}/transfer"
    question = client.get(url, headers=HTMX)
    assert "Transfer ownership to Bob Baker?" in text_of(question)
    html = question.content.decode()
    assert f'value="{role_id(organization, "Admin")}" selected' in html
    assert f'value="{role_id(organization, "Owner")}"' not in html
    answer = client.post(url, {"new_role": role_id(organization, mine) if mine else "none"}, follow=True)
    assert answer.redirect_chain == [("/o/northwind/", 302)]
    assert "Bob Baker is an owner now, and you are none any more." in text_of(answer)
    assert (member(bob).role.name, member(alice).role and member(alice).role.name) == ("Owner", mine)
    changed = Event.objects.filter(type="member.role_changed").order_by("number")
    assert list(changed.values_list("subject_name", "changes")) == [
        ("Bob Baker", {"role": ["Admin", "Owner"]}),
        ("Alice Archer", {"role": ["Owner", mine]}),
    ]
    assert client.get(URL).status_code == (200 if mine == "Admin" else 403)


def test_whoever_passes_the_ownership_on_does_not_keep_it(organization, alice, bob, as_user):
    url = f"{URL}/{member(bob).pk}/transfer"
    response = as_user(alice).post(url, {"new_role": str(role_id(organization, "Owner"))})
    assert response.status_code == 422
    assert (member(alice).role.name, member(bob).role.name) == ("Owner", "Admin")


def test_a_transfer_by_htmx_leaves_for_the_overview(organization, alice, bob, as_user):
    url = f"{URL}/{member(bob).pk}/transfer"
    response = as_user(alice).post(url, {"new_role": "none"}, headers=HTMX)
    assert response["HX-Redirect"] == "/o/northwind/"


def test_a_transfer_to_another_owner_is_stepping_down(organization, alice, as_user):
    other = make_user("other@northwind.test", "Other")
    join(organization, other, "Owner")
    as_user(alice).post(f"{URL}/{member(other).pk}/transfer", {"new_role": role_id(organization, "Member")})
    assert (member(other).role.name, member(alice).role.name) == ("Owner", "Member")
    assert Event.objects.filter(type="member.role_changed").count() == 1
