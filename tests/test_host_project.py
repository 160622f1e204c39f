"""A project with its own users installs the app alone, and people come in by its own sign-in."""

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.hosts import ABSENT, PASSWORD, Host, Visitor

INVITATIONS = "/o/northwind/admin/invitations"
MAKE_PEOPLE = """
from django.contrib.auth import get_user_model
for name in ("maya", "jane", "kim"):
    user = get_user_model().objects.create_user(name, f"{name}@example.com", "correct horse battery staple")
    user.email_is_verified = True
    user.save()
"""
MAKE_MEMBERS_OF_THE_CLUB = """
from django.contrib.auth import get_user_model
for name in ("maya", "jane"):
    get_user_model().objects.create_user(f"{name}@example.com", "correct horse battery staple")
"""
CREATE = ("guestlist", "organizations", "create", "Northwind", "--slug", "northwind", "--owner")


def _running(folder: Path, settings: str, people: str) -> Iterator[Host]:
    host = Host.made_in(folder, settings)
    try:
        host.python(people)
        host.manage(*CREATE, "maya@example.com")
        yield host.start()
        assert host.stop()[1] == 0
    finally:
        for process in host.running:
            process.kill()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The project of the documentation: Maya owns Northwind, Jane and Kim have accounts."""
    yield from _running(tmp_path_factory.mktemp("host"), "website.settings", MAKE_PEOPLE)


@pytest.fixture(scope="module")
def signing_up(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """The same, with SIGN_UP and ADDRESSES."""
    yield from _running(tmp_path_factory.mktemp("sign-up"), "website.settings_sign_up", MAKE_PEOPLE)


@pytest.fixture(scope="module")
def club(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A user model with as little as Django allows, and Guestlist under /people/."""
    yield from _running(tmp_path_factory.mktemp("club"), "website.settings_club", MAKE_MEMBERS_OF_THE_CLUB)


def invite(host: Host, *addresses: str, owner: str = "maya", under: str = "") -> None:
    """The owner invites by the page."""
    visitor = Visitor(host)
    page = visitor.sign_in(owner, f"{under}{INVITATIONS}/new")
    assert page.url.endswith(f"{INVITATIONS}/new")
    page = visitor.post(f"{under}{INVITATIONS}/new", emails="\n".join(addresses))
    assert "sent." in page.text


@pytest.mark.parametrize("name", ["host", "signing_up", "club"])
def test_a_host_has_no_warning(name, request):
    request.getfixturevalue(name).manage("check", "--fail-level", "WARNING")


@pytest.mark.parametrize("name", ["host", "club"])
def test_no_user_model_makes_a_migration_of_ours_necessary(name, request):
    request.getfixturevalue(name).manage("makemigrations", "--check", "--dry-run")


def test_no_host_here_could_import_the_server_or_its_libraries(host):
    code = """
import importlib
for name in %r:
    try:
        importlib.import_module(name)
    except ImportError as error:
        print(error)
"""
    assert host.python(code % (ABSENT,)).splitlines() == [f"{name} is absent" for name in ABSENT]


def test_a_stranger_has_no_way_in(host):
    assert Visitor(host).get(INVITATIONS).url.startswith(f"{host.base}/sign-in/?next=/o/northwind")
    kim = Visitor(host)
    assert kim.sign_in("kim").status == 200
    page = kim.get(INVITATIONS)
    assert page.status == 404
    assert "/static/guestlist/app.css" in page.text


def test_an_account_that_nobody_has_cannot_own(host):
    done = host.manage(*CREATE[:-2], "beta", "--owner", "nobody@example.com", fails=True)
    assert done.stderr == "Error: No account has the verified address “nobody@example.com”.\n"
    assert done.returncode == 1


def test_the_command_line_explains_itself_and_can_be_called(host):
    assert "Usage: manage.py guestlist" in host.manage("guestlist", "--help").stdout
    assert "--slug" in host.manage("guestlist", "organizations", "create", "--help").stdout
    assert host.manage("guestlist", "organizations", "lst", fails=True).returncode == 2
    called = "from django.core.management import call_command as c; c('guestlist', 'organizations', 'list')"
    assert "Northwind" in host.python(called)


def test_somebody_with_an_account_signs_in_and_accepts(host):
    invite(host, "jane@example.com")
    link, jane = host.link_to("jane@example.com"), Visitor(host)
    page = jane.get(link)
    assert not list(jane.cookies) or {c.name for c in jane.cookies} == {"csrftoken"}
    (sign_in,) = [address for address in page.links() if "/sign-in/" in address]
    page = jane.sign_in("jane", sign_in)
    assert page.url == host.base + link
    assert "Accept Invitation" in page.text
    page = jane.post(link)
    assert page.url == f"{host.base}/o/northwind/"
    assert "Welcome to Northwind." in page.text
    refused = jane.get(INVITATIONS)
    assert refused.status == 403
    assert "Member: Manage" in refused.text


