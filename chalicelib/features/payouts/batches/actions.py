"""Bank files: making one of the payouts that wait, handing it out.

The file is stored before the commit, under a key that contains its batch's id. If the commit fails, a file remains that
no row names and nobody can ask for, and its payouts are still queued; the next batch has another id, and with it
another message id.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal
from uuid import UUID

from sqlalchemy import func, insert, select, text, update

from chalicelib import audit
from chalicelib.backing import files, rows
from chalicelib.backing.clock import local_day
from chalicelib.backing.database import statement
from chalicelib.features.payouts.batches import queries, schemas, settings_queries
from chalicelib.features.payouts.batches.bank_files import delimited, pain001
from chalicelib.features.payouts.batches.bank_files.delimited import ColumnValue, Template
from chalicelib.features.payouts.batches.bank_files.orders import BankAccount, FileOrder, Transfer
from chalicelib.features.payouts.batches.models import payout_batches
from chalicelib.features.payouts.batches.queries import BatchRow, WaitingPayout
from chalicelib.features.payouts.batches.schemas import NewBatch
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.runs.actions import SWITCHED_OFF
from chalicelib.features.people.destinations.queries import open_destinations
from chalicelib.features.people.destinations.rules import Destination, DestinationKind
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Conflict, invalid

MOST_PAYOUTS = 2_000  # in one file, so that the bank's answer to all of them can be taken in one call
FARTHEST = timedelta(days=60)  # banks refuse execution days that are further off
ANSWER_WITHIN = timedelta(days=5)  # the lease of a file's payouts: without the bank's answer they come up for review
_CLAIM = text(statement(__file__, "claim_for_file"))


@dataclass(frozen=True, slots=True)
class FileSetup:
    """How the tenant's bank takes files, with the payer's account decrypted."""

    format: str
    payer: BankAccount | None
    template: Template | None

    @property
    def kinds(self) -> frozenset[DestinationKind]:
        """The kinds of account that a file can name."""
        values = self.template.column_values if self.template else {ColumnValue.IBAN, ColumnValue.ACCOUNT_NUMBER}
        columns = {DestinationKind.IBAN: ColumnValue.IBAN, DestinationKind.ACCOUNT: ColumnValue.ACCOUNT_NUMBER}
        return frozenset(kind for kind, column in columns.items() if column in values)

    def write(self, order: FileOrder) -> bytes:
        """Write the file of an order in the bank's format."""
        if self.template is not None:
            return delimited.write(order, self.template)
        assert self.payer is not None  # noqa: S101  # the database holds no pain.001 without it
        return pain001.write(order, self.payer)


def make_batch(scope: Scope, *, new: NewBatch) -> schemas.CreatedBatch:
    """Put the payouts that wait into one file; from the commit on they are on their way to the bank."""
    if not delivery_actions.is_enabled(scope):
        raise Conflict(SWITCHED_OFF)
    # one batch of a tenant at a time: numbers have no gaps, and no payout is in two files
    scope.advisory_lock("payout-batches")
    setup = _load_setup(scope)
    execution_on = _check_execution_day(scope, new.execution_on)
    waiting = queries.lock_waiting(scope, kinds=setup.kinds, currency=new.currency, limit=MOST_PAYOUTS)
    _check_waiting(scope, setup, new, waiting)
    batch_id: UUID = scope.session.execute(select(func.uuidv7())).scalar_one()
    destinations = open_destinations(scope, {payout.destination_id for payout in waiting})
    order = FileOrder(
        message_id=batch_id.hex,
        created_at=scope.now,
        execution_on=execution_on,
        transfers=[_to_transfer(scope, payout, destinations[payout.destination_id]) for payout in waiting],
    )
    data = setup.write(order)
    batch = _insert_batch(scope, batch_id, setup, order, sha256=hashlib.sha256(data).hexdigest())
    _claim_payouts(scope, batch, [payout.id for payout in waiting])
    files.put(
        scope.tenant_id,
        batch.file_key,
        data,
        content_type="text/csv" if setup.template else "application/xml",
        metadata={"sha256": batch.file_sha256},
    )
    audit.record(
        scope,
        action="payout_batch.made",
        entity_type="payout_batch",
        entity_id=batch_id,
        after={
            "number": batch.number,
            "format": batch.format,
            "payouts": batch.payouts,
            "totals": batch.totals,
            "execution_on": batch.execution_on,
            "file_sha256": batch.file_sha256,
        },
    )
    waiting_still = queries.count_waiting(scope)
    return queries.get_created_batch(
        scope,
        batch_id,
        left_out=_list_left_out(setup, waiting_still),
        waiting=sum(waiting_still.values()),
    )


def hand_over(scope: Scope, *, batch_id: UUID) -> schemas.FileLink:
    """Return a link to a batch's file; record who asked for it, and when it was first asked for."""
    batch = queries.get_batch_row(scope, batch_id, lock=True)
    if batch.handed_over_at is None:
        scope.session.execute(
            update(payout_batches)
            .where(payout_batches.c.tenant_id == scope.tenant_id, payout_batches.c.id == batch_id)
            .values(handed_over_at=scope.now)
        )
    audit.record(scope, action="payout_batch.handed_over", entity_type="payout_batch", entity_id=batch_id)
    link = files.make_download_link(scope.tenant_id, batch.file_key, name=batch.file_name, now=scope.now)
    return schemas.FileLink(url=link.url, expires_at=link.expires_at, name=batch.file_name, sha256=batch.file_sha256)


