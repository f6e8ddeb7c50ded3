"""The table of modules that each path needs, for lazy loading in the packaged API. See entry/lazy_loading.py."""

from __future__ import annotations

import ast
import inspect
import json
import sys
from pathlib import Path

from chalicelib.blueprints import BLUEPRINTS
from chalicelib.entry import lazy_loading
from chalicelib.entry.registry import ENDPOINTS

Table = dict[str, list[str]]


def table() -> Table:
    """List by path what must be imported before a request for it is answered, in order.

    Modules that tell other features something when they are imported, such as what a type of form means, come first
    and always. Doors that are open to all speak of the whole product (its health, its document), so they need all.
    """
    everything = modules()
    first = [name for name in everything if acts(_source(name))]
    found: Table = {}
    for path in sorted({endpoint.path for endpoint in ENDPOINTS}):
        endpoints = [endpoint for endpoint in ENDPOINTS if endpoint.path == path]
        own = sorted({endpoint.function.__module__ for endpoint in endpoints})
        open_to_all = any(endpoint.may is None for endpoint in endpoints)
        found[path] = everything if open_to_all else list(dict.fromkeys([*first, *own]))
    return found


def modules() -> list[str]:
    """Return the modules whose `blueprint` is in the table of all doors, in its order."""
    ours = [(name, module) for name, module in list(sys.modules.items()) if name.startswith("chalicelib.")]
    names = {id(getattr(module, "blueprint", None)): name for name, module in ours}
    return [names[id(blueprint)] for blueprint in BLUEPRINTS]


def acts(source: str) -> bool:
    """Return whether a module calls something, for its effect, when it is imported."""
    return any(isinstance(one, ast.Expr) and isinstance(one.value, ast.Call) for one in ast.parse(source).body)


def acting_elsewhere() -> list[str]:
    """List modules that act when imported and have no doors: the table could not know who needs them.

    The operators' command line does, and is above all doors; the rooms keep everything else from importing it.
    """
    room = Path(inspect.getfile(lazy_loading)).parents[1]
    above = {room / "cli.py", *(room / "operators").rglob("*.py")}
    with_entry_points = {Path(inspect.getfile(sys.modules[name])) for name in modules()}
    files = sorted(set(room.rglob("*.py")) - above - with_entry_points)
    return [one.relative_to(room.parent).as_posix() for one in files if acts(one.read_text())]


def methods(path: str) -> list[str]:
    """List the methods that a path takes."""
    return sorted(endpoint.method for endpoint in ENDPOINTS if endpoint.path == path)


def write(unpacked: Path) -> None:
    """Put the table where the packaged API looks for it."""
    where = lazy_loading.TABLE.relative_to(Path(inspect.getfile(lazy_loading)).parents[2])
    (unpacked / where).write_text(json.dumps(table(), indent=1, sort_keys=True))


def statement(path: str) -> str:
    """Write what opens a path's doors on a cold start, and holds them against the product's own."""
    return f"import app; app.app.register_for({path!r}); assert sorted(app.app.routes[{path!r}]) == {methods(path)}"


def _source(name: str) -> str:
    return inspect.getsource(sys.modules[name])
