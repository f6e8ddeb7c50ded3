"""Who took part in what is to be paid, and whether the approver is one of them."""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from chalicelib.four_eyes.enforcement import is_enforced
from chalicelib.identity.scope import Scope
from chalicelib.kernel.errors import Forbidden


class Participation(StrEnum):
    """What an actor did before approval; the value is the reason given to an approver who did it."""

    MADE_RUN = "You made this payroll run"
    CALCULATED = "You calculated this payroll run"
    GAVE_AMOUNT = "You gave amounts that this payroll run pays"
    MADE_ADJUSTMENT = "You made adjustments that this payroll run pays"
    OWN_FIGURE = "You decided a part of your own pay that this payroll run may pay"
    PREPARED = "You started the run that made this payout"
    MADE_SALE = "You made a sale that this payout pays"
    DECIDED_SALE = "You decided a sale that this payout pays"
    SET_DESTINATION = "You set the bank details"
    PAYEE = "It pays you"


@dataclass(frozen=True, slots=True)
class Participants:
    """All who did one part, by their ids."""

    part: Participation
    ids: Iterable[UUID] | None


def why_not(scope: Scope, participants: Iterable[Participants], *, verb: str = "approve it") -> str | None:
    """Return why the caller may not approve, by the first part that they took, or None where they may."""
    if not scope.actor.all_ids:
        return None
    for one in participants:
        if scope.actor.is_any_of(one.ids):
            return f"{one.part}; somebody else has to {verb}." if is_enforced(scope) else None
    return None


def check_may_approve(scope: Scope, participants: Iterable[Participants], *, verb: str = "approve it") -> None:
    """Refuse an approver who took part in what they approve. Raises Forbidden."""
    if because := why_not(scope, participants, verb=verb):
        raise Forbidden(because)
