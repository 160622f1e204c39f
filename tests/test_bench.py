"""What was measured is written down right, and every scenario can be found."""

import re
from pathlib import Path

from bench.report import text_of
from bench.results import Results, Row
from bench.scenarios import SCENARIOS
from bench.targets import TARGETS

BENCH = Path(__file__).parents[1] / "bench"
MACHINES = {"2026-11-24 12:00": {"at": "2026-11-24 12:00", "machine": "2 CPUs"}}


def _row(scenario: str, system: str, runs: list[float], unit: str = "/s", processes: int = 1) -> Row:
    calibration = [5.0] * len(runs)
    return Row(scenario, system, "sqlite", processes, unit, runs, calibration, "2026-11-24 12:00")


def _report(*rows: Row, notes: str = "") -> str:
    return text_of(Results(rows), MACHINES, notes)


def test_a_ratio_is_that_of_runs_that_followed_one_another() -> None:
    ours = _row("list/100 rows", "guestlist", [500, 1200, 300])
    theirs = _row("list/100 rows", "better-auth", [100, 200, 50])
    report = _report(ours, theirs)
    assert "| sqlite, one process | 6.00 | ≥ 5 | reached |" in report
    assert "| 100 rows | sqlite | 1 | 500 (300–1,200) | 100 (50.0–200) |" in report


def test_what_is_not_reached_is_said_with_its_note() -> None:
    ours = _row("list/100 rows", "guestlist", [499])
    theirs = _row("list/100 rows", "better-auth", [100])
    notes = "## list\n\nThe rest is Django’s.\n\n## page\n\nOther words.\n"
    report = _report(ours, theirs, notes=notes)
    part = report.partition("### list")[2].partition("###")[0]
    assert "| sqlite, one process | 4.99 | ≥ 5 | **not reached** |" in part
    assert part.rstrip().endswith("The rest is Django’s.")


def test_the_faster_way_of_calling_a_peer_counts() -> None:
    report = _report(
        _row("thousand/1,000 addresses", "guestlist", [0.05], "s"),
        _row("thousand/1,000 addresses", "better-auth, one call at a time", [6], "s"),
        _row("thousand/1,000 addresses", "better-auth, eight calls at once", [4], "s"),
    )
    assert "| sqlite, beside better-auth, eight calls at once | 80.0 | ≥ 50 | reached |" in report


def test_the_worst_sort_counts_and_sizes_are_columns() -> None:
    rows = [
        _row(f"sorts/page {sort} first, {size} pending", "guestlist", [ms], "ms")
        for sort, size, ms in (
            ("email", "1,000", 10),
            ("email", "1,000,000", 11),
            ("-invited", "1,000", 10),
            ("-invited", "1,000,000", 14),
        )
    ]
    report = _report(*rows)
    worst = "| sqlite, first page, the worst of 2 sorts (-invited) | 1.40 | ≤ 1.3 | **not reached** |"
    assert worst in report
    assert "| page email first | sqlite | 1 | 10.0 | 11.0 |" in report


def test_a_row_too_many_in_the_race_is_not_reached() -> None:
    report = _report(_row("race/20 addresses × 8 calls", "guestlist", [20, 21, 20], "rows"))
    assert "| sqlite, processes: 1 | 21.0 | = 20 | **not reached** |" in report


def test_what_was_not_measured_is_said() -> None:
    assert _report().count("Not measured.") == len(TARGETS)


def test_one_scenario_replaces_its_own_rows_only() -> None:
    results = Results([_row("list/100 rows", "guestlist", [1]), _row("page/50 rows", "guestlist", [2])])
    results.replace("list", [_row("list/100 rows", "guestlist", [3])])
    assert [(row.scenario, row.runs) for row in results.rows] == [
        ("list/100 rows", [3]),
        ("page/50 rows", [2]),
    ]


def test_every_scenario_is_in_the_readme_and_says_what_it_is() -> None:
    documented = re.findall(r"^\| `([a-z-]+)` \| .+ \|$", (BENCH / "README.md").read_text(), re.MULTILINE)
    assert documented == list(SCENARIOS)


def test_every_note_belongs_to_a_target() -> None:
    notes = re.findall(r"^## (.+)$", (BENCH / "NOTES.md").read_text(), re.MULTILINE)
    assert set(notes) <= {target.name for target in TARGETS}
