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
    """Return by path the modules to import, in order, before a request for it is answered.

    Modules that register something with another feature when they are imported, such as what a type of form means, come
    first and always. Endpoints open to all describe the whole product (its health, its document) and need all modules.
    """
    everything = modules()
    first = [name for name in everything if acts(_source(name))]
    modules_by_path: Table = {}
    for path in sorted({endpoint.path for endpoint in ENDPOINTS}):
        endpoints = [endpoint for endpoint in ENDPOINTS if endpoint.path == path]
        own = sorted({endpoint.function.__module__ for endpoint in endpoints})
        open_to_all = any(endpoint.may is None for endpoint in endpoints)
        modules_by_path[path] = everything if open_to_all else list(dict.fromkeys([*first, *own]))
    return modules_by_path


def modules() -> list[str]:
    """Return the modules whose blueprint is in the table of routes, in its order."""
    ours = [(name, module) for name, module in list(sys.modules.items()) if name.startswith("chalicelib.")]
    names = {id(getattr(module, "blueprint", None)): name for name, module in ours}
    return [names[id(blueprint)] for blueprint in BLUEPRINTS]


def acts(source: str) -> bool:
    """Return whether importing a module has a side effect: a call at the top level."""
    return any(isinstance(one, ast.Expr) and isinstance(one.value, ast.Call) for one in ast.parse(source).body)


def acting_elsewhere() -> list[str]:
    """List modules that act when imported and have no endpoints: the table could not know which paths need them.

    The operators' command line does, and nothing imports it.
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
    """Write the table where the packaged API looks for it."""
    where = lazy_loading.TABLE.relative_to(Path(inspect.getfile(lazy_loading)).parents[2])
    (unpacked / where).write_text(json.dumps(table(), indent=1, sort_keys=True))


def statement(path: str) -> str:
    """Return a statement that registers a path's routes on a cold start, and compares them with the product's."""
    return f"import app; app.app.register_for({path!r}); assert sorted(app.app.routes[{path!r}]) == {methods(path)}"


def _source(name: str) -> str:
    return inspect.getsource(sys.modules[name])
