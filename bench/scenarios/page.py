"""The Invitations page with 50 rows as HTML, eight requests at once, beside Better Auth's list as JSON."""

from bench.scenarios import lists
from bench.stage import Stage


def measure(stage: Stage) -> None:
    """Requests a second."""
    lists.compare(stage, "page/50 rows", lambda site: site.page("invitations"))
