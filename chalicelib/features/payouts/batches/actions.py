"""Bank files: making one of the payouts that wait, handing it out.

The file is written before the commit, under a key that its batch's id is part of. If the commit is lost, a file stays
behind that no row names and nobody can ask for, and its payouts are still queued; the next batch has another id, and
with it another message id.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from typing import Any
from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from chalicelib import audit
from chalicelib.backing import files
from chalicelib.backing.clock import local_day
from chalicelib.backing.database import Record, statement
from chalicelib.entry.get_or_404 import get_row
from chalicelib.features.payouts.batches import queries, settings_queries
from chalicelib.features.payouts.batches.bank_files import delimited, pain001
from chalicelib.features.payouts.batches.bank_files.delimited import ColumnValue, Template
from chalicelib.features.payouts.batches.bank_files.orders import BankAccount, FileOrder, Transfer
from chalicelib.features.payouts.batches.models import payout_batches
from chalicelib.features.payouts.batches.schemas import NewBatch
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.runs.actions import SWITCHED_OFF
from chalicelib.features.people.destinations.queries import open_destinations
from chalicelib.features.people.destinations.rules import Destination, DestinationKind
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid

MOST_PAYOUTS = 2_000  # in one file, so that the bank's answer to all of them can be taken in one call
FARTHEST = timedelta(days=60)  # banks refuse execution days that are further off
ANSWER_WITHIN = timedelta(days=5)  # for the bank's answer; then a person is asked
_CLAIM = text(statement(__file__, "claim_for_file"))


@dataclass(frozen=True, slots=True)
class FileSetup:
    """How the bank takes files, ready to write one."""

    format: str
    payer: BankAccount | None
    template: Template | None

    @property
    def kinds(self) -> frozenset[DestinationKind]:
        """The kinds of account that a file can name."""
        has = self.template.column_values if self.template else {ColumnValue.IBAN, ColumnValue.ACCOUNT_NUMBER}
        said = {DestinationKind.IBAN: ColumnValue.IBAN, DestinationKind.ACCOUNT: ColumnValue.ACCOUNT_NUMBER}
        return frozenset(kind for kind, value in said.items() if value in has)

    def written(self, order: FileOrder) -> bytes:
        if self.template is not None:
            return delimited.write(order, self.template)
        assert self.payer is not None  # noqa: S101  # the database holds no pain.001 without it
        return pain001.write(order, self.payer)


def make_batch(scope: Scope, *, new: NewBatch) -> Record:
    """Put the payouts that wait into one file: they are on their way to the bank from the commit on."""
    if not delivery_actions.is_enabled(scope):
        raise Conflict(SWITCHED_OFF)
    # one batch of a tenant at a time: numbers have no gaps, and two files never order one payout
    scope.advisory_lock("payout-batches")
    setup = _load_setup(scope)
    execution_on = _check_execution_day(scope, new.execution_on)
    waiting = queries.lock_waiting(scope, kinds=setup.kinds, currency=new.currency, limit=MOST_PAYOUTS)
    _check_waiting(scope, setup, new, waiting)
    batch_id: UUID = scope.session.execute(select(func.uuidv7())).scalar_one()
    destinations = open_destinations(scope, {row["destination_id"] for row in waiting})
    order = FileOrder(
        message_id=batch_id.hex,
        created_at=scope.now,
        execution_on=execution_on,
        transfers=[_to_transfer(scope, row, destinations[row["destination_id"]]) for row in waiting],
    )
    data = setup.written(order)
    row = _insert_batch(scope, batch_id, setup, order, sha256=hashlib.sha256(data).hexdigest())
    _claim_payouts(scope, row, [payout["id"] for payout in waiting])
    files.put(
        scope.tenant_id,
        row["file_key"],
        data,
        content_type="text/csv" if setup.template else "application/xml",
        metadata={"sha256": row["file_sha256"]},
    )
    audit.record(
        scope,
        action="payout_batch.made",
        entity_type="payout_batch",
        entity_id=batch_id,
        after={name: row[name] for name in ("number", "format", "payouts", "totals", "execution_on", "file_sha256")},
    )
    left = queries.count_waiting(scope)
    return {
        **queries.get_batch(scope, batch_id),
        "left_out": _list_left_out(setup, left),
        "waiting": sum(left.values()),
    }


def hand_over(scope: Scope, *, batch_id: UUID) -> Record:
    """Return a link to a batch's file, and note who had it and when it was first asked for."""
    row = get_row(scope, payout_batches, batch_id, what="batch", lock=True)
    if row["handed_over_at"] is None:
        scope.session.execute(
            update(payout_batches)
            .where(payout_batches.c.tenant_id == scope.tenant_id, payout_batches.c.id == batch_id)
            .values(handed_over_at=scope.now)
        )
    audit.record(scope, action="payout_batch.handed_over", entity_type="payout_batch", entity_id=batch_id)
    link = files.make_download_link(scope.tenant_id, row["file_key"], name=row["file_name"], now=scope.now)
    return {"url": link.url, "expires_at": link.expires_at, "name": row["file_name"], "sha256": row["file_sha256"]}


