"""The command line: `python -m infra.labs.crash [--runs N] [--seed S]`, `... defects`, `... real`, RUNS and SEED."""

import argparse
import os
import signal
import sys

from infra.labs.crash import defects, many, real
from infra.labs.crash.modes import MODES

EPILOG = """
modes, by turns with the seeds:
{modes}

examples:
  python -m infra.labs.crash --runs 10000 --workers 2     ten thousand simulations, on two cores
  python -m infra.labs.crash --runs 1 --seed 4711 --show  one of them again, step by step
  python -m infra.labs.crash --mode no-look-up            only one mode
  python -m infra.labs.crash defects                      does it detect bugs? breaks the product on purpose
  python -m infra.labs.crash defects failure-is-done     one defect, with the run that detects it
  python -m infra.labs.crash real --rounds 10             real processes and a real database, killed with SIGKILL

A run is one small simulation of one tenant: its seed draws who acts, what fails and who is killed where. The same seed
gives the same run (see its digest). Afterwards faults stop, everything drains, and every invariant of payouts is
checked against what the provider really did. The exit code is 1 if any is violated.
"""


def main() -> None:
    """Read the command line, and run simulations, defects or real kills."""
    modes = "\n".join(f"  {mode.name:15} {mode.about}" for mode in MODES.values())
    parser = argparse.ArgumentParser(
        prog="python -m infra.labs.crash",
        description="The crash laboratory: is every debt paid exactly once, whatever fails?",
        epilog=EPILOG.format(modes=modes),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("what", nargs="?", choices=("runs", "defects", "real"), default="runs", help="by default runs")
    parser.add_argument("names", nargs="*", help="defects: only these")
    parser.add_argument(
        "--runs", type=int, default=int(os.environ.get("RUNS", "500")), help="how many simulations (RUNS)"
    )
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")), help="of the first one (SEED)")
    parser.add_argument("--mode", choices=MODES, help="all in one mode; by default they take turns")
    parser.add_argument(
        "--workers",
        type=int,
        default=int(os.environ.get("WORKERS", "0")) or min(2, os.cpu_count() or 1),
        help="processes that run simulations, each in a database of its own (WORKERS)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="real: how many rounds of kills")
    parser.add_argument("--show", action="store_true", help="print the history of each run")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server is stopped and its folder deleted
    match options.what:
        case "defects":
            is_good = defects.show(options.names, first_seed=options.seed)
        case "real":
            is_good = real.show(rounds=options.rounds, seed=options.seed)
        case _:
            is_good = many.show(
                runs=options.runs,
                seed=options.seed,
                mode=options.mode,
                workers=options.workers,
                shows_history=options.show,
            )
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
