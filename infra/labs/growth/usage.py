"""What so many people use in a month: rows, bytes, calls, seconds, units of capacity.

Measured figures are in measured.py. What cannot be measured before there are customers is assumed here, each with its
reason: change one and everything below follows.
"""

from dataclasses import dataclass
from math import ceil

from infra.deploy.cloud.sizes import SIZES
from infra.labs.growth import measured as known

DAYS, HOURS = 30, 730
GB, GIB = 10**9, 2**30

# Assumed, each person and month
REQUESTS = 30  # of the API: own pages, approvals and HR's share; facts of devices come in bulk
REQUEST_MS = 50  # billed by Lambda: 8 to 15 ms of work were measured, the rest is the network and cold starts
REQUEST_CORE_MS = 3  # of the database's
MESSAGES = 8  # through SQS: a payout, mails, webhooks; chunks of jobs do not count beside them
MESSAGE_MS = 60
MAILS = 2
OTHER_BYTES = 3000  # audit, notifications, payouts, ledger
DOCUMENT_BYTES = 50_000  # of S3: the payslip's PDF
DOCUMENT_GB_SECONDS = 0.05  # of Lambda: a core sets 80 in a second, and each is put into S3
LOG_LINE_BYTES = 700  # of CloudWatch, for each request and message

# Assumed of how it runs
LAMBDA_GB = 1.0  # as infra/deploy/cloud gives every function
CORE_ACU = 4  # units of capacity to a core: 2 GiB each, and Aurora's memory-optimized classes have 8 GiB to a core
CACHE_SHARE = 0.75  # of a unit's memory
LEAST_ACU = SIZES["prod"].least_capacity
INSTANCES = SIZES["prod"].instances  # one writes, the others stand ready
IO_BYTES = 4096  # of write-ahead log, to one request that is paid
PAGE = 8192
MONTHS_KEPT = 12  # of facts in the database, for storage after a year
PEAK_REQUESTS = 3  # each person's, when payslips come
PEAK_HOURS = 2  # in which everybody looks
CELL_FACTS = 1_000_000_000  # our own bound: rows of attendance in one database, so that it is restored in hours


@dataclass(frozen=True, slots=True)
class Usage:
    """What so many people use in a month, in all cells together."""

    people: int
    facts_a_day: float
    rows: float
    bytes: float
    stored: float  # bytes after a year
    log: float  # bytes of write-ahead log
    nightly_seconds: float  # of one worker
    payday_seconds: float
    requests: float
    peak_requests: float  # a second
    messages: float
    mails: float
    lambda_gb_seconds: float
    io: float
    least_acu: float  # of each instance
    acu_hours: float
    cells: int


def usage(people: int) -> Usage:
    """Compute what so many people use."""
    monthly = {name: rows for name, rows in known.ROWS_PER_PERSON.items() if name not in known.ONCE}
    facts = (monthly["attendance"] + monthly["leave_days"]) * people
    monthly_bytes = sum(rows * known.BYTES_PER_ROW[name] for name, rows in monthly.items()) + OTHER_BYTES
    once_bytes = sum(known.ROWS_PER_PERSON[name] * known.BYTES_PER_ROW[name] for name in known.ONCE)
    nightly_seconds = people / known.REGISTERS + people / known.BALANCES
    payday = people / known.PAYSLIPS_ANEW + people / known.PAYOUTS_MADE
    requests, messages = REQUESTS * people, MESSAGES * people
    called = (requests * REQUEST_MS + messages * MESSAGE_MS) / 1000
    # everything else that is written is written once, and its log is about as long as it is
    log = people * (DAYS * known.LOG_PER_NIGHT + known.LOG_PER_PAYSLIP + monthly_bytes)
    # a night reads the month's facts of everybody, at worst from storage
    reads = people * DAYS * monthly["attendance"] * known.BYTES_PER_ROW["attendance"] / PAGE
    cells = ceil(people * monthly["attendance"] * MONTHS_KEPT / CELL_FACTS)
    # what a night touches stays in memory: the month's facts, registers and balances
    hot = people * sum(
        monthly[name] * known.BYTES_PER_ROW[name] for name in ("attendance", "pay_registers", "balances")
    )
    least = max(LEAST_ACU, ceil(hot / cells / (2 * GIB * CACHE_SHARE)))
    work = (requests * REQUEST_CORE_MS / 1000 + DAYS * nightly_seconds + payday) * CORE_ACU / 3600
    return Usage(
        people=people,
        facts_a_day=facts / DAYS,
        rows=sum(monthly.values()) * people,
        bytes=monthly_bytes * people,
        stored=people * (once_bytes + MONTHS_KEPT * monthly_bytes),
        log=log,
        nightly_seconds=nightly_seconds,
        payday_seconds=payday,
        requests=requests,
        peak_requests=people * PEAK_REQUESTS / (PEAK_HOURS * 3600),
        messages=messages,
        mails=MAILS * people,
        lambda_gb_seconds=LAMBDA_GB * (called + DAYS * nightly_seconds + payday) + people * DOCUMENT_GB_SECONDS,
        io=log / IO_BYTES + reads,
        least_acu=least,
        acu_hours=cells * INSTANCES * least * HOURS + work,
        cells=cells,
    )