def test_the_wrong_account_is_named(host):
    invite(host, "lena@example.com")
    kim = Visitor(host)
    kim.sign_in("kim")
    page = kim.get(host.link_to("lena@example.com"))
    assert "l***@example.com" in page.text
    assert "kim@example.com" in page.text
    assert "lena@example.com" not in page.text


def test_without_sign_up_somebody_new_is_led_to_the_projects_sign_in(host):
    invite(host, "pete@example.com")
    link = host.link_to("pete@example.com")
    page = Visitor(host).get(link)
    assert f"{host.base}/sign-in/?next={link.replace('/', '%2F')}" in page.links()
    assert 'name="password1"' not in page.text


def test_rest_answers(host):
    words = ("api-keys", "create", "northwind", "--name", "CI", "--permission", "member.manage", "--json")
    secret = json.loads(host.manage("guestlist", *words).stdout)["key"]
    visitor = Visitor(host)
    assert visitor.get("/api/v1/organizations/northwind/members").status == 401
    visitor._opener.addheaders = [("Authorization", f"Bearer {secret}")]
    members = json.loads(visitor.get("/api/v1/organizations/northwind/members").text)["items"]
    assert "maya@example.com" in [member["email"] for member in members]
    assert visitor.get("/api/v1/docs").status == 200


@pytest.mark.parametrize("name", [None, "maya", "kim"])
def test_every_link_on_every_page_leads_somewhere(host, name):
    address = f"olga.{name}@example.com".lower()
    invite(host, address)
    visitor, link = Visitor(host), host.link_to(address)
    if name:
        visitor.sign_in(name)
    paths = visitor.crawl("/o/northwind/" if name == "maya" else link, link)
    assert "/static/guestlist/app.css" in paths
    assert (f"{INVITATIONS}/new" in paths) == (name == "maya")
    assert not [path for path in paths if path.startswith(("/accounts", "/outbox", "/setup"))]


def test_a_template_of_the_project_takes_the_place_of_ours(host):
    maya = Visitor(host)
    maya.sign_in("maya")
    assert maya.get("/o/northwind/").text.count("Sign out</button>") == 2


def test_a_mail_of_the_project_takes_the_place_of_ours(host):
    invite(host, "ines@example.com")
    host.link_to("ines@example.com")
    mails = "".join(path.read_text() for path in (host.folder / "mail").glob("*.log")).replace("=\n", "")
    assert "Northwind Traders, 1 Harbour Road, Seattle" in mails
    assert "decline the invitation" in mails


def test_the_projects_own_pages_stay_its_own(host):
    assert "<h1>Website</h1>" in Visitor(host).get("/").text
    # A large file and a body in another charset are the project's business.
    code = """
from django.conf import settings
from django.test import Client
settings.ALLOWED_HOSTS += ["testserver"]
large = Client().post("/", b"x" * 5_000_000, content_type="multipart/form-data; boundary=x")
other = Client().post("/", b"x", content_type="text/plain; charset=utf-16")
ours = Client().post("/o/northwind/leave", b"x" * 5_000_000, content_type="text/plain")
print(large.status_code, other.status_code, ours.status_code)
"""
    assert host.python(code) == "405 405 413"


def test_somebody_new_signs_up_on_the_accept_page(signing_up):
    invite(signing_up, "Pete@example.com")
    link, pete = signing_up.link_to("Pete@example.com"), Visitor(signing_up)
    page = pete.get(link)
    assert "sessionid" not in {cookie.name for cookie in pete.cookies}
    assert page.text.count("Accept Invitation") == 1
    page = pete.post(link, username="pete", password1="x", password2="y")
    assert page.status == 422
    assert page.text.count('aria-invalid="true"') == 1
    page = pete.post(link, username="pete", password1=PASSWORD, password2=PASSWORD)
    assert page.url == f"{signing_up.base}/o/northwind/"
    ask = "from people.models import User as U; u = U.objects.last(); print(u.email, u.email_is_verified)"
    assert signing_up.python(ask) == "Pete@example.com True"


def test_an_address_with_an_account_is_not_signed_up_again(signing_up):
    invite(signing_up, "jane@example.com")
    page = Visitor(signing_up).get(signing_up.link_to("jane@example.com"))
    assert 'name="password1"' not in page.text
    assert any("/sign-in/?next=" in address for address in page.links())


