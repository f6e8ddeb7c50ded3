"""Reads of payslips as files."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Row, select, text

from chalicelib.backing.database import Record, statement
from chalicelib.features.payroll.documents.models import payslip_documents
from chalicelib.features.payroll.runs.models import payroll_runs
from chalicelib.identity.models import tenants
from chalicelib.identity.scope import Scope

_WAITING = text(statement(__file__, "waiting_documents"))


def find_document(scope: Scope, payslip_id: UUID) -> Record | None:
    """Read a payslip's file, if it is made."""
    return (
        scope.session.execute(
            select(payslip_documents).where(
                payslip_documents.c.tenant_id == scope.tenant_id,
                payslip_documents.c.payslip_id == payslip_id,
                payslip_documents.c.sha256.is_not(None),
            )
        )
        .mappings()
        .first()
    )


def is_posted(scope: Scope, run_id: UUID) -> bool:
    """Return whether all of a run is in the ledger."""
    rows = select(payroll_runs.c.posted_at).where(
        payroll_runs.c.tenant_id == scope.tenant_id, payroll_runs.c.id == run_id
    )
    return scope.session.execute(rows).scalar_one() is not None


def find_waiting(scope: Scope, *, run_id: UUID, first: UUID, last: UUID) -> Sequence[Row[Any]]:
    """Find the payslips of a range of employees whose files are to be made, with department and language."""
    return scope.session.execute(
        _WAITING, {"tenant_id": scope.tenant_id, "run_id": run_id, "first": first, "last": last}
    ).all()


def get_color(scope: Scope) -> str | None:
    """Read the color that the tenant chose for what it sends."""
    said = scope.session.execute(select(tenants.c.branding).where(tenants.c.id == scope.tenant_id)).scalar_one()
    color: str | None = said.get("color")
    return color
