"""HTTP endpoints of bank files."""

from uuid import UUID

from chalice import Blueprint

from chalicelib.entry.bodies import RawBody
from chalicelib.entry.http import endpoint
from chalicelib.entry.paging import Page, PageQuery, RowPage
from chalicelib.entry.rows import CSV_OR_JSON
from chalicelib.features.payouts.batches import (
    actions,
    queries,
    schemas,
    settings_actions,
    settings_queries,
    settings_schemas,
)
from chalicelib.features.payouts.matching import answer_actions
from chalicelib.features.payouts.matching.answer_actions import AnswerOutcome
from chalicelib.features.payouts.matching.bank_lines import XML
from chalicelib.identity.scope import Scope

blueprint = Blueprint(__name__)


@endpoint(blueprint, "GET", "/payouts/bank-file-settings", may="payout_batches.read")
def get_bank_file_settings(scope: Scope) -> settings_schemas.BankFileSettingsView:
    """Tell how your bank takes payment files; the number of the account that pays is masked."""
    return settings_queries.get_settings(scope)


@endpoint(blueprint, "PUT", "/payouts/bank-file-settings", may="payouts.decide")
def set_bank_file_settings(
    scope: Scope, body: settings_schemas.BankFileSettings, if_match: int | None
) -> settings_schemas.BankFileSettingsView:
    """Say how your bank takes payment files from now on: ISO 20022, or columns of your own template."""
    return settings_actions.set_settings(scope, settings=body, if_match=if_match)


@endpoint(blueprint, "POST", "/payouts/batches", may="payouts.run", status=201, moves_money=True)
def make_batch(scope: Scope, body: schemas.NewBatch) -> schemas.CreatedBatch:
    """Put the payouts that wait for a bank file into one, at most 2,000; make another for the rest.

    From then on they are on their way: bring the file to the bank, and its answer back. Without one they come up
    for review after five days.
    """
    return actions.make_batch(scope, new=body)


@endpoint(blueprint, "GET", "/payouts/batches", may="payout_batches.read", reply=Page[schemas.Batch])
def list_batches(scope: Scope, query: PageQuery) -> RowPage[schemas.Batch]:
    """List bank files, oldest first, with what became of their payouts."""
    return queries.page_of_batches(scope, query)


@endpoint(blueprint, "GET", "/payouts/batches/{batch_id}", may="payout_batches.read")
def get_batch(scope: Scope, batch_id: UUID) -> schemas.WholeBatch:
    """Show one bank file: what became of its payouts, and which of them go to bank details that changed lately."""
    return queries.get_batch(scope, batch_id)


@endpoint(blueprint, "GET", "/payouts/batches/{batch_id}/file", may="payout_batches.read")
def get_batch_file(scope: Scope, batch_id: UUID) -> schemas.FileLink:
    """Give a link to the file, for five minutes; who asked for it is kept in the audit log."""
    return actions.hand_over(scope, batch_id=batch_id)


@endpoint(
    blueprint,
    "POST",
    "/payouts/batches/{batch_id}/answer",
    may="payouts.decide",
    accepts=(*XML, *CSV_OR_JSON),
    reply=schemas.AnswerReport,
)
def take_answer(scope: Scope, batch_id: UUID, body: RawBody) -> AnswerOutcome:
    """Take the bank's answer to one file: its status report (pain.002), its statement, or rows as CSV or JSON.

    Rows have `reference`, `status` (paid, failed or returned), and if known `reason`, `bank_reference`, `amount` and
    `currency`. It is judged as by `POST /payouts/bank-reports`, for this batch alone; a status report about another
    one is refused (422).
    """
    return answer_actions.settle_batch_answer(scope, batch_id=batch_id, body=body)


@endpoint(
    blueprint,
    "POST",
    "/payouts/bank-reports",
    may="payouts.decide",
    accepts=(*XML, *CSV_OR_JSON),
    reply=schemas.AnswerReport,
)
def take_bank_report(scope: Scope, body: RawBody) -> AnswerOutcome:
    """Take what a bank reports of any of your files: pain.002, a statement (camt.053), a notification (camt.054), rows.

    Each line is judged by itself, and the same report again changes nothing. Settled (ACSC, ACCC) and debited are
    paid; what came back is returned, less a fee too. A refusal (RJCT, CANC) gives the money back only where its reason
    speaks of nothing but this payment; a duplicate, an unknown reason or none makes it `review`. All else is on its
    way. What contradicts the books is a conflict; what is not about payouts of yours is counted as `unmatched`.
    """
    return answer_actions.settle_report(scope, body=body)
