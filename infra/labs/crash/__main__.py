"""Run it: `python -m infra.labs.crash [--runs N] [--seed S]`, `... defects`, `... real`; RUNS and SEED work as well."""

import argparse
import os
import signal
import sys

from infra.labs.crash import defects, many, real
from infra.labs.crash.modes import MODES

EPILOG = """
modes, which take turns with the seeds:
{modes}

examples:
  python -m infra.labs.crash --runs 10000 --workers 2     ten thousand stories, on two cores
  python -m infra.labs.crash --runs 1 --seed 4711 --show  one of them again, told step by step
  python -m infra.labs.crash --mode no-look-up            only one mode
  python -m infra.labs.crash defects                      does the laboratory see what it should? breaks the product
  python -m infra.labs.crash defects failure-is-done     one defect, with the story that catches it
  python -m infra.labs.crash real --rounds 10             true processes and a true database, killed with SIGKILL

A run is one small story of one tenant: its seed draws who acts, what breaks and who is killed where. The same seed
tells the same story (see its digest). Afterwards faults stop, everything drains, and every promise of payouts is
checked against what the provider really did. The exit code is 1 if any was broken.
"""


def main() -> None:
    """Read the command line and do one of the three things there are."""
    modes = "\n".join(f"  {mode.name:15} {mode.about}" for mode in MODES.values())
    parser = argparse.ArgumentParser(
        prog="python -m infra.labs.crash",
        description="The crash laboratory: does everybody get paid once, whatever breaks?",
        epilog=EPILOG.format(modes=modes),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what", nargs="?", choices=("runs", "defects", "real"), default="runs", help="runs, unless said"
    )
    parser.add_argument("names", nargs="*", help="defects: only these")
    parser.add_argument("--runs", type=int, default=int(os.environ.get("RUNS", "500")), help="how many stories (RUNS)")
    parser.add_argument("--seed", type=int, default=int(os.environ.get("SEED", "1")), help="of the first one (SEED)")
    parser.add_argument("--mode", choices=MODES, help="all in one mode; else they take turns")
    parser.add_argument(
        "--workers",
        type=int,
        default=int(os.environ.get("WORKERS", "0")) or min(2, os.cpu_count() or 1),
        help="processes that tell stories, each in a database of its own (WORKERS)",
    )
    parser.add_argument("--rounds", type=int, default=5, help="real: how many rounds of kills")
    parser.add_argument("--show", action="store_true", help="print the history of each run")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that the server and its folder go, too
    match options.what:
        case "defects":
            is_good = defects.show(options.names, first_seed=options.seed)
        case "real":
            is_good = real.show(rounds=options.rounds, seed=options.seed)
        case _:
            is_good = many.show(
                runs=options.runs, seed=options.seed, mode=options.mode, workers=options.workers, tells=options.show
            )
    sys.exit(0 if is_good else 1)


if __name__ == "__main__":
    main()
