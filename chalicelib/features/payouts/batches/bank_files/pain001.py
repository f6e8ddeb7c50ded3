"""ISO 20022 customer credit transfer initiation, pain.001.001.09.

It has one payment information block per currency, as many banks accept only one currency in each; the block's id ends
with the currency, so that an answer about the whole block can be understood without the file.
"""

from collections.abc import Sequence
from datetime import UTC
from xml.etree.ElementTree import Element, SubElement, indent, tostring

from chalicelib.features.payouts.batches.bank_files.orders import (
    BankAccount,
    FileOrder,
    Transfer,
    check_order,
    control_sum,
    format_amount,
)
from chalicelib.features.payouts.batches.bank_files.wording import NOTHING_LEFT, to_sepa_name, to_sepa_text
from chalicelib.kernel.errors import Invalid

NAMESPACE = "urn:iso:std:iso:20022:tech:xsd:pain.001.001.09"
LONGEST_MESSAGE_ID = 32  # a UUID without dashes; with a currency behind it, 35
LONGEST_REMITTANCE = 140
# The geographical scope of SEPA by IBAN country (EPC409-09 of 2025). Euro to an IBAN elsewhere is an ordinary transfer.
_SEPA = """AD AL AT BE BG CH CY CZ DE DK EE ES FI FR GB GI GR HR HU IE IS IT LI LT LU LV MC MD ME MK MT NL NO PL PT RO
RS SE SI SK SM VA"""
SEPA = frozenset(_SEPA.split())


def payment_block_id(message_id: str, currency: str) -> str:
    """Return the id of the block with a currency's transfers."""
    return message_id + currency


def write(order: FileOrder, payer: BankAccount) -> bytes:
    """Write an order that the payer's account pays. The same order always gives the same bytes."""
    check_order(order)
    if fault := payer.find_fault():
        raise Invalid(f"The account that pays is not complete: {fault}. Mend the bank file settings.")
    if len(order.message_id) > LONGEST_MESSAGE_ID:
        raise ValueError("the message id leaves no room for a currency")
    document = Element("Document", xmlns=NAMESPACE)
    initiation = SubElement(document, "CstmrCdtTrfInitn")
    header = SubElement(initiation, "GrpHdr")
    _add_text(header, "MsgId", order.message_id)
    _add_text(header, "CreDtTm", order.created_at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
    _add_counts(header, order.transfers)
    _add_text(SubElement(header, "InitgPty"), "Nm", to_sepa_name(payer.holder))
    for currency in sorted({transfer.currency for transfer in order.transfers}):
        _add_payment_block(initiation, order, payer, [one for one in order.transfers if one.currency == currency])
    indent(document, space=" ")
    xml: bytes = tostring(document, encoding="UTF-8", xml_declaration=True)
    return xml + b"\n"


def _add_payment_block(
    initiation: Element, order: FileOrder, payer: BankAccount, transfers: Sequence[Transfer]
) -> None:
    """Add the block of one currency with its transfers."""
    currency = transfers[0].currency
    payment = SubElement(initiation, "PmtInf")
    _add_text(payment, "PmtInfId", payment_block_id(order.message_id, currency))
    _add_text(payment, "PmtMtd", "TRF")
    _add_counts(payment, transfers)
    is_sepa = currency == "EUR" and all(_is_in_sepa(one) for one in (payer, *(t.creditor for t in transfers)))
    if is_sepa:
        _add_text(SubElement(SubElement(payment, "PmtTpInf"), "SvcLvl"), "Cd", "SEPA")
    _add_text(SubElement(payment, "ReqdExctnDt"), "Dt", order.execution_on.isoformat())
    _add_text(SubElement(payment, "Dbtr"), "Nm", to_sepa_name(payer.holder))
    _add_account(SubElement(payment, "DbtrAcct"), payer)
    _add_agent(payment, "DbtrAgt", payer, is_sepa=is_sepa, is_required=True)
    _add_text(payment, "ChrgBr", "SLEV" if is_sepa else "SHAR")
    for transfer in transfers:
        _add_transfer(SubElement(payment, "CdtTrfTxInf"), transfer, is_sepa=is_sepa)


def _add_transfer(parent: Element, transfer: Transfer, *, is_sepa: bool) -> None:
    """Add one transfer to its block."""
    ids = SubElement(parent, "PmtId")
    _add_text(ids, "InstrId", transfer.reference)
    _add_text(ids, "EndToEndId", transfer.reference)
    amount = _add_text(SubElement(parent, "Amt"), "InstdAmt", format_amount(transfer.amount, transfer.currency))
    amount.set("Ccy", transfer.currency)
    _add_agent(parent, "CdtrAgt", transfer.creditor, is_sepa=is_sepa)
    _add_text(SubElement(parent, "Cdtr"), "Nm", to_sepa_name(transfer.creditor.holder))
    _add_account(SubElement(parent, "CdtrAcct"), transfer.creditor)
    if remittance := to_sepa_text(transfer.remittance or "", longest=LONGEST_REMITTANCE):
        _add_text(SubElement(parent, "RmtInf"), "Ustrd", remittance)


def _add_account(parent: Element, account: BankAccount) -> None:
    identity = SubElement(parent, "Id")
    if account.iban:
        _add_text(identity, "IBAN", account.iban)
        return
    other = SubElement(identity, "Othr")
    _add_text(other, "Id", account.number or "")
    _add_text(SubElement(other, "SchmeNm"), "Cd", "BBAN")


def _add_agent(parent: Element, tag: str, account: BankAccount, *, is_sepa: bool, is_required: bool = False) -> None:
    """Add the bank of an account: by BIC, else by its national code or name, which SEPA does not accept.

    A required bank of which nothing is known is NOTPROVIDED.
    """
    code, branch = (None, None) if is_sepa else (account.bank_code, account.branch_code)
    bank = "" if is_sepa or account.bic else to_sepa_text(account.bank_name or "", longest=70)
    if not (account.bic or code or branch or bank or is_required):
        return
    agent = SubElement(parent, tag)
    institution = SubElement(agent, "FinInstnId")
    if account.bic:
        _add_text(institution, "BICFI", account.bic)
    if code:
        _add_text(SubElement(institution, "ClrSysMmbId"), "MmbId", code)
    if bank:
        _add_text(institution, "Nm", bank)
    if not len(institution):
        _add_text(SubElement(institution, "Othr"), "Id", NOTHING_LEFT)
    if branch:
        _add_text(SubElement(agent, "BrnchId"), "Id", branch)


def _add_counts(parent: Element, transfers: Sequence[Transfer]) -> None:
    _add_text(parent, "NbOfTxs", str(len(transfers)))
    _add_text(parent, "CtrlSum", format(control_sum(transfers), "f"))


def _is_in_sepa(account: BankAccount) -> bool:
    return account.iban is not None and account.iban[:2] in SEPA


def _add_text(parent: Element, tag: str, text: str) -> Element:
    element = SubElement(parent, tag)
    element.text = text
    return element
