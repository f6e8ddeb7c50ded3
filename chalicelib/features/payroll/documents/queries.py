"""Reads of payslips as files."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select, text

from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.features.payroll.documents.models import payslip_documents
from chalicelib.features.payroll.runs.models import payroll_runs
from chalicelib.identity.models import tenants
from chalicelib.identity.scope import Scope

_WAITING = text(statement(__file__, "waiting_documents"))


@dataclass(frozen=True, slots=True)
class PayslipDocumentRow:
    """The file of a payslip."""

    sha256: str
    size_bytes: int


@dataclass(frozen=True, slots=True)
class WaitingPayslipRow:
    """An employee whose payslip has no file yet, with what its head shows of them."""

    user_id: UUID
    language: str
    department: str | None


def find_document(scope: Scope, payslip_id: UUID) -> PayslipDocumentRow | None:
    """Read a payslip's file, or None while it is missing."""
    documents = select(payslip_documents).where(
        payslip_documents.c.tenant_id == scope.tenant_id,
        payslip_documents.c.payslip_id == payslip_id,
        payslip_documents.c.sha256.is_not(None),
    )
    return rows.first(PayslipDocumentRow, scope.session.execute(documents))


def is_posted(scope: Scope, run_id: UUID) -> bool:
    """Return whether all of a run is in the ledger."""
    posted_at = select(payroll_runs.c.posted_at).where(
        payroll_runs.c.tenant_id == scope.tenant_id, payroll_runs.c.id == run_id
    )
    return scope.session.execute(posted_at).scalar_one() is not None


def find_waiting(scope: Scope, *, run_id: UUID, first: UUID, last: UUID) -> list[WaitingPayslipRow]:
    """Find the payslips of a range of employees whose files are to be made, with department and language."""
    where = {"tenant_id": scope.tenant_id, "run_id": run_id, "first": first, "last": last}
    return rows.every(WaitingPayslipRow, scope.session.execute(_WAITING, where))


def get_color(scope: Scope) -> str | None:
    """Read the color that the tenant chose for what it sends."""
    branding = scope.session.execute(select(tenants.c.branding).where(tenants.c.id == scope.tenant_id)).scalar_one()
    color: str | None = branding.get("color")
    return color