def _load_setup(scope: Scope) -> FileSetup:
    row = settings_queries.find_settings(scope)
    if row is None:
        raise Conflict("Say first how your bank takes files, with PUT /payouts/bank-file-settings.")
    return FileSetup(row["format"], settings_queries.decrypt_payer(scope, row), row["template"])


def _check_execution_day(scope: Scope, said: date | None) -> date:
    today = local_day(scope.now, scope.tenant.timezone)
    if said is None:
        return today
    if not today <= said <= today + FARTHEST:
        raise invalid("/execution_on", f"must be from today ({today}) to {today + FARTHEST}")
    return said


def _check_waiting(scope: Scope, setup: FileSetup, new: NewBatch, waiting: Sequence[Record]) -> None:
    if not waiting:
        left_out = _list_left_out(setup, queries.count_waiting(scope))
        why = "".join(f" {one['payouts']} cannot go into one: {one['reason']}." for one in left_out)
        raise Conflict(f"No payout{f' in {new.currency}' if new.currency else ''} waits for a bank file.{why}")
    currencies = sorted({row["currency"] for row in waiting})
    if len(currencies) > 1 and setup.template is not None and ColumnValue.CURRENCY not in setup.template.column_values:
        raise Conflict(
            f"Payouts in {', '.join(currencies)} wait, and the template has no column for the currency:"
            ' make a batch for each, with {"currency": ...}.'
        )


def _list_left_out(setup: FileSetup, waiting: dict[tuple[DestinationKind, str], int]) -> list[Record]:
    counts: dict[DestinationKind, int] = {}
    for (kind, _), payouts in waiting.items():
        if kind not in setup.kinds:
            counts[kind] = counts.get(kind, 0) + payouts
    return [{"payouts": payouts, "reason": _LEFT_OUT_BECAUSE[kind]} for kind, payouts in counts.items()]


_LEFT_OUT_BECAUSE = {
    DestinationKind.IBAN: "the account has an IBAN, and the template has no column iban",
    DestinationKind.ACCOUNT: "the account has no IBAN, and the template has no column account_number",
    DestinationKind.SIMULATED: "the payout destination is a simulated one, which no bank can pay",
    DestinationKind.MANUAL: "the money is to be handed over, which no bank does",
}


def _to_transfer(scope: Scope, payout: Record, to: Destination) -> Transfer:
    creditor = BankAccount(
        holder=to.holder or "",
        iban=to.iban,
        number=to.account_number,
        bic=to.bic,
        bank_code=to.bank_code,
        branch_code=to.branch_code,
        bank_name=to.bank_name,
    )
    said = "Advance" if payout["kind"] == "advance" else "Payout"
    return Transfer(
        payout["reference"], payout["amount"], payout["currency"], creditor, f"{said} from {scope.tenant.name}"
    )


def _insert_batch(scope: Scope, batch_id: UUID, setup: FileSetup, order: FileOrder, *, sha256: str) -> Record:
    number: int = scope.session.execute(
        select(func.coalesce(func.max(payout_batches.c.number), 0) + 1).where(
            payout_batches.c.tenant_id == scope.tenant_id
        )
    ).scalar_one()
    name = files.safe_name(f"{scope.tenant.slug}-payouts-{number}.{'csv' if setup.template else 'xml'}")
    row = (
        scope.session.execute(
            insert(payout_batches)
            .values(
                tenant_id=scope.tenant_id,
                id=batch_id,
                number=number,
                format=setup.format,
                file_key=files.key_of(scope.tenant_id, "payout-batches", str(batch_id), name),
                file_name=name,
                file_sha256=sha256,
                payouts=len(order.transfers),
                totals=_sum_totals(order.transfers),
                execution_on=order.execution_on,
                created_by=f"{scope.actor.role}:{scope.actor.name}",
                created_at=scope.now,
            )
            .returning(payout_batches)
        )
        .mappings()
        .one()
    )
    return dict(row)


def _sum_totals(transfers: Sequence[Transfer]) -> list[dict[str, Any]]:
    amounts: dict[str, list[Decimal]] = {}
    for transfer in transfers:
        amounts.setdefault(transfer.currency, []).append(transfer.amount)
    return [
        {"currency": currency, "payouts": len(some), "amount": str(sum(some))}
        for currency, some in sorted(amounts.items())
    ]


def _claim_payouts(scope: Scope, batch: Record, payout_ids: Sequence[UUID]) -> None:
    claimed: int = scope.session.execute(
        _CLAIM,
        {
            "tenant_id": scope.tenant_id,
            "batch_id": batch["id"],
            "payout_ids": list(payout_ids),
            "patience": ANSWER_WITHIN,
            "detail": f"bank file {batch['number']}",
            "actor": scope.actor.name,
        },
    ).scalar_one()
    if claimed != len(payout_ids):
        # they are locked, so this cannot be; and a file must never order what is not claimed for it
        raise Conflict("A payout was just moved by somebody else; make the batch again.")