def test_the_smallest_user_model_under_a_path_of_its_own_works(club):
    invite(club, "jane@example.com", owner="maya@example.com", under="/people")
    link, jane = club.link_to("jane@example.com"), Visitor(club)
    assert link.startswith("/people/i/")
    (sign_in,) = [address for address in jane.get(link).links() if "/sign-in/" in address]
    assert jane.sign_in("jane@example.com", sign_in).url == club.base + link
    page = jane.post(link)
    assert page.url == f"{club.base}/people/o/northwind/"
    assert jane.get("/people/").url == f"{club.base}/people/o/northwind/"
    ids = club.python(
        "from guestlist.models import Membership; print(type(Membership.objects.first().user_id))"
    )
    assert ids == "<class 'uuid.UUID'>"


def test_a_project_that_asks_everybody_to_sign_in_lets_links_and_keys_through(club):
    visitor = Visitor(club)
    assert visitor.get("/").url == f"{club.base}/sign-in/?next=/"
    assert visitor.get("/people/i/gli_x").status == 404
    assert visitor.get("/people/api/v1/organizations/northwind").status == 401


def test_a_projects_own_jinja2_is_its_own(club):
    assert "<h1>Club" in Visitor(club).sign_in("maya@example.com").text


def test_a_projects_own_permission_is_given_with_a_role_and_asked_for(club):
    owner, path, roles = Visitor(club), "/invoices/northwind/approve", "/people/o/northwind/admin/roles"
    owner.sign_in("maya@example.com")
    assert owner.get(path).text == "The invoices are approved."
    assert "Invoice: Approve" in owner.get(f"{roles}/new").text
    add = """
from django.contrib.auth import get_user_model
get_user_model().objects.create_user("rita@example.com", "correct horse battery staple")
"""
    club.python(add)
    rita = Visitor(club)
    rita.sign_in("rita@example.com")
    assert rita.get(path).status == 403
    invite(club, "rita@example.com", owner="maya@example.com", under="/people")
    rita.post(club.link_to("rita@example.com"))
    assert rita.get(path).status == 403
    owner.post(f"{roles}/new", name="Bookkeeper", permissions="invoice.approve")
    club.manage("guestlist", "members", "change-role", "northwind", "rita@example.com", "Bookkeeper")
    assert rita.get(path).status == 200
    club.manage("guestlist", "roles", "update", "northwind", "Bookkeeper", "--permission", "none")
    assert rita.get(path).status == 403


def test_an_address_that_was_only_handed_a_link_stays_unverified(signing_up):
    code = """
from django.conf import settings
from guestlist.actions.hand_over import create_hand_over_link
from guestlist.actors import Actor
from guestlist.conf import conf
from guestlist.models import Invitation
settings.GUESTLIST["EMAIL_SENDING"] = "off"
row = Invitation.objects.select_related("organization").get(key="rosa@example.com")
who, where = Actor.operator(), row.organization
print(create_hand_over_link(actor=who, organization=where, invitation_id=row.pk).partition(".com")[2])
"""
    invite(signing_up, "rosa@example.com")
    rosa = Visitor(signing_up)
    page = rosa.post(signing_up.python(code), username="rosa", password1=PASSWORD, password2=PASSWORD)
    assert page.url == f"{signing_up.base}/o/northwind/"
    maya = Visitor(signing_up)
    maya.sign_in("maya")
    assert "Unverified" in maya.get("/o/northwind/admin/members?q=rosa").text


def test_times_are_those_of_the_viewers_zone(signing_up):
    dates = set()
    for zone in ("Pacific/Kiritimati", "Pacific/Pago_Pago"):  # 25 hours apart
        maya = Visitor(signing_up)
        maya.sign_in("maya")
        page = maya.get("/o/northwind/admin/members?q=maya", cookie=f"timezone={zone}")
        dates |= set(re.findall(r"[A-Z][a-z]{2} \d{1,2}, \d{4}", page.text))
    assert len(dates) == 2


def test_anyone_may_create_an_organization_where_the_settings_say_so(host, club):
    jane = Visitor(club)
    jane.sign_in("jane@example.com")
    page = jane.post("/people/organizations/new", name="Chess", slug="chess")
    assert page.url == f"{club.base}/people/o/chess/admin/invitations"
    kim = Visitor(host)
    kim.sign_in("kim")
    assert kim.get("/organizations/new").status == 403


def test_a_changed_account_is_shown_once_the_project_says_so(host):
    code = """
from guestlist.actions.members import update_profile
from people.models import User
user = User.objects.get(username="maya")
user.first_name, user.last_name = "Maya", "Torres"
user.save()
update_profile(user=user)
"""
    host.python(code)
    maya = Visitor(host)
    maya.sign_in("maya")
    assert "Maya Torres" in maya.get("/o/northwind/admin/members").text


def test_the_start_page_under_a_path_is_come_back_to(club):
    jane = Visitor(club)
    page = jane.get("/people/")
    assert page.url == f"{club.base}/sign-in/?next=/people/"
    assert jane.sign_in("jane@example.com", page.url).url.startswith(f"{club.base}/people/o/")
