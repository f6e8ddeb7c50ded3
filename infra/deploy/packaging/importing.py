"""Import from an unpacked zip in bare interpreters, and measure the CPU time that it takes.

CPU time, not wall time: once the files are in memory an import waits for nothing, so that a busy machine gives the same
figures as an idle one.
"""

from __future__ import annotations

import json
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
# Results go to the real stdout, one JSON line each; what a statement prints goes to stderr.
_IMPORT_EACH = """
import json, os, sys, time
sys.path.insert(0, sys.argv[1])
results = os.fdopen(os.dup(1), "w")
os.dup2(2, 1)
exec(compile(sys.argv[2], "preload", "exec"))
for name, statement in json.loads(sys.argv[3]).items():
    child = os.fork()
    if child:
        if os.waitpid(child, 0)[1]:
            sys.exit("failed: " + name)
    else:
        started = time.process_time()
        exec(compile(statement, name, "exec"))
        print(json.dumps([name, (time.process_time() - started) * 1000]), file=results, flush=True)
        os._exit(0)
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
    """Run a statement on an unpacked zip and return its milliseconds of CPU time. Raises SystemExit if it fails."""
    output = _run(_IMPORT, str(folder), statement, failing=statement)
    return float(output.splitlines()[-1])  # after what the statement itself may have printed


def imported_each(folder: Path, statements: Mapping[str, str], *, preload: str = "") -> dict[str, float]:
    """Run each statement in a fork of one bare interpreter, and return milliseconds of CPU time by name.

    No statement sees what another imported. `preload` runs once before the forks: with libraries that all need, many
    statements take a fraction of the time; without, each time is that of a cold import. Raises SystemExit at the first
    statement that fails.
    """
    failing = f"{preload or 'nothing'}, then each of {', '.join(statements)}"
    output = _run(_IMPORT_EACH, str(folder), preload, json.dumps(statements), failing=failing)
    return dict(json.loads(line) for line in output.splitlines())


def medians(folder: Path, statements: Mapping[str, str], *, runs: int = RUNS) -> dict[str, float]:
    """Return each statement's median CPU time; runs alternate, so that a busy moment affects all statements alike."""
    times: dict[str, list[float]] = {name: [] for name in statements}
    for _ in range(runs):
        for name, statement in statements.items():
            times[name].append(imported(folder, statement))
    return {name: statistics.median(measured) for name, measured in times.items()}


def _run(script: str, *arguments: str, failing: str) -> str:
    """Run a script in a bare interpreter and return its output. Raises SystemExit with the traceback if it fails."""
    done = subprocess.run([*BARE, script, *arguments], capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"This does not work on the zip alone: {failing}\n{done.stderr}")
    return done.stdout
