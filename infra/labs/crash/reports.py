"""What a bank writes of its files: status reports and statements, in the many forms that banks use."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from random import Random

ISO = "urn:iso:std:iso:20022:tech:xsd:"
HEADS = (f"{ISO}pain.002.001.03", f"{ISO}pain.002.001.10", f"{ISO}pain.002.001.14", "http://bank.example/own", None)


@dataclass(frozen=True)
class Told:
    """What a report says of one transfer; no reference: of the file."""

    reference: str | None
    status: str
    reason: str | None = None
    text: str | None = None
    is_own_code: bool = False  # the reason is the bank's own, not one of the external list


@dataclass(frozen=True)
class Booked:
    """One entry of a statement."""

    reference: str
    amount: Decimal
    currency: str
    is_credit: bool = False
    reason: str | None = None
    fee: Decimal = Decimal(0)
    status: str = "BOOK"


def status_report(rng: Random, message: str, told: Sequence[Told], *, at: datetime, group: Told | None = None) -> str:
    """Write a status report on a message, in a version, namespace and naming that the seed draws."""
    lines = "".join(_transfer(rng, one) for one in told)
    block = f"<OrgnlPmtInfAndSts><OrgnlPmtInfId>{message}</OrgnlPmtInfId>{lines}</OrgnlPmtInfAndSts>" if told else ""
    head = rng.choice(HEADS)
    root = "<Document>" if head is None else f'<Document xmlns="{head}">'
    return (
        f"{root}<CstmrPmtStsRpt><GrpHdr><MsgId>B</MsgId><CreDtTm>{at:%Y-%m-%dT%H:%M:%SZ}</CreDtTm></GrpHdr>"
        f"<OrgnlGrpInfAndSts><OrgnlMsgId>{message}</OrgnlMsgId>{_status('GrpSts', group) if group else ''}"
        f"</OrgnlGrpInfAndSts>{block}</CstmrPmtStsRpt></Document>"
    )


def statement(rng: Random, booked: Sequence[Booked], *, at: datetime) -> str:
    """Write a statement (camt.053) or a notification (camt.054) with an entry for each transfer."""
    kind, root, part = rng.choice((("053", "BkToCstmrStmt", "Stmt"), ("054", "BkToCstmrDbtCdtNtfctn", "Ntfctn")))
    version = rng.choice(("02", "08"))
    entries = "".join(_entry(rng, one, version=version) for one in booked)
    return (
        f'<Document xmlns="{ISO}camt.{kind}.001.{version}"><{root}><GrpHdr><MsgId>S</MsgId>'
        f"<CreDtTm>{at:%Y-%m-%dT%H:%M:%SZ}</CreDtTm></GrpHdr><{part}>{entries}</{part}></{root}></Document>"
    )


def _transfer(rng: Random, told: Told) -> str:
    named = f"<OrgnlEndToEndId>{told.reference}</OrgnlEndToEndId>"
    if rng.random() < 0.3:
        named = f"<OrgnlInstrId>{told.reference}</OrgnlInstrId><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId>"
    return f"<TxInfAndSts>{named}{_status('TxSts', told)}</TxInfAndSts>"


def _status(element: str, told: Told) -> str:
    code = "Prtry" if told.is_own_code else "Cd"
    reason = f"<Rsn><{code}>{told.reason}</{code}></Rsn>" if told.reason else ""
    text = f"<AddtlInf>{told.text}</AddtlInf>" if told.text else ""
    information = f"<StsRsnInf>{reason}{text}</StsRsnInf>" if reason or text else ""
    return f"<{element}>{told.status}</{element}>{information}"


def _entry(rng: Random, booked: Booked, *, version: str) -> str:
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
