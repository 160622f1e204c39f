"""What time brings is done organization by organization: each under its own lock, in its own transaction."""

from collections.abc import Callable, Iterable, Sequence
from uuid import UUID

from django.db.models import QuerySet

from guestlist import errors
from guestlist.actions import access
from guestlist.models import Invitation, Organization

# Organizations that one round looks at, and rows of one that a transaction changes.
MOST_ORGANIZATIONS = 200
BATCH = 1_000
_AHEAD = 20_000


def organizations_of(due: "QuerySet[Invitation]") -> Sequence[UUID]:
    """To whom the first of `due` belong, each organization once, without those that are deleted.
    `due` is ordered by the time that is due.
    """
    # Nor a join: neither what is deleted nor the order may keep them from the index by time.
    deleted = Organization.objects.filter(deleted_at__isnull=False)
    waiting = due.exclude(organization__in=deleted.values("pk"))
    # Not DISTINCT: for that, both databases leave the index by time and read everything there ever was.
    ids = waiting.values_list("organization", flat=True)[:_AHEAD]
    return list(dict.fromkeys(ids))[:MOST_ORGANIZATIONS]


def act_on_each(ids: Iterable[UUID], act: Callable[[Organization], int]) -> int:
    """Call `act` with each locked organization; the sum of its answers. What fails for one hinders no other:
    the first failure is raised once all had their turn.
    """
    done, failure = 0, None
    for pk in ids:
        try:
            with access.locked_by_holder(Organization(pk=pk)) as organization:
                done += act(organization)
        except errors.NotFound:
            continue  # deleted meanwhile
        except Exception as error:
            failure = failure or error
    if failure:
        raise failure
    return done
