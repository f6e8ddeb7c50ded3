"""Payslip PDFs of an approved run: rendered once, stored in S3, announced to the employees, and handed out.

A payslip of an approved run never changes, so its file is made once. A message stands for some fifty payslips: their
content is read in one transaction, the files are rendered and stored outside, and a second transaction records the new
ones and notifies their employees, so nobody is notified of a missing file, or twice. A worker that dies in between
leaves files without rows; the next one writes the same bytes under the same keys.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import UUID

from sqlalchemy import Connection, text

from chalicelib import notifications
from chalicelib.backing import files, outbox
from chalicelib.backing.database import statement, transaction
from chalicelib.backing.log import count, logger
from chalicelib.backing.settings import settings
from chalicelib.entry.messages import SideEffect
from chalicelib.features.payroll.documents import queries, rendering
from chalicelib.features.payroll.documents.schemas import PayslipFile
from chalicelib.features.payroll.documents.wording import Letterhead, Sheet, make_sheet
from chalicelib.features.payroll.runs import queries as run_queries
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Busy, Conflict
from chalicelib.kernel.states import FIXED_PAYROLL
from chalicelib.notifications import NotificationKind, UserNotification

QUEUE = "payslip-documents"
PAYSLIPS_PER_MESSAGE = 50  # about a second of rendering
REQUEST_AGAIN_AFTER = timedelta(minutes=5)  # a request without a file by then is repeated when the file is asked for

_REQUEST_DOCUMENTS = text(statement(__file__, "ask_documents"))
_INSERT_DOCUMENTS = text(statement(__file__, "made_documents"))


@dataclass(frozen=True, slots=True)
class DocumentContent:
    """The content of one payslip's file."""

    payslip_id: UUID
    user_id: UUID
    month: str
    sheet: Sheet
    dated: datetime  # fixed, so that the file's bytes are the same at every rendering


@dataclass(frozen=True, slots=True)
class FailedDocument:
    """An employee whose payslip could not be rendered, and the error."""

    user_id: UUID
    error: Exception


@dataclass(frozen=True, slots=True)
class RenderedDocument:
    """The stored file of one payslip."""

    payslip_id: UUID
    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class RenderedDocuments:
    """The stored files of a message, and the employees whose file could not be rendered."""

    files: list[RenderedDocument]
    failed_user_ids: list[UUID]


def request(scope: Scope, *, run_id: UUID) -> None:
    """Request the files of a run's payslips, once all of it is posted."""
    scope.send(QUEUE, _mark_requested(scope.session, scope, run_id=run_id))


def make(scope: Scope, *, run_id: UUID, first: UUID, last: UUID) -> SideEffect | None:
    """Render the missing files of a range of employees.

    One that cannot be rendered does not stop the others: it continues as a message of its own.
    """
    waiting = {row.user_id: row for row in queries.find_waiting(scope, run_id=run_id, first=first, last=last)}
    if not waiting:
        return None
    color = queries.get_color(scope)
    contents, failed = [], []
    for payslip in run_queries.read_payslips(scope, run_id=run_id, user_ids=list(waiting)):
        employee = waiting[payslip.user.id]
        head = Letterhead(scope.tenant.name, color, employee.department, employee.language)
        try:
            sheet = make_sheet(payslip, head)
        except Exception as error:
            failed.append(FailedDocument(employee.user_id, error))
            continue
        contents.append(DocumentContent(payslip.id, employee.user_id, payslip.month, sheet, payslip.calculated_at))
    return SideEffect(
        partial(_make_files, scope.tenant_id, contents, failed),
        lambda after, rendered: _settle(after, rendered, run_id=run_id, papers=contents),
    )


def open_file(scope: Scope, payslip_id: UUID) -> PayslipFile:
    """Return a download link for a payslip's file. Raises Busy, and requests it again, while it is missing."""
    payslip = run_queries.get_payslip(scope, payslip_id)
    if payslip.run_status not in FIXED_PAYROLL:
        raise Conflict(
            f"The payroll run of this payslip is {payslip.run_status}: payslips are made into files once the run is"
            " approved. Approve the run first."
        )
    document = queries.find_document(scope, payslip_id)
    if document is None:
        if queries.is_posted(scope, payslip.run_id):
            _request_now(scope, run_id=payslip.run_id, payslip_id=payslip_id)
        raise Busy("The PDF of this payslip is being made; try again in a few seconds.")
    name = files.safe_name(f"payslip-{payslip.month}-{payslip.user.employee_no or ''}") + ".pdf"
    link = files.make_download_link(
        scope.tenant_id, _key(scope.tenant_id, payslip_id, document.sha256), name=name, now=scope.now
    )
    return PayslipFile(url=link.url, expires_at=link.expires_at, name=name, size_bytes=document.size_bytes)


