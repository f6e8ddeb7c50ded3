"""HTTP endpoints of the console."""

from pathlib import Path
from uuid import UUID

from chalice import Blueprint
from sqlalchemy import text

from chalicelib.backing import queues
from chalicelib.backing.database import transaction
from chalicelib.entry import openapi
from chalicelib.entry.http import FileReply, JsonReply, endpoint
from chalicelib.entry.paging import Page, RowPage
from chalicelib.entry.registry import CONSUMERS
from chalicelib.entry.reply_headers import PUBLIC
from chalicelib.features.console import queries, schemas
from chalicelib.identity.scope import Scope
from chalicelib.jobs.schemas import Job
from chalicelib.kernel.errors import Busy

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/health", may=None)
def get_health() -> schemas.Health:
    """Tell whether the database and the queues answer; 503 if not. It needs no credentials."""
    try:
        with transaction() as connection:
            connection.execute(text("select 1"))
    except Exception:  # whatever is wrong with it, the answer is that it does not answer
        raise Busy("The database does not answer.") from None
    if not queues.reachable(next(iter(CONSUMERS))):
        raise Busy("The queues do not answer.")
    return schemas.Health(status="ok", database="ok", queues="ok")


@endpoint(blueprint, "GET", "/openapi.json", may=None)
def get_openapi() -> JsonReply:
    """Give this document."""
    return JsonReply(openapi.document(), PUBLIC)


@endpoint(blueprint, "GET", "/docs", may=None, produces="text/html; charset=utf-8")
def get_docs() -> FileReply:
    """Show this document as a page."""
    return FileReply((Path(__file__).parent / "docs.html").read_text(), "text/html; charset=utf-8", cache=PUBLIC)


@endpoint(blueprint, "GET", "/jobs", may="jobs.read", reply=Page[Job])
def list_jobs(scope: Scope, query: schemas.JobQuery) -> RowPage[queries.JobDetails]:
    """List long-running work, newest first."""
    return queries.page_of_jobs(scope, query)


@endpoint(blueprint, "GET", "/jobs/{job_id}", may="jobs.read", reply=Job)
def get_job(scope: Scope, job_id: UUID) -> queries.JobDetails:
    """Tell how far one job is, what came of it, or why it failed."""
    return queries.get_job(scope, job_id)


@endpoint(blueprint, "GET", "/audit-logs", may="audit.read", reply=Page[schemas.AuditLog])
def list_audit_logs(scope: Scope, query: schemas.AuditQuery) -> RowPage[queries.AuditRow]:
    """List who changed what, newest first."""
    return queries.page_of_audit_logs(scope, query)
