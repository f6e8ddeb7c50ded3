"""HTTP endpoints of leave expiry."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.features.leave.expiry import actions, queries, schemas
from chalicelib.features.leave.expiry.models import ExpiryRuleRow
from chalicelib.features.leave.expiry.nightly_job import JOB
from chalicelib.identity.scope import Scope
from chalicelib.jobs.schemas import started

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/leave-expiry-rules", may="organisation.read", reply=Page[schemas.ExpiryRule])
def list_expiry_rules(scope: Scope, query: PageQuery) -> RowPage[ExpiryRuleRow]:
    """List the rules by which unused days of leave expire."""
    return queries.page_of_rules(scope, query)


@endpoint(blueprint, "POST", "/leave-expiry-rules", may="organisation.write", status=201, reply=schemas.ExpiryRule)
def add_expiry_rule(scope: Scope, body: schemas.NewExpiryRule) -> ExpiryRuleRow:
    """Add a rule by which unused days of leave expire; leave types name it."""
    return actions.add_rule(scope, new=body)


@endpoint(blueprint, "GET", "/leave-expiry-rules/{rule_id}", may="organisation.read", reply=schemas.ExpiryRule)
def get_expiry_rule(scope: Scope, rule_id: UUID) -> ExpiryRuleRow:
    """Show one rule."""
    return queries.get_rule(scope, rule_id)


@endpoint(blueprint, "PATCH", "/leave-expiry-rules/{rule_id}", may="organisation.write", reply=schemas.ExpiryRule)
def change_expiry_rule(
    scope: Scope, rule_id: UUID, body: schemas.ExpiryRulePatch, if_match: int | None
) -> ExpiryRuleRow:
    """Change a rule; days that have not expired yet then expire as it says now."""
    return actions.change_rule(scope, rule_id=rule_id, patch=body.sent_fields(), if_match=if_match)


@endpoint(blueprint, "POST", "/leave-expiry/run", may="leave.expire", status=202)
def run_expiry(scope: Scope, body: schemas.NewExpiryRun, query: schemas.ExpiryRunQuery) -> schemas.ExpiryRun:
    """Do now what the night does by itself at 02:00: warn people, and act on days that have expired.

    Doing it again does nothing again. With `dry_run` nothing is done: `plan` says what a night of that date would do,
    as things are now.
    """
    if query.dry_run:
        as_of = body.date or scope.today()
        return schemas.ExpiryRun(
            date=as_of,
            job_id=None,
            status_url=None,
            plan=schemas.ExpiryPlan.model_validate(queries.simulate(scope, as_of=as_of)),
        )
    run = JOB.request(scope, as_of=body.date)
    return schemas.ExpiryRun(date=run.as_of, job_id=run.job_id, status_url=started(run.job_id).status_url, plan=None)
