"""Run it: `python -m infra.labs.growth` prints usage and limits; `measure` measures rows and log again."""

import argparse
import json

from infra.labs.growth.limits import limits
from infra.labs.growth.usage import DAYS, GB, Usage, usage

SIZES = (1_000, 100_000, 10_000_000)


def main() -> None:
    """Print the tables, or measure the figures that they are computed from."""
    parser = argparse.ArgumentParser(prog="python -m infra.labs.growth", description=main.__doc__)
    parser.add_argument("what", nargs="?", choices=["show", "measure"], default="show")
    parser.add_argument("--people", type=int, default=10_000, help="for measure")
    options = parser.parse_args()
    if options.what == "measure":
        from infra.labs.growth.measure import measured  # starts a server, and needs the product

        print(json.dumps(measured(options.people), indent=2))
    else:
        print(shown())


def shown() -> str:
    """Return the tables: usage at three sizes, limits at the largest."""
    all_used = [usage(people) for people in SIZES]
    head = ["a month", *(f"{people:,} people" for people in SIZES)]
    parts = [_table(head, _usage_rows(all_used))]
    parts += ["", f"Limits at {SIZES[-1]:,} people in one account and cell:", ""]
    rows = [
        [
            one.what + (" (ours)" if one.is_ours else ""),
            f"{one.needed:,.0f}",
            f"{one.available:,.0f}",
            one.unit,
            f"{one.share:.0%}",
        ]
        for one in limits(all_used[-1])
    ]
    return "\n".join([*parts, _table(["limit", "needed", "there is", "unit", "share"], rows)])


def _usage_rows(all_used: list[Usage]) -> list[list[str]]:
    figures_by_name = {
        "facts a day": [f"{one.facts_a_day:,.0f}" for one in all_used],
        "rows of facts and results": [f"{one.rows:,.0f}" for one in all_used],
        "GB of them": [f"{one.bytes / GB:,.2f}" for one in all_used],
        "GB stored after a year": [f"{one.stored / GB:,.1f}" for one in all_used],
        "GB of write-ahead log a night": [f"{one.log / DAYS / GB:,.2f}" for one in all_used],
        "a night, seconds of one worker": [f"{one.nightly_seconds:,.1f}" for one in all_used],
        "payday, seconds of one worker": [f"{one.payday_seconds:,.1f}" for one in all_used],
        "API requests a second at the peak": [f"{one.peak_requests:,.1f}" for one in all_used],
        "provider calls a second, payouts in 4 h": [f"{one.people / 14_400:,.1f}" for one in all_used],
        "mails a second, payslips in 12 h": [f"{one.people / 43_200:,.1f}" for one in all_used],
        "least ACU of an instance": [f"{one.least_acu:,.0f}" for one in all_used],
        "cells": [f"{one.cells}" for one in all_used],
    }
    return [[what, *figures] for what, figures in figures_by_name.items()]


def _table(head: list[str], rows: list[list[str]]) -> str:
    widths = [max(len(row[column]) for row in [head, *rows]) for column in range(len(head))]
    lines = [
        "  ".join(
            cell.ljust(width) if column == 0 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in [head, *rows]
    ]
    return "\n".join([lines[0], "-" * (sum(widths) + 2 * (len(widths) - 1)), *lines[1:]])


if __name__ == "__main__":
    main()
