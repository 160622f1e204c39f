"""How the tests are shared among the workers of a run."""

from xdist.scheduler import LoadScopeScheduling

# Their tests share what takes seconds to set up.
TOGETHER = (
    "tests/browser/test_organizations.py",
    "tests/browser/test_passkeys.py",
    "tests/browser/test_without_javascript.py",
    "tests/server/test_terminal.py",
    "tests/test_host_project.py",
)


class Scheduling(LoadScopeScheduling):
    """A worker takes one test after the other, in their order, and all of a file that is TOGETHER."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        return file if file in TOGETHER else nodeid
