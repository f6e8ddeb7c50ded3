"""Limits of AWS and of our own, each with what so many people need of it in one account and cell."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.labs.growth import usage as assumed
from infra.labs.growth.measured import ROWS_PER_PERSON
from infra.labs.growth.usage import Usage

PAYOUT_SECONDS, PAYOUT_HOURS = 0.5, 4  # a provider's answer; the day's window
PAYOUTS_AT_ONCE, DOCUMENTS_AT_ONCE = 20, 10  # at_once of our queues
DOCUMENTS_A_SECOND = 80 / 1.769  # of a function with a gigabyte: 1,769 MB are one core
SLIP_HOURS = 12  # in which all payslips are sent


@dataclass(frozen=True, slots=True)
class Limit:
    """A limit: how much is available, how much is needed, and the source."""

    what: str
    is_ours: bool
    available: float
    needed: float
    unit: str
    source: str

    @property
    def share(self) -> float:
        return self.needed / self.available


def limits(used: Usage) -> list[Limit]:
    """List the limits, the fullest first."""
    return sorted(_limits(used), key=lambda one: -one.share)


def _limits(used: Usage) -> Iterator[Limit]:
    payouts = used.people / (PAYOUT_HOURS * 3600)
    slips = used.people / (SLIP_HOURS * 3600)
    at_once = used.peak_requests * assumed.REQUEST_MS / 1000
    yield Limit(
        "payouts on payout day, at a bank's half second",
        True,
        PAYOUTS_AT_ONCE / PAYOUT_SECONDS,
        payouts,
        "a second",
        "at_once of the queue payouts",
    )
    yield Limit(
        "mails of payslips in half a day",
        False,
        14,
        slips,
        "a second",
        "docs.aws.amazon.com/ses/latest/dg/quotas.html: 1 in the sandbox, then what AWS grants;"
        " 14 is a common first grant",
    )
    yield Limit(
        "Lambda, at once, when payslips come",
        False,
        1000,
        at_once + payouts * PAYOUT_SECONDS,
        "functions",
        "docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html; new accounts have fewer",
    )
    yield Limit(
        "API Gateway, when payslips come",
        False,
        10_000,
        used.peak_requests,
        "requests a second",
        "docs.aws.amazon.com/apigateway/latest/developerguide/limits.html",
    )
    cores = used.peak_requests * assumed.REQUEST_CORE_MS / 1000
    yield Limit(
        "Aurora's writer, when payslips come",
        False,
        256,
        cores * assumed.CORE_ACU,
        "ACU",
        "docs.aws.amazon.com: aurora-serverless-v2.requirements; 32 in deploy/cloud/sizes.py",
    )
    yield Limit(
        "connections of Aurora, behind the proxy",
        False,
        5000,
        cores * 2 + 100,
        "in a transaction",
        "max_connections = LEAST(memory/9531392, 5000)",
    )
    facts = used.people * ROWS_PER_PERSON["attendance"] * assumed.MONTHS_KEPT
    yield Limit(
        "rows of attendance in one database, a year",
        True,
        assumed.CELL_FACTS,
        facts,
        "rows",
        "our own: restored in hours, vacuumed in minutes",
    )
    yield Limit(
        "the night, in the hour after 00:30",
        True,
        3600,
        used.nightly_seconds,
        "seconds of one worker",
        "the nightly run; twenty chunks at once divide it",
    )
    yield Limit(
        "SQS, in flight, on payout day",
        False,
        120_000,
        payouts * PAYOUT_SECONDS * 10,
        "messages of a queue",
        "docs.aws.amazon.com: quotas-queues (standard)",
    )
    yield Limit(
        "KMS, on payout day",
        False,
        10_000,
        payouts * 0.05,
        "calls a second",
        "docs.aws.amazon.com/kms/latest/developerguide/requests-per-second.html, most regions",
    )
    yield Limit(
        "PDFs of payslips in half a day",
        True,
        DOCUMENTS_AT_ONCE * DOCUMENTS_A_SECOND,
        slips,
        "a second",
        "at_once of the queue payslip-documents",
    )
    yield Limit(
        "S3, one prefix, the same",
        False,
        3500,
        slips,
        "PUT a second",
        "docs.aws.amazon.com: optimizing-performance; a prefix for each tenant",
    )
    yield Limit(
        "Aurora's volume, after a year",
        False,
        128 * 2**40,
        used.stored,
        "bytes",
        "docs.aws.amazon.com: Aurora quotas; 256 TiB in newer versions",
    )
