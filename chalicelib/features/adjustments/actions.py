"""Adding one-off amounts. They are only ever added; a wrong one is corrected by another of the opposite sign.

The next payroll run pays each of them once: until then they are open, and nothing is posted to the ledger.
"""

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import date
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import text

from chalicelib import audit, four_eyes
from chalicelib.backing import rows
from chalicelib.backing.database import statement
from chalicelib.features.adjustments import queries
from chalicelib.features.adjustments.queries import AdjustmentRow
from chalicelib.features.adjustments.rules import AdjustmentKind, NewAdjustmentRow, wrong_sign
from chalicelib.features.adjustments.schemas import NewAdjustment
from chalicelib.features.people.users import queries as people
from chalicelib.features.people.users.actions import too_fine
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.money import fits, rounded

_ADD = text(statement(__file__, "add"))


@dataclass(frozen=True, slots=True)
class _AddedRow:
    """An adjustment that was added (sql/add.sql)."""

    id: UUID
    user_id: UUID
    kind: str
    amount: Decimal
    currency: str
    reason: str
    effective_on: date
    explanation: Mapping[str, Any] | None
    source_type: str | None
    source_id: str | None


def add(scope: Scope, *, adjustments: Sequence[NewAdjustmentRow]) -> list[UUID]:
    """Add amounts in one statement and return the ids of those that did not exist."""
    if not adjustments:
        return []
    documents = [
        {
            "user_id": adjustment.user_id,
            "kind": adjustment.kind,
            "amount": adjustment.amount,
            "currency": adjustment.currency,
            "reason": adjustment.reason,
            "effective_on": adjustment.effective_on,
            "explanation": adjustment.explanation,
            "source_type": adjustment.source[0] if adjustment.source else None,
            "source_id": adjustment.source[1] if adjustment.source else None,
        }
        for adjustment in adjustments
    ]
    values = {
        "tenant_id": scope.tenant_id,
        "adjustments": json.dumps(documents, default=str),
        "created_by": scope.actor.name,
        "created_by_ids": sorted(scope.actor.all_ids),
        "now": scope.now,
    }
    added = rows.every(_AddedRow, scope.session.execute(_ADD, values))
    _record_in_audit(scope, added)
    return [adjustment.id for adjustment in added]


def _record_in_audit(scope: Scope, added: Sequence[_AddedRow]) -> None:
    """Write one audit row: of a single adjustment all of it, of many their sums."""
    after: dict[str, Any]
    if len(added) == 1:
        after = {name: value for name, value in asdict(added[0]).items() if name != "id" and value is not None}
    else:  # each of the rows says who added it and why, and is never changed
        amounts: dict[str, Decimal] = defaultdict(Decimal)
        for adjustment in added:
            amounts[adjustment.currency] += adjustment.amount
        kinds = sorted({adjustment.kind for adjustment in added})
        after = {"adjustments": len(added), "kinds": kinds, "amounts": amounts}
    if added:
        audit.record(
            scope,
            action="payroll_adjustment.added",
            entity_type="payroll_adjustment",
            entity_id=added[0].id if len(added) == 1 else "many",
            after=after,
        )


def add_by_hand(scope: Scope, *, new: NewAdjustment) -> AdjustmentRow:
    """Add an amount that HR has decided on."""
    people.get_user(scope, new.user_id, "adjustments.write")
    four_eyes.check_not_own(scope, four_eyes.Subject.ADJUSTMENT, new.user_id)
    currency = new.currency or scope.tenant.currency
    if error := wrong_sign(AdjustmentKind(new.kind), new.amount):
        raise invalid("/amount", error)
    if not fits(new.amount, currency):
        raise invalid("/amount", too_fine(currency))
    amount = rounded(new.amount, currency)  # which fits, so that only zeros are added
    adjustment = NewAdjustmentRow(
        new.user_id, AdjustmentKind(new.kind), amount, currency, new.reason, effective_on=new.effective_date
    )
    [adjustment_id] = add(scope, adjustments=[adjustment])
    return queries.get_adjustment(scope, adjustment_id)
