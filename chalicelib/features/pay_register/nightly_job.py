"""The nightly job of the pay register: rows and balances of every open month that is behind, as of yesterday."""

from datetime import date, datetime, time
from typing import Any

from chalice import Blueprint

from chalicelib.entry.messages import consumes, scheduled
from chalicelib.features.pay_register import calculation
from chalicelib.identity.scope import Scope
from chalicelib.jobs import nightly, progress
from chalicelib.jobs.nightly import NightlyMessage, NightlyRun

QUEUE = "balances"


class RegisterNight(nightly.NightlyJob):
    """Compute the register; half past midnight leaves night shifts and late devices half an hour.

    Its chunks travel in the queue of all computations of the register (calculation.QUEUE), with their months.
    """

    kind = "balance"
    queue = QUEUE
    starts_at = time(0, 30)
    days_back = 1

    def explain_future(self, scope: Scope, as_of: date) -> str:
        """Say that the day is not over."""
        return f"{as_of} is not over yet in {scope.tenant.timezone}; the last day is {self.latest_day(scope)}"

    def begin(self, scope: Scope, run: NightlyRun) -> None:
        """Compute the months that are behind; the last chunk marks the night as done."""
        months = calculation.due_months(scope, as_of=run.as_of)
        calculation.begin(scope, run.job_id, months=months, as_of=run.as_of, night=self.kind)


JOB = nightly.register(RegisterNight())
blueprint = Blueprint(__name__)


@scheduled(blueprint, nightly.EVERY_ROUND, name=JOB.kind)
def send_due_nights(*, now: datetime) -> int:
    """Send one message for each tenant whose yesterday is not computed yet."""
    return JOB.send_due_tenants(now)


@consumes(blueprint, QUEUE, when_failed=progress.fail)
def compute_night(scope: Scope, *, message: dict[str, Any]) -> None:
    """Compute register and balances of the tenant as of yesterday, or of the day an operator asked for."""
    parsed = NightlyMessage.model_validate(message)
    JOB.start(scope, job_id=parsed.job_id, as_of=parsed.as_of)
