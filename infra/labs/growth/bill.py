"""The monthly bill: usage times the price list, a line for each service, for all cells together."""

from collections.abc import Iterator
from dataclasses import dataclass

from infra.deploy.cloud.sizes import SIZES
from infra.labs.growth import usage as assumed
from infra.labs.growth.prices import PRICES
from infra.labs.growth.usage import DAYS, GB, HOURS, Usage

MILLION = 1_000_000
QUEUES, SCHEDULES_A_MINUTE = 14, 4  # that are polled; schedules that run every minute
ALARMS, METRICS = 130, 60  # of one stack
SECRETS, KEYS, GATEWAYS = 4, 2, SIZES["prod"].gateways
BACKUPS_KEPT = SIZES["prod"].backups_kept  # days
POLLERS, POLLS_A_MINUTE = 5, 3  # Lambda asks an empty queue five at a time, for 20 seconds each
KEY_CALLS = 0.05  # of KMS for each payout: data keys are kept in memory
BYTES_OUT = 6_000  # of an answer
NAT_BYTES = 4_000  # through NAT for each message: SQS, SES, providers of payouts; S3 goes past it
PROXY_LEAST = 8  # ACU


@dataclass(frozen=True, slots=True)
class Line:
    """One service of the bill: what of it, and dollars a month."""

    service: str
    what: str
    dollars: float


def bill(used: Usage) -> list[Line]:
    """Write the bill of a month."""
    return list(_database(used)) + list(_calls(used)) + list(_around(used))


def total(lines: list[Line]) -> float:
    """Add a bill up."""
    return sum(line.dollars for line in lines)


def database_of(used: Usage) -> dict[str, float]:
    """Price the database in both of Aurora's ways."""
    stored = used.stored / GB
    return {
        "standard": used.acu_hours * _("acu_hour") + stored * _("storage") + used.io / MILLION * _("io"),
        "optimized": used.acu_hours * _("acu_hour_optimized") + stored * _("storage_optimized"),
    }


def _(name: str) -> float:
    return PRICES[name].dollars


def _database(used: Usage) -> Iterator[Line]:
    stored = used.stored / GB
    yield Line("Aurora, capacity", f"{used.acu_hours:,.0f} ACU-hours", used.acu_hours * _("acu_hour"))
    yield Line("Aurora, storage", f"{stored:,.0f} GB after a year", stored * _("storage"))
    yield Line("Aurora, I/O", f"{used.io / MILLION:,.0f} million", used.io / MILLION * _("io"))
    # the first day's is free; of the others what was written
    kept = used.log / DAYS * (BACKUPS_KEPT - 1) / GB
    yield Line("Aurora, backups", f"{kept:,.0f} GB of {BACKUPS_KEPT} days", kept * _("backup"))
    hours = used.cells * max(PROXY_LEAST, assumed.INSTANCES * used.least_acu) * HOURS
    yield Line("RDS Proxy", f"{hours:,.0f} ACU-hours", hours * _("proxy"))


def _calls(used: Usage) -> Iterator[Line]:
    ticks = used.cells * SCHEDULES_A_MINUTE * 60 * HOURS
    invoked = (used.requests + used.messages + ticks) / MILLION
    yield Line(
        "API Gateway", f"{used.requests / MILLION:,.1f} million requests", used.requests / MILLION * _("request")
    )
    seconds = used.lambda_gb_seconds + ticks * assumed.LAMBDA_GB * 0.1  # a tick that finds nothing takes that long
    yield Line("Lambda", f"{seconds:,.0f} GB-seconds", seconds * _("gb_second") + invoked * _("invocation"))
    polls = used.cells * QUEUES * POLLERS * POLLS_A_MINUTE * 60 * HOURS
    asked = (3 * used.messages + polls) / MILLION  # sent, received, deleted
    yield Line("SQS", f"{asked:,.0f} million requests", asked * _("sqs"))
    yield Line("SES", f"{used.mails:,.0f} mails", used.mails / 1000 * _("mail"))


def _around(used: Usage) -> Iterator[Line]:
    documents = used.people * assumed.MONTHS_KEPT * assumed.DOCUMENT_BYTES / GB
    yield Line("S3", f"{documents:,.0f} GB after a year", documents * _("s3_gb") + used.people / 1000 * _("s3_put"))
    out, through = used.requests * BYTES_OUT / GB, used.messages * NAT_BYTES / GB
    hours = used.cells * GATEWAYS * HOURS
    yield Line("NAT", f"{hours:,.0f} hours, {through:,.0f} GB", hours * _("nat_hour") + through * _("nat_gb"))
    yield Line("To the internet", f"{out:,.0f} GB", out * _("transfer"))
    keys = used.cells * (KEYS * _("key") + SECRETS * _("secret"))
    yield Line("KMS, secrets", f"{used.cells * KEYS} keys", keys + used.people * KEY_CALLS / 10_000 * _("key_call"))
    lines = (used.requests + used.messages + used.cells * SCHEDULES_A_MINUTE * 60 * HOURS) * assumed.LOG_LINE_BYTES
    yield Line("CloudWatch, logs", f"{lines / GB:,.0f} GB", lines / GB * _("logs"))
    watched = used.cells * (ALARMS * _("alarm") + METRICS * _("metric"))
    yield Line("CloudWatch, alarms", f"{used.cells * ALARMS} alarms, {used.cells * METRICS} metrics", watched)
