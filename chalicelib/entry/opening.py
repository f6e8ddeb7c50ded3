"""The API's cold start: a feature's doors are opened when the first request for one of them comes.

To import every feature takes as long as to import all that the product stands on, and a request needs one of them.
What is packaged has a table that says which modules have the doors of a path, made by
infra/deploy/packaging/doors.py. Where there is none, as on a developer's machine, all doors are opened at once, in
app.py.
"""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

from chalice import Chalice

from chalicelib.entry.reply_headers import missing_from

TABLE = Path(__file__).with_name("doors.json")


class LazyChalice(Chalice):
    """The application, which opens doors late where it has a table of them."""

    def __init__(self, app_name: str, *, table: Path = TABLE) -> None:
        super().__init__(app_name=app_name)
        self.opens_late = table.exists()
        self._modules: dict[str, list[str]] = json.loads(table.read_text()) if self.opens_late else {}
        self._opened: set[str] = set()

    def __call__(self, event: Any, context: Any) -> Any:
        """Answer one request of API Gateway; the one place that every reply of the application passes through."""
        self.open((event.get("requestContext") or {}).get("resourcePath"))
        answer = super().__call__(event, context)
        answer["headers"].update(missing_from(answer["headers"]))
        return answer

    def open(self, path: str | None) -> None:
        """Register the doors of a path, as its route is written; of an unknown one there are none."""
        for module in self._modules.get(path or "", ()):
            if module not in self._opened:
                self.register_blueprint(import_module(module).blueprint)
                self._opened.add(module)
