"""Mutation tests of the laboratory: each defect is a small break of the product, and has to be caught.

A defect edits the source of one function, one statement, or the laboratory's copy of the schema, for as long as it is
looked at. The product's files are not touched.
"""

from __future__ import annotations

import inspect
import sys
import textwrap
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar
from unittest import mock

from rich import box
from rich.console import Console
from rich.table import Table
from sqlalchemy import text

from chalicelib import audit
from chalicelib.backing import database, outbox, queues
from chalicelib.entry import idempotency, messages
from chalicelib.features.payouts.batches.bank_files import camt, pain002
from chalicelib.features.payouts.delivery import actions as delivery_actions
from chalicelib.features.payouts.delivery import outcomes, payout_states
from chalicelib.features.payouts.delivery import rules as delivery_rules
from chalicelib.features.payouts.delivery.outcomes import BankVerdict as PayoutVerdict
from chalicelib.features.payouts.runs import actions as run_actions
from chalicelib.features.payouts.runs import schedules as run_schedules
from chalicelib.features.sales import actions as sales
from chalicelib.kernel.states import PayoutStatus
from chalicelib.ledger import accounts
from infra.labs.crash import laboratory, many, world
from infra.labs.crash.modes import MODES, mode_of
from infra.labs.crash.world import World

MOST_RUNS = 400


@dataclass(frozen=True)
class Edit:
    """Some words of a function's source, and what is there instead while the defect is in."""

    function: Callable[..., Any]
    old: str
    new: str
    more: tuple[tuple[str, str], ...] = ()
    sources: ClassVar[
        dict[str, str]
    ] = {}  # as they were when this module was loaded: the files may be edited meanwhile

    def __post_init__(self) -> None:
        self.sources[f"{self.function.__module__}.{self.function.__qualname__}"] = textwrap.dedent(
            inspect.getsource(self.function)
        )

    @contextmanager
    def applied(self, _world: World) -> Iterator[None]:
        function: Any = self.function
        source = self.sources[_name(function)]
        for old, new in ((self.old, self.new), *self.more):
            if source.count(old) != 1:
                raise LookupError(f"{function.__qualname__} has {old!r} {source.count(old)} times, not once")
            source = source.replace(old, new)
        names: dict[str, Any] = {}
        # its own globals, so that it sees what the product's function sees
        exec(  # noqa: S102 - a defect is a changed copy of the function
            compile(source, function.__code__.co_filename, "exec"),
            function.__globals__,
            names,
        )
        changed: Any = names[function.__name__]
        getter: Any = changed.fget if isinstance(changed, property) else changed
        before = function.__code__
        function.__code__ = getter.__code__
        try:
            yield
        finally:
            function.__code__ = before


def _name(function: Callable[..., Any]) -> str:
    return f"{function.__module__}.{function.__qualname__}"


@dataclass(frozen=True)
class Statement:
    """Some words of a statement that a module keeps, and what is there instead."""

    module: Any
    name: str
    old: str
    new: str

    @contextmanager
    def applied(self, _world: World) -> Iterator[None]:
        kept = getattr(self.module, self.name)
        statement = kept if isinstance(kept, str) else kept.text
        if self.old not in statement:
            raise LookupError(f"{self.module.__name__}.{self.name} has no {self.old!r}")
        changed = statement.replace(self.old, self.new)
        with mock.patch.object(self.module, self.name, changed if isinstance(kept, str) else text(changed)):
            yield


@dataclass(frozen=True)
class Value:
    """A constant of a module with another value."""

    module: Any
    name: str
    value: Any

    @contextmanager
    def applied(self, _world: World) -> Iterator[None]:
        with mock.patch.object(self.module, self.name, self.value):
            yield


@dataclass(frozen=True)
class Schema:
    """A change of the laboratory's copy of the schema; the copy is thrown away afterwards."""

    statement: str

    @contextmanager
    def applied(self, world: World) -> Iterator[None]:
        world.admin.execute(self.statement.encode())
        yield


@dataclass(frozen=True)
class DatabaseFunction:
    """Some words of a function in the laboratory's copy of the database."""

    name: str
    old: str
    new: str

    @contextmanager
    def applied(self, world: World) -> Iterator[None]:
        source = world.rows("select pg_get_functiondef(%s::regproc) as source", self.name)[0]["source"]
        if self.old not in source:
            raise LookupError(f"{self.name} has no {self.old!r}")
        world.admin.execute(source.replace(self.old, self.new).encode())
        yield


