"""Making the files of a run's payslips, once, telling the people, and giving them out.

A payslip of an approved run never changes, so its file is made once. A message is some fifty payslips: what they say
is read in one transaction, the files are made and put away between two, and the second notes those that are new and
tells their people, so that nobody is told of a file that is not there, or told twice. Whoever dies in between leaves
files that no row names, and the next to come writes the same bytes under the same keys.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, text

from chalicelib import notifications
from chalicelib.backing import files, outbox
from chalicelib.backing.database import Record, statement, transaction
from chalicelib.backing.log import count, logger
from chalicelib.backing.settings import settings
from chalicelib.entry.messages import SideEffect
from chalicelib.features.payroll.documents import queries, rendering
from chalicelib.features.payroll.documents.wording import Letterhead, Sheet, sheet_of
from chalicelib.features.payroll.runs import queries as run_queries
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Busy, Conflict
from chalicelib.kernel.states import FIXED_PAYROLL
from chalicelib.notifications import NotificationKind, UserNotification

QUEUE = "payslip-documents"
AT_ONCE = 50  # payslips to a message: about a second of work, and as many files to put away
STALE = timedelta(minutes=5)  # a file that was asked for this long ago is asked for again, when somebody wants it

_ASK = text(statement(__file__, "ask_documents"))
_MADE = text(statement(__file__, "made_documents"))


@dataclass(frozen=True, slots=True)
class Paper:
    """A payslip that is to be made into a file."""

    payslip_id: UUID
    user_id: UUID
    month: str
    sheet: Sheet
    dated: datetime  # the same whenever it is made, so that the file is


@dataclass(frozen=True, slots=True)
class Failed:
    """Whose payslip could not be made into a file, and why."""

    user_id: UUID
    error: Exception


@dataclass(frozen=True, slots=True)
class RenderedDocuments:
    """The files of a message that are put away, and the people whose file could not be made."""

    files: list[dict[str, Any]]
    failed_user_ids: list[UUID]


def request(scope: Scope, *, run_id: UUID) -> None:
    """Have the files of a run's payslips made, once all of it is booked, and their people told."""
    scope.send(QUEUE, _ask(scope.session, scope, run_id=run_id))


def make(scope: Scope, *, run_id: UUID, first: UUID, last: UUID) -> SideEffect | None:
    """Make the files that a range of people still lack.

    One that cannot be made holds no other: it goes on alone, as a message of its own.
    """
    waiting = {row.user_id: row for row in queries.find_waiting(scope, run_id=run_id, first=first, last=last)}
    if not waiting:
        return None
    color = queries.get_color(scope)
    papers, failed = [], []
    for payslip in run_queries.read_payslips(scope, run_id=run_id, user_ids=list(waiting)):
        whose = waiting[payslip["user"]["id"]]
        head = Letterhead(scope.tenant.name, color, whose.department, whose.language)
        try:
            sheet = sheet_of(payslip, head)
        except Exception as error:
            failed.append(Failed(whose.user_id, error))
            continue
        papers.append(Paper(payslip["id"], whose.user_id, payslip["month"], sheet, payslip["calculated_at"]))
    return SideEffect(
        partial(_make_files, scope.tenant_id, papers, failed),
        lambda after, made: _settle(after, made, run_id=run_id, papers=papers),
    )


def open_file(scope: Scope, payslip_id: UUID) -> Record:
    """Return an address for a payslip's file; Busy, and asked for again, where it is not there yet."""
    payslip = run_queries.get_payslip(scope, payslip_id)
    if payslip["run_status"] not in FIXED_PAYROLL:
        raise Conflict(
            f"The payroll run of this payslip is {payslip['run_status']}: payslips are made into files once the run is"
            " approved. Approve the run first."
        )
    document = queries.find_document(scope, payslip_id)
    if document is None:
        if queries.is_posted(scope, payslip["run_id"]):
            _ask_now(scope, run_id=payslip["run_id"], payslip_id=payslip_id)
        raise Busy("The PDF of this payslip is being made; try again in a few seconds.")
    name = files.safe_name(f"payslip-{payslip['month']}-{payslip['user']['employee_no'] or ''}") + ".pdf"
    link = files.make_download_link(
        scope.tenant_id, _key(scope.tenant_id, payslip_id, document["sha256"]), name=name, now=scope.now
    )
    return {"url": link.url, "expires_at": link.expires_at, "name": name, "size_bytes": document["size_bytes"]}


