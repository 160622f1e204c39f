"""Where measuring happens: a folder, a PostgreSQL, and what is kept from one scenario to the next."""

import contextlib
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import TypeVar, cast

from bench.databases import POSTGRESQL, Database, cluster
from bench.load import calibrate
from bench.results import Row

T = TypeVar("T")
_NUMBERS = itertools.count(1)


class Stage:
    """`quick` is for trying out: one short round with few rows, whose figures mean little."""

    def __init__(self, folder: Path, postgresql: Path, *, quick: bool) -> None:
        self.folder, self.postgresql, self.quick = folder, postgresql, quick
        self.rows: list[Row] = []
        self.kept: dict[str, object] = {}

    @property
    def seconds(self) -> float:
        """How long one run of wrk takes."""
        return 1 if self.quick else 4

    @property
    def rounds(self) -> int:
        """How often systems take turns."""
        return 1 if self.quick else 3

    def many(self, number: int) -> int:
        """So many rows, or a hundredth of them."""
        return max(number // 100, 100) if self.quick else number

    def new_folder(self) -> Path:
        """A folder for files, for this run only."""
        folder = self.folder / f"{next(_NUMBERS)}"
        folder.mkdir()
        return folder

    def new_database(self, kind: str) -> Database:
        """The place of a database that is not there yet."""
        if kind == POSTGRESQL:
            return Database(kind, self.postgresql, f"bench{next(_NUMBERS)}")
        return Database(kind, self.new_folder() / "bench.sqlite3")

    def once(self, name: str, make: Callable[[], T]) -> T:
        """What `make` makes, which is kept for the scenarios after."""
        if name not in self.kept:
            self.kept[name] = make()
        return cast("T", self.kept[name])

    def in_turn(
        self,
        contestants: Mapping[tuple[str, str], Callable[[], float]],
        database: str,
        unit: str,
        processes: int = 1,
        rounds: int = 0,
    ) -> None:
        """Let each do its work once, then again: the speed of a machine changes meanwhile. A contestant is a
        scenario with its case, and a system.
        """
        rows = {key: Row(*key, database, processes, unit) for key in contestants}
        for _ in range(1 if self.quick else rounds or self.rounds):
            for key, run in contestants.items():
                rows[key].calibration.append(calibrate())
                rows[key].runs.append(round(run(), 3))
        for row in rows.values():
            self.add(row)

    def add(self, row: Row) -> None:
        """Something that was measured."""
        self.rows.append(row)
        said = f"{row.scenario}, {row.system}, {row.database}, {row.processes}"
        print(f"    {said:80} {row.median:12,.2f} {row.unit}", flush=True)


@contextlib.contextmanager
def stage(*, quick: bool) -> Iterator[Stage]:
    """A stage of which nothing stays behind."""
    # Not under TMPDIR: the path of a socket may have 107 characters.
    folder = Path(tempfile.mkdtemp(prefix="guestlist-bench.", dir="/tmp"))
    folder.chmod(0o711)
    with contextlib.ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        yield Stage(folder, stack.enter_context(cluster(folder)), quick=quick)