def _getter(owner: type, name: str) -> Callable[..., Any]:
    """Return the function behind a property."""
    function: Callable[..., Any] = owner.__dict__[name].fget
    return function


@dataclass(frozen=True)
class Defect:
    """One way to be wrong, and the mode in which it shows soonest (None: any)."""

    name: str
    about: str
    parts: Sequence[Any]
    mode: str | None = None


@dataclass
class Verdict:
    """Whether a defect was caught: by which violations, in which run."""

    defect: Defect
    runs: int
    seconds: float
    seed: int | None = None
    mode: str = ""
    problem: str = ""  # why it could not be applied
    violations: list[str] = field(default_factory=list)

    @property
    def is_caught(self) -> bool:
        return bool(self.violations)

    @property
    def by(self) -> str:
        return ", ".join(sorted({violation.partition(":")[0] for violation in self.violations}))


# What goes wrong around one record goes through to its batch.
_NEIGHBOURS_FAIL = Edit(messages._isolate_failure, 'logger.exception("failed outside its work", queue=queue)', "raise")

DEFECTS = {
    defect.name: defect
    for defect in (
        Defect(
            "mark-before-send",
            "a message is marked as sent before it is",
            [
                Edit(
                    outbox.send,
                    "sent: dict[UUID, list[UUID]] = {}\n",
                    "sent: dict[UUID, list[UUID]] = {}\n"
                    "    for one in messages:\n"
                    "        with transaction(tenant_id=one.tenant_id) as connection:\n"
                    "            connection.execute(text('update outbox set sent_at = now()'"
                    " ' where tenant_id = :tenant_id and id = :id'), {'tenant_id': one.tenant_id, 'id': one.id})\n",
                )
            ],
        ),
        Defect(
            "no-net",
            "neither the outbox is swept nor payouts looked at again",
            [Value(run_schedules, "AT_ONCE", 0), Edit(outbox.sweep, "sent += send(", "sent += len(")],
            "everything",
        ),
        Defect(
            "claim-without-fence",
            "a claim does not raise the fence",
            [Statement(payout_states, "_MOVE", "fence = fence + :claims,", "fence = fence + 0 * :claims,")],
        ),
        Defect(
            "settle-without-fence",
            "an answer is settled whoever has the payout now",
            [
                Edit(
                    delivery_actions._settle,
                    "payout.fence != claim.payout.fence or payout.status != claim.payout.status",
                    "False",
                )
            ],
        ),
        Defect(
            "lease-not-checked",
            "a payout is taken from a worker whose lease has not ended",
            [
                Edit(
                    delivery_actions.take_next_step,
                    'raise Busy("Somebody is sending this payout; their lease has not ended.")',
                    "pass",
                    (('raise Busy("Somebody is asking about this payout.")', "pass"),),
                )
            ],
        ),
        Defect(
            "release-on-time-out",
            "a time-out gives the money back",
            [
                Edit(
                    delivery_actions._settle,
                    "_settle_unclear(scope, payout, answer.why, asked=asked)",
                    'payout_states.move(scope, payout, PayoutStatus.FAILED, what="answered", problem=answer.why)',
                )
            ],
        ),
        Defect(
            "not-found-is-refused",
            "a look-up that finds nothing gives the money back",
            [
                Edit(
                    delivery_actions._settle,
                    'return _resend_or_wait(scope, payout, why="the provider knows nothing of it")',
                    'return bool(payout_states.move(scope, payout, PayoutStatus.FAILED, what="answered")) and None',
                )
            ],
        ),
        Defect(
            "give-up-is-failed",
            "a doubt that nobody can settle gives the money back",
            [Edit(delivery_actions._give_up, "PayoutStatus.REVIEW", "PayoutStatus.FAILED")],
            "neither",
        ),
        Defect(
            "refusal-is-paid",
            "a refusal counts as paid",
            [
                Edit(
                    delivery_actions._settle,
                    "payout_states.move(scope, payout, PayoutStatus.FAILED",
                    "payout_states.move(scope, payout, PayoutStatus.PAID",
                )
            ],
        ),
        Defect(
            "key-age-ignored",
            "a key is sent again however old it is",
            [
                Edit(
                    delivery_rules.may_resend,
                    "return keeps_for is not None and now - first_sent_at < keeps_for - KEY_MARGIN - LEASE",
                    "return keeps_for is not None",
                ),
                Edit(
                    delivery_rules.may_send,
                    "return keeps_for is None or now - first_sent_at < keeps_for - KEY_MARGIN",
                    "return True",
                ),
            ],
            "no-look-up",
        ),
        Defect(
            "key-age-since-last",
            "a key's age is counted from the last time it was sent",
            [Statement(payout_states, "_MOVE", "coalesce(first_sent_at, clock_timestamp())", "clock_timestamp()")],
            "no-look-up",
        ),
        Defect(
            "key-age-when-claimed",
            "a key's age is checked when claiming, not directly before sending",
            [Edit(delivery_actions._call, "if not rules.may_send(", "if False and not rules.may_send(")],
            "no-look-up",
        ),
        Defect(
            "resend-without-keys",
            "what a look-up does not find is sent again, though the provider knows no keys",
            [
                Edit(
                    delivery_rules.may_resend, "return keeps_for is not None and now", "return keeps_for is None or now"
                )
            ],
            "no-keys",
        ),
        Defect(
            "asks-who-cannot-be-asked",
            "a provider without look-up is asked",
            [Edit(delivery_actions._ask, "if not abilities.supports_lookup:", "if False:")],
            "no-look-up",
        ),
        Defect(
            "other-amount-accepted",
            "a payout is paid whatever amount the provider says",
            [
                Edit(
                    delivery_actions._confirm,
                    "(answer.amount, answer.currency) != (payout.amount, payout.currency)",
                    "False",
                )
            ],
        ),
        Defect(
            "call-before-commit",
            "the provider is called in the transaction that claims",
            [
                Edit(
                    messages.process_message,
                    "side_effect = work(scope)\n",
                    "side_effect = work(scope)\n"
                    "            while side_effect is not None:\n"
                    "                side_effect = side_effect.settle(scope, side_effect.call())\n",
                )
            ],
            "neither",
        ),
        Defect(
            "payable-stays",
            "a payout is made, and its money stays payable",
            [
                Statement(
                    run_actions,
                    "_PAY_OUTSIDE_RUNS",
                    "currency, amount, :now from owed\n",
                    "currency, amount, :now from owed where false\n",
                )
            ],
        ),
        Defect(
            "returned-is-kept",
            "money that comes back is not owed again",
            [Value(payout_states, "RELEASES", frozenset({PayoutStatus.FAILED, PayoutStatus.CANCELLED}))],
        ),
        Defect(
            "no-hold",
            "nobody holds the accounts that they move money of",
            [Statement(accounts, "_LOCK", "for update", ""), Statement(accounts, "_LOCK_RANGE", "for update", "")],
        ),
        Defect(
            "advanced-again",
            "sales are advanced without a look at whether they were, and no key forbids it",
            [
                Statement(sales, "ADVANCE", "and not exists (", "and not exists (select where false) and ("),
                Schema(
                    "alter table ledger_entries drop constraint"
                    " ledger_entries_tenant_id_subject_id_event_revision_line_key"
                ),
            ],
        ),
        Defect(
            "rounded-up",
            "advances are rounded up",
            [Statement(sales, "ADVANCE", "trunc(s.earning * :rate,", "round(s.earning * :rate + 0.4,")],
        ),
        Defect(
            "one-sided-balance",
            "balances follow debits only",
            [
                DatabaseFunction(
                    "ledger_keep",
                    "select tenant_id, credit, user_id, currency, -amount from pairs",
                    "select tenant_id, credit, user_id, currency, -amount from pairs where false",
                )
            ],
        ),
        Defect(
            "correction-adds",
            "a correction books the new decision and does not reverse the old one",
            [
                Statement(
                    sales,
                    "_DECIDE",
                    "from (select * from reversed union all select * from posted)",
                    "from (select * from reversed where false union all select * from posted)",
                )
            ],
        ),
        Defect(
            "advance-forgiven",
            "a declined sale's advance is not owed back",
            [
                Statement(
                    sales, "_DECIDE", "where status = 'declined' and advance > 0", "where status = 'declined' and false"
                )
            ],
        ),
        Defect(
            "last-word-wins",
            "a contradicting decision is booked as a correction without being asked",
            [Statement(sales, "_DECIDE", "when before is null or correction then 'ok'", "when true then 'ok'")],
        ),
        Defect(
            "slot-not-claimed",
            "each scheduler's message starts a run",
            [
                Edit(
                    run_actions.run_slot,
                    'progress.claim(scope, kind=kind, key=f"{kind}:{slot.isoformat()}", parameters={"slot": slot})',
                    'progress.create(scope, kind=kind, parameters={"slot": slot})',
                )
            ],
        ),
        Defect(
            "answers-not-kept",
            "a request's answer is not kept under its key",
            [Edit(idempotency.keep, "scope.session.execute(", "(lambda *_: None)(")],
        ),
        Defect(
            "error-swallowed",
            "a database error is caught, the transaction goes on, and nobody guards the commit",
            [
                Edit(
                    audit._append,
                    "scope.session.execute(_APPEND, row)",
                    "try:\n        scope.session.execute(text('select 1 / 0'))\n    except Exception:\n        pass",
                ),
                Edit(database._guard_commit, "raise RuntimeError(", "_ = ("),
            ],
        ),
        Defect(
            "failure-is-done",
            "a message whose work failed is acknowledged",
            [Edit(messages._consume_message, "        return False\n", "        return True\n")],
            "no-second-look",
        ),
        Defect(
            "poison-spreads",
            "a message that fails fails its whole batch",
            [Edit(messages._consume_message, "last = receives >= queues.MAX_RECEIVES\n", "raise\n"), _NEIGHBOURS_FAIL],
        ),
        Defect(
            "back-off-spreads",
            "a message that cannot be let rest fails its whole batch",
            [
                Edit(
                    queues.back_off,
                    'logger.warning("a message could not be let rest", queue=queue, exc_info=True)',
                    "raise",
                ),
                _NEIGHBOURS_FAIL,
            ],
        ),
        Defect(
            "tenant-forgotten",
            "a statement forgets its tenant, and row-level security is off",
            [
                Statement(
                    sales,
                    "_DECIDE",
                    "delete from pending_sales p\n    where p.tenant_id = :tenant_id\n      and",
                    "delete from pending_sales p\n    where :tenant_id is not null or",
                ),
                Schema("alter role wagebook_app bypassrls"),
            ],
        ),
        Defect(
            "reference-by-amount",
            "a payout's reference is made of its amount alone",
            [
                Statement(
                    run_actions,
                    "_PAY_OUTSIDE_RUNS",
                    "concat_ws('|', cast(:tenant_id as uuid), d.user_id, d.currency, d.amount, d.booked_key)",
                    "concat_ws('|', cast(:tenant_id as uuid), d.amount)",
                ),
                Statement(
                    run_actions,
                    "_PAY_OUTSIDE_RUNS",
                    "case when same_key.count = 0 then content.key",
                    "case when true then content.key",
                ),
                Schema("alter table payouts drop constraint payouts_tenant_id_reference_key"),
            ],
        ),
        Defect(
            "duplicate-is-refused",
            "a refusal because the file was brought twice gives the money back",
            [Edit(PayoutVerdict.outcome, "if self.speaks_of_earlier:", "if False:")],
            "files",
        ),
        Defect(
            "unknown-reason-is-refused",
            "a reason that nobody knows gives the money back",
            [Edit(outcomes.find_subject, "else ReasonSubject.DOUBT", "else ReasonSubject.REFUSED")],
            "files",
        ),
        Defect(
            "no-reason-is-refused",
            "a refusal without a reason gives the money back",
            [
                Edit(
                    outcomes._judge_reasons,
                    "if not subjects or ReasonSubject.DOUBT in subjects",
                    "if ReasonSubject.DOUBT in subjects",
                )
            ],
            "files",
        ),
        Defect(
            "words-are-ignored",
            "a duplicate that the bank tells in words alone gives the money back",
            [
                Edit(
                    _getter(PayoutVerdict, "speaks_of_earlier"),
                    "bool(verdict.text and _EARLIER_IN_WORDS.search(verdict.text))",
                    "False",
                )
            ],
            "files",
        ),
        Defect(
            "group-is-forgotten",
            "a transfer's own reason counts, whatever the refusal of its file says",
            [Edit(pain002._within, "replace(verdict, around=(*verdict.around, around))", "verdict")],
            "files",
        ),
        Defect(
            "file-reason-after-acceptance",
            "a wrong signature on what the bank has taken before is a refusal",
            [Edit(outcomes._judge_reasons, "(ReasonSubject.FILE in subjects and was_accepted)", "False")],
            "files",
        ),
        Defect(
            "accepted-is-paid",
            "a transfer that the bank has only accepted is paid",
            [Value(outcomes, "PAID", outcomes.PAID | {"ACSP", "ACTC", "ACCP"})],
            "files",
        ),
        Defect(
            "pending-entry-is-paid",
            "an entry that is not booked yet confirms",
            [Edit(camt._movement, "if verdict.status != BOOKED:", "if False:")],
            "files",
        ),
        Defect(
            "fee-is-another-amount",
            "what comes back less a fee is not known again",
            [Edit(camt.Booking.find_fee, "(fee > 0 and (is_shown or is_small))", "False")],
            "files",
        ),
        Defect(
            "credit-is-paid",
            "a credit of a transfer counts as its debit",
            [Edit(camt._movement, "EntryMovement.RETURNED\n", "EntryMovement.PAID\n")],
            "files",
        ),
        Defect(
            "end-to-end-only",
            "a transfer that is named by its instruction alone is not found",
            [Edit(pain002._read_line, '"OrgnlEndToEndId", "OrgnlInstrId", "OrgnlTxId"', '"OrgnlEndToEndId"')],
            "files",
        ),
    )
}