def _request_now(scope: Scope, *, run_id: UUID, payslip_id: UUID) -> None:
    # in a transaction of its own: the caller's is rolled back by the Busy error that follows
    with transaction(tenant_id=scope.tenant_id) as session:
        bodies = _mark_requested(session, scope, run_id=run_id, payslip_id=payslip_id)
        messages = outbox.put(session, tenant_id=scope.tenant_id, queue=QUEUE, bodies=bodies)
    outbox.send(messages)


def _mark_requested(
    session: Connection, scope: Scope, *, run_id: UUID, payslip_id: UUID | None = None
) -> list[dict[str, str]]:
    ranges = session.execute(
        _REQUEST_DOCUMENTS,
        {
            "tenant_id": scope.tenant_id,
            "run_id": run_id,
            "payslip_id": payslip_id,
            "now": scope.now,
            "stale": scope.now - REQUEST_AGAIN_AFTER,
            "at_once": PAYSLIPS_PER_MESSAGE,
        },
    )
    return [{"run_id": str(run_id), "first": str(row.first), "last": str(row.last)} for row in ranges]


def _make_files(
    tenant_id: UUID, contents: Sequence[DocumentContent], failed: Sequence[FailedDocument]
) -> RenderedDocuments:
    """Render and store what can be. Raises the first error if nothing can: the message is retried."""
    rendered, failed = [], list(failed)
    for paper in contents:
        try:
            rendered.append(_make_file(tenant_id, paper))
        except Exception as error:
            logger.exception("a payslip cannot be made into a file", payslip_id=str(paper.payslip_id))
            failed.append(FailedDocument(paper.user_id, error))
    if failed and not rendered:
        raise failed[0].error
    count("PayslipsNotMade", len(failed))
    return RenderedDocuments(rendered, [one.user_id for one in failed])


def _make_file(tenant_id: UUID, paper: DocumentContent) -> RenderedDocument:
    pdf = rendering.render_pdf(paper.sheet, dated=paper.dated)
    sha256 = hashlib.sha256(pdf).hexdigest()
    files.put(
        tenant_id,
        _key(tenant_id, paper.payslip_id, sha256),
        pdf,
        content_type=rendering.CONTENT_TYPE,
        metadata={"sha256": sha256},
    )
    return RenderedDocument(paper.payslip_id, sha256, len(pdf))


def _settle(scope: Scope, rendered: RenderedDocuments, *, run_id: UUID, papers: Sequence[DocumentContent]) -> None:
    """Record the new files, notify their employees, and retry each that failed as a message of its own."""
    documents = json.dumps([asdict(document) for document in rendered.files], default=str)
    new = set(
        scope.session.execute(
            _INSERT_DOCUMENTS, {"tenant_id": scope.tenant_id, "made": documents, "now": scope.now}
        ).scalars()
    )
    user_notifications = [
        UserNotification(
            paper.user_id,
            f"payslip/{paper.payslip_id}",
            {"month": paper.month, "link": _link_of(paper.payslip_id)},
            paper.payslip_id,
        )
        for paper in papers
        if paper.payslip_id in new
    ]
    notifications.notify(
        scope, kind=NotificationKind.PAYROLL_READY, entity_type="payslip", user_notifications=user_notifications
    )
    if retries := [{"run_id": str(run_id), "first": str(one), "last": str(one)} for one in rendered.failed_user_ids]:
        scope.send(QUEUE, retries)
    count("Payslips", len(user_notifications))


def _link_of(payslip_id: UUID) -> str | None:
    url = settings().public_url
    return f"{url}/payslips/{payslip_id}/pdf" if url else None


def _key(tenant_id: UUID, payslip_id: UUID, sha256: str) -> str:
    return files.key_of(tenant_id, "payslips", str(payslip_id), sha256)
