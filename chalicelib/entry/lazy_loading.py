"""Lazy loading of blueprints in Lambda: import a feature's routes on the first request for one of them.

Importing every feature would double the cold start, and a request needs one feature. The package has a table of the
modules for each path (lazy_loading.json, written by infra/deploy/packaging/lazy_loading.py). Without the table, as on
a developer's machine, app.py registers all blueprints at once.
"""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from chalice import Chalice

from chalicelib.entry.reply_headers import missing_from

TABLE = Path(__file__).with_name("lazy_loading.json")


class LazyChalice(Chalice):
    """The application, which registers blueprints lazily where it has the table of modules by path."""

    def __init__(self, app_name: str, *, table: Path = TABLE) -> None:
        super().__init__(app_name=app_name)
        self.is_lazy = table.exists()
        self._modules: dict[str, list[str]] = json.loads(table.read_text()) if self.is_lazy else {}
        self._registered: set[str] = set()

    def __call__(self, event: Any, context: Any) -> dict[str, Any]:
        """Handle one request of API Gateway; every reply of the application passes through here."""
        self.register_for((event.get("requestContext") or {}).get("resourcePath"))
        reply: dict[str, Any] = super().__call__(event, context)
        reply["headers"].update(missing_from(reply["headers"]))
        return reply

    def register_for(self, path: str | None) -> None:
        """Register the blueprints that a route's path (`/users/{user_id}`) needs; an unknown path needs none."""
        for module in self._modules.get(path or "", ()):
            if module not in self._registered:
                self.register_blueprint(import_module(module).blueprint)
                self._registered.add(module)
