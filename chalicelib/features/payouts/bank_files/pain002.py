"""ISO 20022 customer payment status report, pain.002.001.10 (and .03, which older banks still send).

A report is a stranger's XML: it is bounded in size and depth, and a document type or an entity is refused unread.

What a status means here (external code sets ExternalPaymentTransactionStatus1Code and -GroupStatus1Code):
- paid: ACSC and ACCC, settled on the payer's or on the payee's account. Nothing short of settlement is paid.
- refused: RJCT, and CANC (taken back before execution). The money never left.
- on its way: everything else, such as ACTC, ACCP, ACSP, ACWC, ACWP, PDNG, PART, BLCK and codes yet to be invented.
  It changes nothing: a later report, the bank's list or a person says what came of it.
"""

import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from chalicelib.kernel.errors import Invalid, TooLarge, Unreadable

NAMESPACES = tuple(f"urn:iso:std:iso:20022:tech:xsd:pain.002.001.{version}" for version in ("10", "03"))
LARGEST = 6 * 1024 * 1024
DEEPEST = 40
MOST_ELEMENTS = 500_000  # about thirty for each transfer of a batch
MOST_TEXT = 500  # of what a bank adds in words
_PAID, _REFUSED = frozenset({"ACSC", "ACCC"}), frozenset({"RJCT", "CANC"})


class Fate(StrEnum):
    """What a bank's status says of the money."""

    PAID = "paid"
    REFUSED = "refused"
    ON_ITS_WAY = "on_its_way"


@dataclass(frozen=True, slots=True)
class Verdict:
    """A status with its reason: `code` as the bank said it, `reason` its reason code, `said` its own words."""

    code: str
    reason: str | None = None
    said: str | None = None

    @property
    def fate(self) -> Fate:
        if self.code in _PAID:
            return Fate.PAID
        return Fate.REFUSED if self.code in _REFUSED else Fate.ON_ITS_WAY


@dataclass(frozen=True, slots=True)
class Line:
    """What a report says of one transfer; amount and currency only where the bank repeats them."""

    reference: str
    verdict: Verdict
    amount: Decimal | None = None
    currency: str | None = None
    bank_reference: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """A bank's answer to one message: of the whole, of its payment blocks by id, and of single transfers."""

    message_id: str
    group: Verdict | None
    payments: Mapping[str, Verdict]
    lines: Sequence[Line]

    def complete(self, payment_of: Mapping[str, str]) -> list[Line]:
        """This will add a line for each transfer of ours that is not named, from its block's status or the group's.

        `payment_of` gives the block of each of our references. The nearest status counts: transfer, block, group.
        """
        named = {line.reference.upper() for line in self.lines}
        silent = [(reference, payment) for reference, payment in payment_of.items() if reference.upper() not in named]
        found = [(reference, self.payments.get(payment) or self.group) for reference, payment in silent]
        return [*self.lines, *(Line(reference, verdict) for reference, verdict in found if verdict is not None)]


def read(data: bytes) -> Report:
    """This will read a report, or say in which way it is none."""
    message_id: str | None = None
    group: Verdict | None = None
    payments: dict[str, Verdict] = {}
    lines: list[Line] = []
    block: list[Line] = []  # of the payment block that is being read
    for found, parent in _elements(data):
        match found.tag.rpartition("}")[2]:
            case "OrgnlGrpInfAndSts":
                message_id = _text(found, "OrgnlMsgId")
                group = _verdict(found, "GrpSts")
            case "TxInfAndSts":
                if (line := _line(found)) is not None:
                    block.append(line)
                parent.remove(found)  # a report of thousands is never in memory as a whole
            case "OrgnlPmtInfAndSts":
                payment, verdict = _text(found, "OrgnlPmtInfId"), _verdict(found, "PmtInfSts")
                if payment and verdict:
                    payments[payment] = verdict
                lines += block
                block = []
    if not message_id:
        raise Invalid("The report does not say which message it answers (OrgnlGrpInfAndSts/OrgnlMsgId).")
    return Report(message_id, group, payments, [*lines, *block])


def _elements(data: bytes) -> Iterator[tuple[Element, Element]]:
    """This will give each element that has been read whole, with its parent."""
    if len(data) > LARGEST:
        raise TooLarge(f"The report has {len(data):,} bytes; at most {LARGEST:,} can be taken.")
    open_now: list[Element] = []
    begun = 0
    try:
        for event, found in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                begun += 1
                if begun > MOST_ELEMENTS:
                    raise TooLarge(f"The report has more than {MOST_ELEMENTS:,} elements.")
                if not open_now:
                    _check_kind(found.tag)
                open_now.append(found)
                if len(open_now) > DEEPEST:
                    raise Invalid(f"The report is nested deeper than {DEEPEST} levels.")
            else:
                open_now.pop()
                if open_now:
                    yield found, open_now[-1]
    except DefusedXmlException:
        raise Invalid("The report has a document type or entities, which a bank's report never has.") from None
    except (ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"The report is not XML: {error}.") from None


def _check_kind(tag: str) -> None:
    namespace, _, name = tag.removeprefix("{").rpartition("}")
    if namespace not in NAMESPACES or name != "Document":
        known = " or ".join(known.rpartition(":")[2] for known in NAMESPACES)
        raise Invalid(f"This is not a payment status report ({known}) but {namespace[:100] or 'no namespace'}.")


def _line(found: Element) -> Line | None:
    """This will read what is said of one transfer; without a status of its own it shares its block's."""
    reference = _text(found, "OrgnlEndToEndId") or _text(found, "OrgnlInstrId")
    verdict = _verdict(found, "TxSts")
    if verdict is None:
        return None
    if reference is None:
        raise Invalid(f"A transfer in the report is {verdict.code} and does not say which (OrgnlEndToEndId).")
    amount = found.find("{*}OrgnlTxRef/{*}Amt/{*}InstdAmt")
    return Line(
        reference,
        verdict,
        amount=_amount(amount.text, reference) if amount is not None else None,
        currency=amount.get("Ccy") if amount is not None else None,
        bank_reference=_text(found, "AcctSvcrRef"),
    )


def _amount(said: str | None, reference: str) -> Decimal:
    try:
        amount = Decimal((said or "").strip())
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite():
        raise Invalid(f"The report's amount of {reference[:35]} is not a number.")
    return amount


def _verdict(found: Element, status: str) -> Verdict | None:
    code = _text(found, status)
    if code is None:
        return None
    reasons = [_text(one, "Rsn/{*}Cd") or _text(one, "Rsn/{*}Prtry") for one in found.findall("{*}StsRsnInf")]
    words = [(one.text or "").strip() for one in found.findall("{*}StsRsnInf/{*}AddtlInf")]
    return Verdict(
        code,
        reason=next((reason for reason in reasons if reason), None),
        said=" ".join(word for word in words if word)[:MOST_TEXT] or None,
    )


def _text(found: Element, path: str) -> str | None:
    said = found.findtext(f"{{*}}{path}")
    return (said or "").strip()[:MOST_TEXT] or None
