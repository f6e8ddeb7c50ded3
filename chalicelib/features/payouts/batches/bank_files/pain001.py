"""ISO 20022 customer credit transfer initiation, pain.001.001.09.

One payment information block per currency, since many banks take only one currency in each; its id ends with the
currency, so that an answer about the block as a whole can be understood without the file.
"""

from collections.abc import Sequence
from datetime import UTC
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from chalicelib.features.payouts.batches.bank_files.orders import BankAccount, FileOrder, Transfer, check, plain, total
from chalicelib.features.payouts.batches.bank_files.wording import NOTHING_LEFT, name, taken
from chalicelib.kernel.errors import Invalid

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
LONGEST_MESSAGE_ID = 32  # a UUID without dashes; with a currency behind it, 35
LONGEST_REMITTANCE = 140
# The geographical scope of SEPA by IBAN country (EPC409-09 of 2025). Elsewhere an IBAN in euro goes as any other.
_SEPA = """AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO
RS SE SI SK SM VA"""
SEPA = frozenset(_SEPA.split())


def payment_id(message_id: str, currency: str) -> str:
    """Return the block of a message that holds a currency's transfers."""
    return message_id + currency


def written(order: FileOrder, payer: BankAccount) -> bytes:
    """Write an order on an account. The same order always gives the same bytes."""
    check(order)
    if wrong := payer.wrong():
        raise Invalid(f"The account that pays is not complete: {wrong}. Mend the bank file settings.")
    if len(order.message_id) > LONGEST_MESSAGE_ID:
        raise ValueError("the message id leaves no room for a currency")
    document = Element("Document", xmlns=NAMESPACE)
    initiation = SubElement(document, "CstmrCdtTrfInitn")
    header = SubElement(initiation, "GrpHdr")
    _text(header, "MsgId", order.message_id)
    _text(header, "CreDtTm", order.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _counts(header, order.transfers)
    _text(SubElement(header, "InitgPty"), "Nm", name(payer.holder))
    for currency in sorted({transfer.currency for transfer in order.transfers}):
        _payment(initiation, order, payer, [one for one in order.transfers if one.currency == currency])
    indent(document, space=" ")
    made: bytes = tostring(document, encoding="UTF-8", xml_declaration=True)
    return made + b"\n"


def _payment(initiation: Element, order: FileOrder, payer: BankAccount, transfers: Sequence[Transfer]) -> None:
    currency = transfers[0].currency
    payment = SubElement(initiation, "PmtInf")
    _text(payment, "PmtInfId", payment_id(order.message_id, currency))
    _text(payment, "PmtMtd", "TRF")
    _counts(payment, transfers)
    sepa = currency == "EUR" and all(_in_sepa(one) for one in (payer, *(t.creditor for t in transfers)))
    if sepa:
        _text(SubElement(SubElement(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _text(SubElement(payment, "ReqdExctnDt"), "Dt", order.execution_on.isoformat())
    _text(SubElement(payment, "Dbtr"), "Nm", name(payer.holder))
    _account(SubElement(payment, "DbtrAcct"), payer)
    _agent(payment, "DbtrAgt", payer, sepa=sepa, required=True)
    _text(payment, "ChrgBr", "SLEV" if sepa else "SHAR")
    for transfer in transfers:
        _transfer(SubElement(payment, "CdtTrfTxInf"), transfer, sepa=sepa)


def _transfer(parent: Element, transfer: Transfer, *, sepa: bool) -> None:
    ids = SubElement(parent, "PmtId")
    _text(ids, "InstrId", transfer.reference)
    _text(ids, "EndToEndId", transfer.reference)
    amount = _text(SubElement(parent, "Amt"), "InstdAmt", plain(transfer.amount, transfer.currency))
    amount.set("Ccy", transfer.currency)
    _agent(parent, "CdtrAgt", transfer.creditor, sepa=sepa)
    _text(SubElement(parent, "Cdtr"), "Nm", name(transfer.creditor.holder))
    _account(SubElement(parent, "CdtrAcct"), transfer.creditor)
    if said := taken(transfer.remittance or "", longest=LONGEST_REMITTANCE):
        _text(SubElement(parent, "RmtInf"), "Ustrd", said)


def _account(parent: Element, account: BankAccount) -> None:
    identity = SubElement(parent, "Id")
    if account.iban:
        _text(identity, "IBAN", account.iban)
        return
    other = SubElement(identity, "Othr")
    _text(other, "Id", account.number or "")
    _text(SubElement(other, "SchmeNm"), "Cd", "BBAN")


def _agent(parent: Element, tag: str, account: BankAccount, *, sepa: bool, required: bool = False) -> None:
    """Return which bank holds an account: by BIC, else by its national code or name, which SEPA does not take.

    Where the message must say it and nothing is known, it says that it is not said.
    """
    code, branch = (None, None) if sepa else (account.bank_code, account.branch_code)
    bank = "" if sepa or account.bic else taken(account.bank_name or "", longest=70)
    if not (account.bic or code or branch or bank or required):
        return
    agent = SubElement(parent, tag)
    institution = SubElement(agent, "FinInstnId")
    if account.bic:
        _text(institution, "BICFI", account.bic)
    if code:
        _text(SubElement(institution, "ClrSysMmbId"), "MmbId", code)
    if bank:
        _text(institution, "Nm", bank)
    if not len(institution):
        _text(SubElement(institution, "Othr"), "Id", NOTHING_LEFT)
    if branch:
        _text(SubElement(agent, "BrnchId"), "Id", branch)


def _counts(parent: Element, transfers: Sequence[Transfer]) -> None:
    _text(parent, "NbOfTxs", str(len(transfers)))
    _text(parent, "CtrlSum", format(total(transfers), "f"))


def _in_sepa(account: BankAccount) -> bool:
    return account.iban is not None and account.iban[:2] in SEPA


def _text(parent: Element, tag: str, said: str) -> Element:
    made = SubElement(parent, tag)
    made.text = said
    return made
