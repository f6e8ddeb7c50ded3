"""Commands: run a job now and wait for it, list the latest jobs."""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from datetime import date, datetime
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any
from uuid import UUID

import typer
from sqlalchemy import text

from chalicelib import features
from chalicelib.backing.database import transaction
from chalicelib.features.payouts.runs import actions as payouts
from chalicelib.features.payouts.runs.messages import PayoutRunKind
from chalicelib.identity.scope import Scope
from chalicelib.jobs.nightly import NIGHTLY_JOBS, NightlyJob
from chalicelib.kernel.errors import NotFound, invalid
from chalicelib.kernel.moments import FIRST_DAY, LAST_DAY
from chalicelib.kernel.states import JobStatus
from chalicelib.operators import scopes, watch, work
from chalicelib.operators.terminal import AsJson, MaybeTenant, OneTenant, print_json, print_table

jobs_app = typer.Typer(help="Long work: run it now, see what ran.", no_args_is_help=True)


def _request_nightly_job(scope: Scope, *, as_of: date | None, nightly_job: NightlyJob) -> UUID:
    return nightly_job.request(scope, as_of=as_of).job_id


def _load_nightly_jobs() -> list[NightlyJob]:
    """Import each feature's `nightly_job.py`, which registers its job, and return them in the order they start."""
    folder = Path(features.__path__[0])
    for path in sorted(folder.rglob("nightly_job.py")):
        import_module(".".join((features.__name__, *path.relative_to(folder).with_suffix("").parts)))
    return sorted(NIGHTLY_JOBS.values(), key=lambda job: job.starts_at)


# Jobs by name: each requests the job as its schedule does, for the tenant's local as-of date.
JOBS: Mapping[str, Callable[..., UUID]] = {
    **{job.kind: partial(_request_nightly_job, nightly_job=job) for job in _load_nightly_jobs()},
    **{kind.value: partial(payouts.request_job, kind=kind) for kind in PayoutRunKind},
}

_LATEST = text("""
    select kind, status, done, total, created_at, finished_at, error, parameters, result, id from jobs
    where tenant_id = :tenant_id order by created_at desc, id desc limit :limit""")


@jobs_app.command("run")
def run_job(
    name: Annotated[str, typer.Argument(help=f"Which job: {', '.join(JOBS)}.")],
    tenant: OneTenant,
    date: Annotated[
        datetime | None,
        typer.Option(formats=["%Y-%m-%d"], help="The tenant's local as-of date; if not said, the latest there is."),
    ] = None,
    inline: Annotated[bool, typer.Option("--inline", help="Do the work here rather than by queue.")] = False,
    give_up_after: Annotated[
        float, typer.Option("--patience", help="Seconds without any movement after which to stop waiting.")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Run a job for one tenant, wait for it, and end with 1 unless it succeeded.

    Example: jobs run balance --tenant acme --date 2026-01-31
    """
    if name not in JOBS:
        raise NotFound(f"There is no job {name}. There are: {', '.join(JOBS)}.")
    if date is not None and not FIRST_DAY <= date.date() <= LAST_DAY:
        raise invalid("--date", f"must be between {FIRST_DAY} and {LAST_DAY}")
    tenant_id = scopes.get_tenant_id(tenant)
    with scopes.operating(tenant_id, sends=not inline) as scope:
        job_id = JOBS[name](scope, as_of=date.date() if date else None)
    if inline:
        work.process_here(scope.outgoing)
    job = watch.follow(tenant_id, job_id, give_up_after=0 if inline else give_up_after, shown=not as_json)
    if as_json:
        print_json({"tenant": tenant, **asdict(job)})
    else:
        typer.echo(f"{name} for {tenant}: {_describe_outcome(job)}")
    if job.status != JobStatus.SUCCEEDED:
        raise typer.Exit(1)


def _describe_outcome(job: watch.JobRow) -> str:
    """Return how a job ended, or that it goes on, in one line."""
    if job.status == JobStatus.SUCCEEDED and job.finished_at is not None:
        seconds = (job.finished_at - job.created_at).total_seconds()
        counts = ", ".join(f"{name} {_format_value(value)}" for name, value in (job.result or {}).items())
        return f"succeeded in {seconds:.1f} s ({counts})"
    if job.status == JobStatus.FAILED:
        return f"failed: {job.error}"
    return f"still {job.status}, job {job.id}; it goes on without you: jobs list shows it"


def _format_value(value: Any) -> str:
    return " ".join(map(str, value)) if isinstance(value, list) else str(value)


@jobs_app.command("list")
def list_jobs(
    tenant: MaybeTenant = None,
    limit: Annotated[int, typer.Option(min=1, help="How many of each tenant, newest first.")] = 20,
    as_json: AsJson = False,
) -> None:
    """List the latest jobs of one tenant or of all.

    Example: jobs list --tenant acme --limit 5
    """
    jobs: list[dict[str, Any]] = []
    for listed_tenant in scopes.get_tenants(tenant):
        with transaction(tenant_id=listed_tenant.id) as session:
            rows = session.execute(_LATEST, {"tenant_id": listed_tenant.id, "limit": limit}).mappings()
            jobs += [{"tenant": listed_tenant.slug, **row} for row in rows]
    jobs.sort(key=lambda job: job["created_at"], reverse=True)
    if as_json:
        print_json(jobs)
        return
    for job in jobs:
        job["progress"] = f"{job['done']}/{'?' if job['total'] is None else job['total']}"
        job["created"] = f"{job['created_at']:%Y-%m-%d %H:%M:%S}Z"
    columns = ("tenant", "kind", "status", "progress", "created", "error", "id")
    print_table(jobs, columns=columns, empty="No job has run yet: see jobs run --help.")