def _load_setup(scope: Scope) -> FileSetup:
    """Load how the bank takes files. Raises Conflict if nobody has set it."""
    settings = settings_queries.find_settings(scope)
    if settings is None:
        raise Conflict("Say first how your bank takes files, with PUT /payouts/bank-file-settings.")
    return FileSetup(settings.format, settings_queries.decrypt_payer(scope, settings), settings.template)


def _check_execution_day(scope: Scope, requested: date | None) -> date:
    """Return the day on which the bank is to pay, today unless requested otherwise. Raises Invalid."""
    today = local_day(scope.now, scope.tenant.timezone)
    if requested is None:
        return today
    if not today <= requested <= today + FARTHEST:
        raise invalid("/execution_on", f"must be from today ({today}) to {today + FARTHEST}")
    return requested


def _check_waiting(scope: Scope, setup: FileSetup, new: NewBatch, waiting: Sequence[WaitingPayout]) -> None:
    """Check that there are payouts, all of which the file can name. Raises Conflict."""
    if not waiting:
        left_out = _list_left_out(setup, queries.count_waiting(scope))
        why = "".join(f" {some.payouts} cannot go into one: {some.reason}." for some in left_out)
        raise Conflict(f"No payout{f' in {new.currency}' if new.currency else ''} waits for a bank file.{why}")
    currencies = sorted({payout.currency for payout in waiting})
    if len(currencies) > 1 and setup.template is not None and ColumnValue.CURRENCY not in setup.template.column_values:
        raise Conflict(
            f"Payouts in {', '.join(currencies)} wait, and the template has no column for the currency:"
            ' make a batch for each, with {"currency": ...}.'
        )


def _list_left_out(setup: FileSetup, waiting: dict[tuple[DestinationKind, str], int]) -> list[schemas.LeftOut]:
    """Return the payouts that wait and whose kind of account the file cannot name, with the reason."""
    counts: dict[DestinationKind, int] = {}
    for (kind, _), payouts in waiting.items():
        if kind not in setup.kinds:
            counts[kind] = counts.get(kind, 0) + payouts
    return [schemas.LeftOut(payouts=payouts, reason=_LEFT_OUT_BECAUSE[kind]) for kind, payouts in counts.items()]


_LEFT_OUT_BECAUSE = {
    DestinationKind.IBAN: "the account has an IBAN, and the template has no column iban",
    DestinationKind.ACCOUNT: "the account has no IBAN, and the template has no column account_number",
    DestinationKind.SIMULATED: "the payout destination is a simulated one, which no bank can pay",
    DestinationKind.MANUAL: "the money is to be handed over, which no bank does",
}


def _to_transfer(scope: Scope, payout: WaitingPayout, to: Destination) -> Transfer:
    """Return a payout as a transfer to its decrypted bank details."""
    creditor = BankAccount(
        holder=to.holder or "",
        iban=to.iban,
        number=to.account_number,
        bic=to.bic,
        bank_code=to.bank_code,
        branch_code=to.branch_code,
        bank_name=to.bank_name,
    )
    label = "Advance" if payout.kind == "advance" else "Payout"
    return Transfer(payout.reference, payout.amount, payout.currency, creditor, f"{label} from {scope.tenant.name}")


def _insert_batch(scope: Scope, batch_id: UUID, setup: FileSetup, order: FileOrder, *, sha256: str) -> BatchRow:
    """Insert the batch with the tenant's next number; the advisory lock keeps numbers without gaps."""
    number: int = scope.session.execute(
        select(func.coalesce(func.max(payout_batches.c.number), 0) + 1).where(
            payout_batches.c.tenant_id == scope.tenant_id
        )
    ).scalar_one()
    name = files.safe_name(f"{scope.tenant.slug}-payouts-{number}.{'csv' if setup.template else 'xml'}")
    return rows.one(
        BatchRow,
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
        ),
    )


def _sum_totals(transfers: Sequence[Transfer]) -> list[dict[str, str | int]]:
    """Return the sums of a file by currency, as the table keeps them."""
    amounts: dict[str, list[Decimal]] = {}
    for transfer in transfers:
        amounts.setdefault(transfer.currency, []).append(transfer.amount)
    return [
        {"currency": currency, "payouts": len(some), "amount": str(sum(some))}
        for currency, some in sorted(amounts.items())
    ]


def _claim_payouts(scope: Scope, batch: BatchRow, payout_ids: Sequence[UUID]) -> None:
    """Claim the payouts of a file: all of them leave the queue together with it. Raises Conflict."""
    claimed: int = scope.session.execute(
        _CLAIM,
        {
            "tenant_id": scope.tenant_id,
            "batch_id": batch.id,
            "payout_ids": list(payout_ids),
            "lease": ANSWER_WITHIN,
            "detail": f"bank file {batch.number}",
            "actor": scope.actor.name,
        },
    ).scalar_one()
    if claimed != len(payout_ids):
        # cannot happen while they are locked; but a file must never pay what is not claimed for it
        raise Conflict("A payout was just moved by somebody else; make the batch again.")