def search(
    admin_url: str, defect: Defect, *, first_seed: int = 1, most: int = MOST_RUNS, template: str = world.TEMPLATE
) -> Verdict:
    """Run stories of a product with the defect until an invariant is violated."""
    began = time.monotonic()
    with world.opened(admin_url, template=template) as opened_world, ExitStack() as stack:
        laboratory.make_other_tenant(opened_world)
        try:
            for part in defect.parts:
                stack.enter_context(part.applied(opened_world))
        except LookupError as error:
            return Verdict(defect, 0, time.monotonic() - began, problem=str(error))
        try:
            for number in range(most):
                seed = first_seed + number
                mode = MODES[defect.mode] if defect.mode else mode_of(seed)
                outcome = laboratory.run(opened_world, seed, mode)
                if outcome.violations:
                    return Verdict(
                        defect, number + 1, time.monotonic() - began, seed, mode.name, violations=outcome.violations
                    )
        finally:
            opened_world.admin.execute("alter role wagebook_app nobypassrls")
    return Verdict(defect, most, time.monotonic() - began)


def show(names: list[str], *, first_seed: int) -> bool:
    """Search for each defect, or for those named, and print what caught it."""
    console = Console(width=None if sys.stdout.isatty() else 170)
    if unknown := set(names) - set(DEFECTS):
        console.print(f"There is no defect {', '.join(sorted(unknown))}; there are: {', '.join(DEFECTS)}")
        return False
    selected = [DEFECTS[name] for name in names] if names else list(DEFECTS.values())
    style = box.SIMPLE_HEAD if console.is_terminal else box.ASCII2
    table = Table(
        title=f"{len(selected)} defects, searched for from seed {first_seed}", box=style, title_justify="left"
    )
    for name in ("defect", "what is broken", "caught by", "mode", "seed", "runs"):
        table.add_column(name, justify="right" if name in ("seed", "runs") else "left")
    outcomes = []
    with many.server() as admin_url:
        for number, defect in enumerate(selected, start=1):
            print(f"{number}/{len(selected)} {defect.name} ...", end="", file=sys.stderr, flush=True)
            verdict = search(admin_url, defect, first_seed=first_seed)
            outcomes.append(verdict)
            print(
                f" {verdict.by or verdict.problem or 'NOT CAUGHT'}, {verdict.seconds:.0f} s",
                file=sys.stderr,
                flush=True,
            )
            caught = verdict.by or f"[red]{verdict.problem or 'NOT CAUGHT'}[/]"
            table.add_row(defect.name, defect.about, caught, verdict.mode, str(verdict.seed or ""), str(verdict.runs))
            if names:
                for violation in verdict.violations:
                    console.print(violation, markup=False, highlight=False)
    console.print(table)
    console.print(f"{sum(one.is_caught for one in outcomes)} of {len(outcomes)} caught", highlight=False)
    return all(one.is_caught for one in outcomes)