def _ask_now(scope: Scope, *, run_id: UUID, payslip_id: UUID) -> None:
    # in a transaction of its own: the caller's ends with the answer that it is not there yet, and is rolled back
    with transaction(tenant_id=scope.tenant_id) as session:
        bodies = _ask(session, scope, run_id=run_id, payslip_id=payslip_id)
        messages = outbox.put(session, tenant_id=scope.tenant_id, queue=QUEUE, bodies=bodies)
    outbox.send(messages)


def _ask(session: Connection, scope: Scope, *, run_id: UUID, payslip_id: UUID | None = None) -> list[dict[str, Any]]:
    ranges = session.execute(
        _ASK,
        {
            "tenant_id": scope.tenant_id,
            "run_id": run_id,
            "payslip_id": payslip_id,
            "now": scope.now,
            "stale": scope.now - STALE,
            "at_once": AT_ONCE,
        },
    )
    return [{"run_id": str(run_id), "first": str(row.first), "last": str(row.last)} for row in ranges]


def _make_files(tenant_id: UUID, papers: Sequence[Paper], failed: Sequence[Failed]) -> RenderedDocuments:
    """Make and put away what can be made. Raises the first error where nothing can: the message is tried again."""
    made, failed = [], list(failed)
    for paper in papers:
        try:
            made.append(_make_file(tenant_id, paper))
        except Exception as error:
            logger.exception("a payslip cannot be made into a file", payslip_id=str(paper.payslip_id))
            failed.append(Failed(paper.user_id, error))
    if failed and not made:
        raise failed[0].error
    count("PayslipsNotMade", len(failed))
    return RenderedDocuments(made, [one.user_id for one in failed])


def _make_file(tenant_id: UUID, paper: Paper) -> dict[str, Any]:
    pdf = rendering.pdf_of(paper.sheet, dated=paper.dated)
    sha256 = hashlib.sha256(pdf).hexdigest()
    files.put(
        tenant_id,
        _key(tenant_id, paper.payslip_id, sha256),
        pdf,
        content_type=rendering.CONTENT_TYPE,
        metadata={"sha256": sha256},
    )
    return {"payslip_id": str(paper.payslip_id), "sha256": sha256, "size_bytes": len(pdf)}


def _settle(scope: Scope, made: RenderedDocuments, *, run_id: UUID, papers: Sequence[Paper]) -> None:
    """Note the files that are new, notify their people, and send each that could not be made on its own way."""
    new = set(
        scope.session.execute(
            _MADE, {"tenant_id": scope.tenant_id, "made": json.dumps(made.files), "now": scope.now}
        ).scalars()
    )
    notices = [
        UserNotification(
            paper.user_id,
            f"payslip/{paper.payslip_id}",
            {"month": paper.month, "link": _link_of(paper.payslip_id)},
            paper.payslip_id,
        )
        for paper in papers
        if paper.payslip_id in new
    ]
    notifications.notify(scope, kind=NotificationKind.PAYROLL_READY, entity_type="payslip", user_notifications=notices)
    if alone := [{"run_id": str(run_id), "first": str(one), "last": str(one)} for one in made.failed_user_ids]:
        scope.send(QUEUE, alone)
    count("Payslips", len(notices))


def _link_of(payslip_id: UUID) -> str | None:
    url = settings().public_url
    return f"{url}/payslips/{payslip_id}/pdf" if url else None


def _key(tenant_id: UUID, payslip_id: UUID, sha256: str) -> str:
    return files.key_of(tenant_id, "payslips", str(payslip_id), sha256)
