"""Adding one-off amounts. They are only ever added here; a wrong one is made good by another the other way.

Payroll will pay them, each once, with the next open period: until then they are open, and nothing is in the ledger.
"""

import json
from collections import defaultdict
from collections.abc import Sequence
from decimal import Decimal
from uuid import UUID

from sqlalchemy import RowMapping, text

from chalicelib import audit, four_eyes
from chalicelib.backing.database import Record, statement
from chalicelib.features.adjustments import queries
from chalicelib.features.adjustments.rules import AdjustmentKind, NewAdjustmentRow, wrong_sign
from chalicelib.features.adjustments.schemas import NewAdjustment
from chalicelib.features.people.users import queries as people
from chalicelib.features.people.users.actions import too_fine
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import invalid
from chalicelib.kernel.money import fits, rounded

_ADD = text(statement(__file__, "add"))


def add(scope: Scope, *, adjustments: Sequence[NewAdjustmentRow]) -> list[UUID]:
    """Add amounts in one statement and give the ids of those that were not there before."""
    if not adjustments:
        return []
    said = [
        {
            "user_id": one.user_id,
            "kind": one.kind,
            "amount": one.amount,
            "currency": one.currency,
            "reason": one.reason,
            "effective_on": one.effective_on,
            "explanation": one.explanation,
            "source_type": one.source[0] if one.source else None,
            "source_id": one.source[1] if one.source else None,
        }
        for one in adjustments
    ]
    rows = (
        scope.session.execute(
            _ADD,
            {
                "tenant_id": scope.tenant_id,
                "adjustments": json.dumps(said, default=str),
                "created_by": scope.actor.name,
                "created_by_ids": sorted(scope.actor.hands),
                "now": scope.now,
            },
        )
        .mappings()
        .all()
    )
    _record(scope, rows)
    return [row["id"] for row in rows]


def _record(scope: Scope, rows: Sequence[RowMapping]) -> None:
    if len(rows) == 1:
        what = {name: value for name, value in rows[0].items() if name != "id" and value is not None}
    else:  # each of the rows says who added it and why, and is never changed
        amounts: dict[str, Decimal] = defaultdict(Decimal)
        for row in rows:
            amounts[row["currency"]] += row["amount"]
        what = {"adjustments": len(rows), "kinds": sorted({row["kind"] for row in rows}), "amounts": amounts}
    if rows:
        audit.record(
            scope,
            action="payroll_adjustment.added",
            entity_type="payroll_adjustment",
            entity_id=rows[0]["id"] if len(rows) == 1 else "many",
            after=what,
        )


def add_by_hand(scope: Scope, *, new: NewAdjustment) -> Record:
    """Add an amount that somebody of HR has decided on."""
    people.get_user(scope, new.user_id, "adjustments.write")
    four_eyes.check_not_own(scope, four_eyes.Subject.ADJUSTMENT, new.user_id)
    currency = new.currency or scope.tenant.currency
    if why := wrong_sign(AdjustmentKind(new.kind), new.amount):
        raise invalid("/amount", why)
    if not fits(new.amount, currency):
        raise invalid("/amount", too_fine(currency))
    amount = rounded(new.amount, currency)  # which fits, so that only zeros are added
    one = NewAdjustmentRow(
        new.user_id, AdjustmentKind(new.kind), amount, currency, new.reason, effective_on=new.effective_date
    )
    [adjustment_id] = add(scope, adjustments=[one])
    return queries.get_adjustment(scope, adjustment_id)
