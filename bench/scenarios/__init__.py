"""What is measured: each module is one scenario, its first line says what it is."""

from collections.abc import Callable, Mapping

from bench.scenarios import (
    accept,
    audit,
    delivery,
    growth,
    lists,
    members,
    memory,
    page,
    race,
    revoke,
    scaled,
    search,
    single,
    sizes,
    sorts,
    start,
    ten_thousand,
    thousand,
)
from bench.stage import Stage

SCENARIOS: Mapping[str, Callable[[Stage], None]] = {
    "single": single.measure,
    "thousand": thousand.measure,
    "ten-thousand": ten_thousand.measure,
    "list": lists.measure,
    "page": page.measure,
    # Before anything is added to the database that is grown.
    "sizes": sizes.measure,
    "sorts": sorts.measure,
    "search": search.measure,
    "members": members.measure,
    "audit": audit.measure,
    "growth": growth.measure,
    "accept": accept.measure,
    "revoke": revoke.measure,
    "race": race.measure,
    "delivery": delivery.measure,
    "scaled": scaled.measure,
    "start": start.measure,
    "memory": memory.measure,
}
