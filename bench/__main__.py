"""Runs scenarios and writes down what they found."""

import argparse
import signal
import sys
import time

from bench import machine, report
from bench.processes import Failed
from bench.results import Results, read_machines
from bench.scenarios import SCENARIOS
from bench.stage import Stage, stage


def main() -> int:
    """The exit status: 1 where a scenario failed; the others are measured all the same."""
    arguments = _arguments()
    if arguments.list:
        for name, measure in SCENARIOS.items():
            print(f"{name:14} {(sys.modules[measure.__module__].__doc__ or '').splitlines()[0]}")
        return 0
    # So that nothing is left running.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    with stage(quick=arguments.quick) as on:
        here = machine.describe()
        failed = [name for name in arguments.scenario or SCENARIOS if not _measure(on, name, here)]
    if failed:
        print(f"Failed: {' '.join(failed)}")
    return 1 if failed else 0


def _measure(on: Stage, name: str, here: dict[str, str]) -> bool:
    """Replaces the rows of the scenario, but not by what `quick` found; whether it could be measured."""
    started = time.monotonic()
    print(f"{name} …", flush=True)
    on.rows.clear()
    try:
        SCENARIOS[name](on)
    except Failed as error:
        print(f"{name}: {error}", flush=True)
        return False
    if not on.quick:
        results = Results.read()
        for row in on.rows:
            row.machine = here["at"]
        results.replace(name, on.rows)
        results.write({**read_machines(), here["at"]: here})
        report.write()
    print(f"{name}: {time.monotonic() - started:.0f} s", flush=True)
    return True


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="bin/bench", description="Measures Guestlist beside its peers.")
    parser.add_argument("scenario", nargs="*", choices=[[], *SCENARIOS], help="all unless told")
    parser.add_argument("--list", action="store_true", help="only say which scenarios there are")
    parser.add_argument("--quick", action="store_true", help="few rows and one short round; nothing is kept")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
