"""RESULTS.md, from the rows and from what NOTES.md says by hand about a target."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bench.results import HERE, Results, Row, read_machines
from bench.targets import TARGETS, Outcome, Target

FILE, NOTES = HERE / "RESULTS.md", HERE / "NOTES.md"
_SIZE = re.compile(r"(.+), ([\d,]+ \w+)")
_HOW = """\
## How to repeat

```sh
bin/bench                   # everything, about 40 minutes on a machine that does nothing else
bin/bench list page         # some scenarios; only their rows are replaced
bin/bench --list            # which there are
bin/bench --quick single    # to try it out: nothing is kept
```

Guestlist and its peers take turns, A B A B, at least 3 times; a figure is the median of its runs, and in
brackets the lowest and the highest. A ratio is the median of the ratios of runs that followed one another,
because the speed of a machine changes. `results.json` holds all runs, and how long a fixed loop took right
before each.

Rates come from wrk with connections that stay open and one invitation in each request, times of single
requests from a plain client on one connection. Rates beside peers are measured without Guestlist’s process
that sends mail, as theirs send none; *delivery* and *memory* have it. With two processes the connections are
not spread evenly over them: 8 of them may be 5 and 3.
"""


def write() -> None:
    """Anew, from all rows that there are."""
    notes = NOTES.read_text() if NOTES.exists() else ""
    FILE.write_text(text_of(Results.read(), read_machines(), notes))


def text_of(results: Results, machines: Mapping[str, Mapping[str, Any]], notes: str) -> str:
    """The whole page."""
    parts = [
        "# Results\n\nMade by `bin/bench` from `results.json` and `NOTES.md`; do not change it by hand.\n"
    ]
    parts.append("## Targets\n")
    parts += [_target(target, results, _note(notes, target.name)) for target in TARGETS]
    parts.append("## Figures\n")
    parts += [_figures(name, results.of(name)) for name in dict.fromkeys(row.name for row in results.rows)]
    parts.append("## Machine\n")
    parts += [_machine(machine) for machine in machines.values()]
    return "\n".join([*parts, _HOW])


def _target(target: Target, results: Results, note: str) -> str:
    outcomes = list(target.outcomes(results))
    lines = [f"### {target.name}\n\n{target.sentence}\n"]
    if outcomes:
        lines.append(_table(["", "measured", "wanted", ""], map(_outcome, outcomes)))
    else:
        lines.append("Not measured.\n")
    return "\n".join([*lines, note])


def _outcome(outcome: Outcome) -> list[str]:
    wanted = f"{outcome.wanted[0]} {outcome.wanted[1:]}"
    return [
        outcome.what,
        _number(outcome.value),
        wanted,
        "reached" if outcome.is_reached else "**not reached**",
    ]


def _note(notes: str, name: str) -> str:
    """The part of NOTES.md below `## name`."""
    found = re.search(rf"^## {re.escape(name)}\n(.*?)(?=^## |\Z)", notes, re.MULTILINE | re.DOTALL)
    return f"{found[1].strip()}\n" if found and found[1].strip() else ""


def _figures(name: str, rows: list[Row]) -> str:
    """A line for each case, a column for each system or size."""
    columns = list(dict.fromkeys(_column(row) for row in rows))
    lines: dict[tuple[str, str, str], dict[str, str]] = {}
    for row in rows:
        line = lines.setdefault((_case(row), row.database, str(row.processes or "")), {})
        line[_column(row)] = _cell(row)
    unit = ", ".join(dict.fromkeys(row.unit for row in rows))
    header = ["", "database", "processes", *columns]
    body = ([*key, *(line.get(column, "") for column in columns)] for key, line in lines.items())
    return f"### {name} ({unit})\n\n{_table(header, body)}"


def _case(row: Row) -> str:
    found = _SIZE.fullmatch(row.case)
    return found[1] if found else row.case


def _column(row: Row) -> str:
    found = _SIZE.fullmatch(row.case)
    return found[2] if found else row.system


def _cell(row: Row) -> str:
    if len(row.runs) == 1:
        return _number(row.median)
    return f"{_number(row.median)} ({_number(min(row.runs))}–{_number(max(row.runs))})"


def _machine(machine: Mapping[str, Any]) -> str:
    return _table(
        ["", str(machine["at"])], ([name, str(said)] for name, said in machine.items() if name != "at")
    )


def _number(value: float) -> str:
    """With as many places as say something."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _table(header: list[str], lines: Iterable[list[str]]) -> str:
    def rows() -> Iterator[str]:
        yield _line(header)
        yield _line(["---"] * len(header))
        yield from map(_line, lines)

    return "\n".join(rows()) + "\n"


def _line(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"
