"""Imports from an unpacked zip, each in a bare interpreter of its own, and how much of a processor's time they take.

Importing waits for nothing once the files are in memory, and the time of the processor is that of an idle machine also
where others are at work.
"""

from __future__ import annotations

import statistics
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

RUNS = 7
# -I -S: what the zip does not hold is not there. -B: no run leaves bytecode behind for the next one.
BARE = (sys.executable, "-I", "-S", "-B", "-c")
_IMPORT = """
import sys, time
sys.path.insert(0, sys.argv[1])
started = time.process_time()
exec(compile(sys.argv[2], "what is imported", "exec"))
print((time.process_time() - started) * 1000)
"""
API = "app.app"
CHALICE = "import chalice; chalice.Chalice(app_name='bare')"
YARDSTICK = f"{CHALICE}; import pydantic, sqlalchemy, psycopg; pydantic.BaseModel"
MOST = 1.5  # times the yardstick that the API's cold import may take


def handler(name: str) -> str:
    """Write the statement that imports a handler, `module.name`, as Lambda does."""
    module, _, function = name.rpartition(".")
    return f"import {module} as module; assert callable(module.{function})"


def imported(folder: Path, statement: str) -> float:
    """Run a statement on an unpacked zip, and give its milliseconds; what it lacks ends the build."""
    done = subprocess.run([*BARE, _IMPORT, str(folder), statement], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"This does not work on the zip alone: {statement}\n{done.stderr}")
    return float(done.stdout.splitlines()[-1])  # after what the statement itself may have printed


def medians(folder: Path, statements: Mapping[str, str], *, runs: int = RUNS) -> dict[str, float]:
    """Time statements in turns, so that a busy moment of the machine meets all of them alike."""
    found: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(runs):
        for name, statement in statements.items():
            found[name].append(imported(folder, statement))
    return {name: statistics.median(times) for name, times in found.items()}
