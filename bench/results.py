"""What was measured, in `results.json`: a list of rows, and on which machine each was."""

import json
import statistics
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
FILE, MACHINES = HERE / "results.json", HERE / "machines.json"


@dataclass
class Row:
    """`scenario` is its name and the case, as `single/c8`. `calibration` says for each of the runs how many
    milliseconds a fixed loop took right before it, `machine` in which entry of `machines.json` it ran.
    """

    scenario: str
    system: str
    database: str
    processes: int
    unit: str
    runs: list[float] = field(default_factory=list)
    calibration: list[float] = field(default_factory=list)
    machine: str = ""

    @property
    def name(self) -> str:
        """By which `bin/bench` runs it."""
        return self.scenario.partition("/")[0]

    @property
    def case(self) -> str:
        """Which of the scenario's it is."""
        return self.scenario.partition("/")[2]

    @property
    def median(self) -> float:
        """Of the runs."""
        return statistics.median(self.runs)


class Results:
    """All rows."""

    def __init__(self, rows: Iterable[Row] = ()) -> None:
        self.rows = list(rows)

    @classmethod
    def read(cls) -> "Results":
        """As they were written last; none where there was nothing yet."""
        return cls(Row(**row) for row in json.loads(FILE.read_text())) if FILE.exists() else cls()

    def replace(self, name: str, rows: Iterable[Row]) -> None:
        """Only those of one scenario, where they were."""
        places = [place for place, row in enumerate(self.rows) if row.name == name]
        kept = [row for row in self.rows if row.name != name]
        place = places[0] if places else len(kept)
        self.rows = [*kept[:place], *rows, *kept[place:]]

    def find(self, scenario: str, system: str, database: str, processes: int = 1) -> Row | None:
        """The one row of it, if that was measured."""
        wanted = (scenario, system, database, processes)
        return next(
            (row for row in self.rows if (row.scenario, row.system, row.database, row.processes) == wanted),
            None,
        )

    def of(self, name: str) -> list[Row]:
        """Those of one scenario, as they were measured."""
        return [row for row in self.rows if row.name == name]

    def write(self, machines: dict[str, dict[str, Any]]) -> None:
        """A line for each row. Machines on which nothing was measured that still counts are forgotten."""
        lines = ",\n".join(json.dumps(asdict(row), ensure_ascii=False) for row in self.rows)
        FILE.write_text(f"[\n{lines}\n]\n")
        used = {row.machine for row in self.rows}
        kept = {name: machine for name, machine in machines.items() if name in used}
        MACHINES.write_text(json.dumps(kept, indent=2, ensure_ascii=False) + "\n")


def read_machines() -> dict[str, dict[str, Any]]:
    """On what was measured."""
    return json.loads(MACHINES.read_text()) if MACHINES.exists() else {}
