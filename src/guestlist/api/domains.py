"""Mail domains over REST."""

from typing import Annotated

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from ninja import Path, Query, Router, Status
from pydantic import Field

from guestlist.actions import access
from guestlist.actions import domains as actions
from guestlist.api.auth import actor_of, organization_of
from guestlist.api.bodies import Body, answer
from guestlist.api.paging import ListQuery, list_page, sorting
from guestlist.api.resources import domains as resources
from guestlist.models import Domain
from guestlist.models.domain import Mode
from guestlist.models.fields import id_of, searchable
from guestlist.models.listing import Columns
from guestlist.permissions import Permission

router = Router(tags=["Domains"])
COLUMNS: Columns = {"domain": F("domain"), "created": F("id")}
MODES = ", ".join(Mode.values)


class DomainQuery(ListQuery):
    """How to list domains."""

    sort: str = sorting(COLUMNS, "domain")


class NewDomain(Body):
    """A domain to add."""

    domain: str = Field(description="The organization's own.", examples=["acme.com"])
    email: str = Field(description="An address there, to which the code is mailed.", examples=["it@acme.com"])
    mode: str = Field("", description=f"{MODES}; request unless told.", examples=["join"])


class DomainChange(Body):
    """What can be changed of a domain."""

    mode: str = Field(description=f"What people with an address there may do: {MODES}.", examples=["join"])


class Code(Body):
    """What the mail says."""

    code: str = Field(description="Its 8 digits; spaces do not count.", examples=["1234 5678"])


@router.get("", response=resources.DomainList, summary="List domains")
def list_domains(
    request: HttpRequest, slug: Path[str], query: Annotated[DomainQuery, Query()]
) -> HttpResponse:
    """By name unless told otherwise; `q` looks in the name. Needs `organization.update`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.ORGANIZATION_UPDATE)
    rows = Domain.objects.filter(organization=organization)
    rows = rows.filter(domain__contains=searchable(query.q).lower())
    return list_page(request, rows, COLUMNS, query.sort, query)


@router.post("", response={201: resources.Domain}, summary="Add a domain")
def add_domain(request: HttpRequest, slug: Path[str], payload: NewDomain) -> HttpResponse:
    """Mails a code to an address there; until the domain is verified with it, it lets nobody in. Needs
    `organization.update`. 409 `domain_listed`, and `suppressed` where the address wants no mail; 422
    `domain_invalid`, `public_domain` for one that is nobody's own, `address_invalid`, `address_elsewhere`,
    `mode_unknown`, `too_many_domains` beyond 50; 429 `too_many_codes`.
    """
    actor = actor_of(request)
    row = actions.add_domain(actor=actor, organization=organization_of(actor, slug), **payload.model_dump())
    return answer(row.as_resource(), status=201)


@router.get("/{domain_id}", response=resources.Domain, summary="Show a domain")
def get_domain(request: HttpRequest, slug: Path[str], domain_id: str) -> HttpResponse:
    """Needs `organization.update`."""
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    access.require(actor, organization, Permission.ORGANIZATION_UPDATE)
    return answer(actions.find_domain(organization=organization, domain_id=id_of(domain_id)).as_resource())


@router.patch("/{domain_id}", response=resources.Domain, summary="Change a domain")
def patch_domain(
    request: HttpRequest, slug: Path[str], domain_id: str, payload: DomainChange
) -> HttpResponse:
    """Says what people with an address there may do. Needs `organization.update`. 409 `domain_unverified`
    where it is not verified yet; 422 `mode_unknown`.
    """
    actor = actor_of(request)
    row = actions.change_domain_mode(
        actor=actor,
        organization=organization_of(actor, slug),
        domain_id=id_of(domain_id),
        mode=payload.mode,
    )
    return answer(row.as_resource())


@router.delete("/{domain_id}", response={204: None}, summary="Remove a domain")
def delete_domain(request: HttpRequest, slug: Path[str], domain_id: str) -> Status[None]:
    """Nobody joins or asks by it any more, and requests from there that wait are dismissed; members stay.
    Needs `organization.update`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    actions.remove_domain(actor=actor, organization=organization, domain_id=id_of(domain_id))
    return Status(204, None)


@router.post("/{domain_id}/send-code", response=resources.Domain, summary="Mail a new code")
def send_domain_code(request: HttpRequest, slug: Path[str], domain_id: str) -> HttpResponse:
    """The one before stops working. Needs `organization.update`. 409 `domain_verified`, `suppressed`; 429
    `too_many_codes`.
    """
    actor = actor_of(request)
    organization = organization_of(actor, slug)
    row = actions.send_code(actor=actor, organization=organization, domain_id=id_of(domain_id))
    return answer(row.as_resource())


@router.post("/{domain_id}/verify", response=resources.Domain, summary="Verify a domain")
def verify_domain(request: HttpRequest, slug: Path[str], domain_id: str, payload: Code) -> HttpResponse:
    """With the code that was mailed there, which no answer holds. Needs `organization.update`. 409
    `domain_verified`; 410 `code_expired`, `code_tries_over`; 422 `code_wrong`.
    """
    actor = actor_of(request)
    row = actions.verify_domain(
        actor=actor,
        organization=organization_of(actor, slug),
        domain_id=id_of(domain_id),
        code=payload.code,
    )
    return answer(row.as_resource())
