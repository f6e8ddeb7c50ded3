"""A bank's status reports and statements, in the many forms that banks use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random

ISO = "urn:iso:std:iso:20022:tech:xsd:"
HEADS = (f"{ISO}pain.002.001.03", f"{ISO}pain.002.001.10", f"{ISO}pain.002.001.14", "http://bank.example/own", None)


@dataclass(frozen=True)
class TransferStatus:
    """A status in a report: of one transfer, or of the file if there is no reference."""

    reference: str | None
    status: str
    reason: str | None = None
    text: str | None = None
    is_own_code: bool = False  # a proprietary reason code, not one of the external list


@dataclass(frozen=True)
class BookedEntry:
    """One entry of a statement."""

    reference: str
    amount: Decimal
    currency: str
    is_credit: bool = False
    reason: str | None = None
    fee: Decimal = Decimal(0)
    status: str = "BOOK"


def status_report(
    rng: Random, message: str, statuses: Sequence[TransferStatus], *, at: datetime, group: TransferStatus | None = None
) -> str:
    """Return a status report (pain.002) on a message, in a version and namespace drawn by the seed."""
    lines = "".join(_transfer(rng, one) for one in statuses)
    block = (
        f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>" if statuses else ""
    )
    head = rng.choice(HEADS)
    root = "<Document>" if head is None else f'<Document xmlns="{head}">'
    return (
        f"{root}<CstmrPmtStsRpt><GrpHdr><MsgId>B</MsgId><CreDtTm>{at:%Y-%m-%dT%H:%M:%SZ}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId>{_status('GrpSts', group) if group else ''}"
        f"</OrgnlGrpInfAndSts>{block}</CstmrPmtStsRpt></Document>"
    )


def statement(rng: Random, booked: Sequence[BookedEntry], *, at: datetime) -> str:
    """Return a statement (camt.053) or notification (camt.054) with an entry for each transfer."""
    kind, root, part = rng.choice((("053", "BkToCstmrStmt", "Stmt"), ("054", "BkToCstmrDbtCdtNtfctn", "Ntfctn")))
    version = rng.choice(("02", "08"))
    entries = "".join(_entry(rng, one, version=version) for one in booked)
    return (
        f'<Document xmlns="{ISO}camt.{kind}.001.{version}"><{root}><GrpHdr><MsgId>S</MsgId>'
        f"<CreDtTm>{at:%Y-%m-%dT%H:%M:%SZ}</CreDtTm></GrpHdr><{part}>{entries}</{part}></{root}></Document>"
    )


def _transfer(rng: Random, status: TransferStatus) -> str:
    named = f"<OrgnlEndToEndId>{status.reference}</OrgnlEndToEndId>"
    if rng.random() < 0.3:
        named = f"<OrgnlInstrId>{status.reference}</OrgnlInstrId><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId>"
    return f"<TxInfAndSts>{named}{_status('TxSts', status)}</TxInfAndSts>"


def _status(element: str, status: TransferStatus) -> str:
    code = "Prtry" if status.is_own_code else "Cd"
    reason = f"<Rsn><{code}>{status.reason}</{code}></Rsn>" if status.reason else ""
    text = f"<AddtlInf>{status.text}</AddtlInf>" if status.text else ""
    information = f"<StsRsnInf>{reason}{text}</StsRsnInf>" if reason or text else ""
    return f"<{element}>{status.status}</{element}>{information}"


def _entry(rng: Random, booked: BookedEntry, *, version: str) -> str:
    """Write one entry of a statement, with a fee, return reason or reversal if it has one."""
    money = f'Ccy="{booked.currency}"'
    total = booked.amount - booked.fee if booked.is_credit else booked.amount + booked.fee
    charges = f"<Chrgs><Amt {money}>{booked.fee}</Amt></Chrgs>"
    instructed = f"<AmtDtls><InstdAmt><Amt {money}>{booked.amount}</Amt></InstdAmt></AmtDtls>"
    shown = rng.choice((charges, instructed)) if booked.fee else ""
    returned = f"<RtrInf><Rsn><Cd>{booked.reason}</Cd></Rsn></RtrInf>" if booked.reason else ""
    reversal = "<RvslInd>true</RvslInd>" if booked.is_credit and not booked.reason else ""
    status = booked.status if version == "02" else f"<Cd>{booked.status}</Cd>"
    return (
        f"<Ntry><Amt {money}>{total}</Amt><CdtDbtInd>{'CRDT' if booked.is_credit else 'DBIT'}</CdtDbtInd>{reversal}"
        f"<Sts>{status}</Sts><NtryDtls><TxDtls><Refs><EndToEndId>{booked.reference}</EndToEndId></Refs>{shown}{returned}"
        "</TxDtls></NtryDtls></Ntry>"
    )
