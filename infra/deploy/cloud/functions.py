"""Which functions there are, and what each can reach: read from the registries and from what its code imports."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from typing import Any

from chalicelib.entry.registry import CONSUMERS, ENDPOINTS, SCHEDULES
from infra.deploy.cloud.naming import logical

API = "APIHandler"  # Chalice's names
API_ROLE = "DefaultRole"
# It sends what others left in the outbox, to whichever queue a row names.
SENDS_TO_ALL = frozenset({"sweep-outbox"})


@dataclass(frozen=True, slots=True)
class Function:
    """One Lambda function, called by a schedule or a queue; with neither it is the API."""

    id: str
    name: str
    modules: frozenset[str]
    uses: tuple[str, ...] = ()
    schedule: str | None = None
    queue: str | None = None
    at_once: int | None = None

    @property
    def event_id(self) -> str:
        """What Chalice calls the event that calls it."""
        return self.id + ("SqsEventSource" if self.queue else "Event")

    @property
    def role_id(self) -> str:
        """Chalice makes one role, which nothing can remove from its template; here it is the API's."""
        return API_ROLE if self.id == API else f"{self.id}Role"

    @property
    def sends_to(self) -> list[str]:
        """The queues that it can name: those whose names are in the modules that it imports."""
        if self.schedule in SENDS_TO_ALL:
            return sorted(CONSUMERS)
        return sorted({queue for module in self.modules for queue in _queues_named_in(module)})


@cache
def functions() -> tuple[Function, ...]:
    """List every function that Chalice packages, in a steady order."""
    from app import app  # registers every endpoint, queue and schedule
    from chalicelib.blueprints import API_USES

    at_once = {
        source.name: source.maximum_concurrency
        for source in app.event_sources
        if hasattr(source, "maximum_concurrency")
    }
    consumers = [(f"consume_{one.queue.replace('-', '_')}", one) for _, one in sorted(CONSUMERS.items())]
    return (
        Function(API, "api", frozenset().union(*(imported_by(one.function.__module__) for one in ENDPOINTS)), API_USES),
        *(
            Function(
                logical(name),
                name,
                imported_by(one.function.__module__),
                one.uses,
                queue=one.queue,
                at_once=at_once.get(name),
            )
            for name, one in consumers
        ),
        *(
            Function(logical(name), name, imported_by(one.function.__module__), schedule=name)
            for name, one in sorted(SCHEDULES.items())
        ),
    )


@cache
def _graph() -> Any:
    import grimp

    return grimp.build_graph("chalicelib", cache_dir=None)


@cache
def imported_by(module: str) -> frozenset[str]:
    """Return a module and all of our modules that it imports, directly or not."""
    return frozenset({module, *_graph().find_upstream_modules(module)})


@cache
def _queues_named_in(module: str) -> frozenset[str]:
    """Find the queues that a module's constants name (`QUEUE`, `NIGHTLY_QUEUE`)."""
    constants = vars(importlib.import_module(module))
    return frozenset(value for name, value in constants.items() if name.endswith("QUEUE") and value in CONSUMERS)
