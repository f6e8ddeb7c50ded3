"""A bank's document: which messages it holds whatever its form, and which documents are refused unread."""

from decimal import Decimal

import pytest

from chalicelib.features.payouts.batches.bank_files import documents
from chalicelib.features.payouts.batches.bank_files.camt import BankStatement, Booking, EntryMovement
from chalicelib.features.payouts.batches.bank_files.pain002 import StatusLine, StatusReport
from chalicelib.features.payouts.batches.bank_files.reports import Money
from chalicelib.features.payouts.batches.bank_files.reports import UnreadableLine as LineFault
from chalicelib.features.payouts.delivery.outcomes import BankVerdict
from chalicelib.kernel.errors import Fault, Invalid, TooLarge, Unreadable

ISO = "urn:iso:std:iso:20022:tech:xsd:"
MESSAGE = "01936f5e7c0b7f3aa1b2c3d4e5f60718"

BODY = f"""<CstmrPmtStsRpt>
    <GrpHdr><MsgId>BANK-1</MsgId><CreDtTm>2026-11-23T10:00:00Z</CreDtTm></GrpHdr>
    <OrgnlGrpInfAndSts>
      <OrgnlMsgId>{MESSAGE}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId><GrpSts>PART</GrpSts>
    </OrgnlGrpInfAndSts>
    <OrgnlPmtInfAndSts>
      <OrgnlPmtInfId>{MESSAGE}BDT</OrgnlPmtInfId>
      <TxInfAndSts>
        <StsId>S1</StsId><OrgnlInstrId>T1</OrgnlInstrId><OrgnlEndToEndId>T1</OrgnlEndToEndId><TxSts>ACSC</TxSts>
        <AcctSvcrRef>FT2632700001</AcctSvcrRef>
        <OrgnlTxRef><Amt><InstdAmt Ccy="BDT">12.00</InstdAmt></Amt></OrgnlTxRef>
      </TxInfAndSts>
      <TxInfAndSts>
        <OrgnlEndToEndId>T2</OrgnlEndToEndId><TxSts>RJCT</TxSts>
        <StsRsnInf>
          <Rsn><Cd>AC04</Cd></Rsn><AddtlInf>Account closed</AddtlInf><AddtlInf>on 2026-10-01</AddtlInf>
        </StsRsnInf>
        <StsRsnInf><Rsn><Prtry>X98</Prtry></Rsn></StsRsnInf>
      </TxInfAndSts>
      <TxInfAndSts>
        <OrgnlInstrId>T3</OrgnlInstrId><OrgnlEndToEndId>NOTPROVIDED</OrgnlEndToEndId><TxSts>ACSP</TxSts>
      </TxInfAndSts>
    </OrgnlPmtInfAndSts>
    <OrgnlPmtInfAndSts>
      <OrgnlPmtInfId>{MESSAGE}EUR</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>
      <StsRsnInf><Rsn><Prtry>X99</Prtry></Rsn></StsRsnInf>
      <TxInfAndSts><OrgnlEndToEndId>T6</OrgnlEndToEndId><TxSts>RJCT</TxSts></TxInfAndSts>
    </OrgnlPmtInfAndSts>
  </CstmrPmtStsRpt>"""
MIXED = f'<?xml version="1.0" encoding="UTF-8"?><Document xmlns="{ISO}pain.002.001.10">{BODY}</Document>'
WHOLE = f"""<Document xmlns="{ISO}pain.002.001.03"><CstmrPmtStsRpt>
<GrpHdr><MsgId>B</MsgId><CreDtTm>2026-11-23T10:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{MESSAGE}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>DU01</Cd></Rsn><AddtlInf>Duplicate message</AddtlInf></StsRsnInf>
</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"""


def about(reference: str, status: str, more: str = "") -> bytes:
    """Return a report of one transfer, in a group that says RJCT DU01."""
    return WHOLE.replace(
        "</OrgnlGrpInfAndSts>",
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><TxInfAndSts>"
        f"<OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>{more}</TxInfAndSts></OrgnlPmtInfAndSts>",
    ).encode()


def report(data: bytes | str) -> StatusReport:
    (message,) = documents.read(data if isinstance(data, bytes) else data.encode())
    assert isinstance(message, StatusReport)
    return message


class TestStatusReport:
    def test_gives_each_transfer_its_status_reasons_and_amount(self) -> None:
        message = report(MIXED)
        assert (message.message_id, message.group, message.faults) == (MESSAGE, BankVerdict("PART"), [])
        assert message.payments == {MESSAGE + "EUR": BankVerdict("RJCT", ("X99",))}
        assert list(message.lines) == [
            StatusLine(1, ("T1", "T1"), BankVerdict("ACSC"), Money(Decimal("12.00"), "BDT"), "FT2632700001"),
            StatusLine(2, ("T2",), BankVerdict("RJCT", ("AC04", "X98"), "Account closed on 2026-10-01")),
            StatusLine(3, ("T3",), BankVerdict("ACSP")),
            StatusLine(4, ("T6",), BankVerdict("RJCT", around=(BankVerdict("RJCT", ("X99",)),))),
        ]

    @pytest.mark.parametrize(
        ("head", "tail"),
        [
            *((f'<Document xmlns="{ISO}pain.002.001.{n:02}">', "</Document>") for n in range(3, 15)),
            ("<Document>", "</Document>"),
            ("", ""),
            (f'<Document xmlns="{ISO}pain.002.001.03.ch.02">', "</Document>"),
            ('<Document xmlns="http://bank.example/own">', "</Document>"),
            (f'<c:all xmlns:c="urn:x"><c:Msg><Document xmlns="{ISO}pain.002.003.03">', "</Document></c:Msg></c:all>"),
            (f'<Biz><AppHdr xmlns="{ISO}head.001"/><Document xmlns="{ISO}pain.002.001.12">', "</Document></Biz>"),
        ],
    )  # fmt: skip
    def test_is_read_in_any_version_namespace_and_envelope(self, head: str, tail: str) -> None:
        assert report(head + BODY + tail) == report(MIXED)

    def test_is_read_with_prefixes_and_in_other_encodings(self) -> None:
        text = BODY.replace("</", "\0").replace("<", "<p:").replace("\0", "</p:")
        assert report(f'<p:Document xmlns:p="{ISO}pain.002.001.10">{text}</p:Document>') == report(MIXED)
        assert report(MIXED.replace('encoding="UTF-8"', 'encoding="UTF-16"').encode("utf-16")) == report(MIXED)

    def test_of_version_two_names_its_reasons_otherwise(self) -> None:
        text = (
            f'<Document xmlns="urn:swift:xsd:$pain.002.001.02"><pain.002.001.02><GrpHdr><MsgId>B</MsgId></GrpHdr>'
            f"<OrgnlGrpInfAndSts><OrgnlMsgId>{MESSAGE}</OrgnlMsgId><GrpSts>PART</GrpSts></OrgnlGrpInfAndSts>"
            "<TxInfAndSts><OrgnlEndToEndId>T1</OrgnlEndToEndId><TxSts>RJCT</TxSts><StsRsnInf><StsRsn><Cd>AM05</Cd>"
            "</StsRsn><AddtlStsRsnInf>twice</AddtlStsRsnInf></StsRsnInf></TxInfAndSts></pain.002.001.02></Document>"
        )
        assert list(report(text).lines) == [StatusLine(1, ("T1",), BankVerdict("RJCT", ("AM05",), "twice"))]

    def test_holds_the_refusals_around_a_refusal(self) -> None:
        (refused,) = report(about("T1", "RJCT")).lines
        assert refused.verdict.around == (BankVerdict("RJCT", ("DU01",), "Duplicate message"),)
        (settled,) = report(about("T1", "ACSC")).lines
        assert settled.verdict == BankVerdict("ACSC")

    def test_may_be_one_of_several_in_an_envelope(self) -> None:
        messages = documents.read(f"<all>{MIXED.partition('?>')[2]}{WHOLE}</all>".encode())
        assert [len(one.lines) for one in messages if isinstance(one, StatusReport)] == [4, 0]

    def test_bounds_what_the_bank_says_in_words(self) -> None:
        more = f"<StsRsnInf><AddtlInf>{'x' * 2000}</AddtlInf></StsRsnInf>"
        assert report(about("T1", "RJCT", more)).lines[0].verdict.text == "x" * 500

    def test_of_thousands_is_read(self) -> None:
        one = "<TxInfAndSts><OrgnlEndToEndId>T{}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>"
        many = "".join(one.format(n) for n in range(20_000))
        text = about("T", "ACSC").replace(b"</TxInfAndSts>", b"</TxInfAndSts>" + many.encode())
        assert len(report(text).lines) == 20_001

    @pytest.mark.parametrize("amount", ["NaN", "1,5", "1e3", "1_000", "٣", "-1", "9" * 400, ""])
    def test_goes_on_after_a_line_that_cannot_be_read(self, amount: str) -> None:
        bad = f'<OrgnlTxRef><Amt><InstdAmt Ccy="BDT">{amount}</InstdAmt></Amt></OrgnlTxRef>'
        message = report(about("T1", "ACSC", bad))
        assert [(fault.line, fault.element) for fault in message.faults] == [(1, "InstdAmt")]
        assert message.complete({"T1": "P", "T2": "P"}) == []
        nameless = report(about("NOTPROVIDED", "RJCT"))
        assert [type(fault) for fault in nameless.faults] == [LineFault]
        assert nameless.faults[0].element == "OrgnlEndToEndId"


class TestComplete:
    def test_gives_transfers_that_are_not_named_the_status_of_their_block(self) -> None:
        ours = {
            "T1": MESSAGE + "BDT",
            "t2": MESSAGE + "BDT",
            "T3": MESSAGE + "BDT",
            "T4": MESSAGE + "BDT",
            "T5": MESSAGE + "EUR",
            "T6": MESSAGE + "EUR",
        }
        # T4's block says nothing of itself, and of the group only that some were accepted
        assert report(MIXED).complete(ours)[4:] == [
            StatusLine(None, ("T4",), BankVerdict("PART")),
            StatusLine(None, ("T5",), BankVerdict("RJCT", ("X99",))),
        ]

    def test_gives_all_the_status_of_the_group(self) -> None:
        refused = BankVerdict("RJCT", ("DU01",), "Duplicate message")
        assert [one.verdict for one in report(WHOLE).complete({"T1": "P", "T2": "P"})] == [refused, refused]

    def test_adds_nothing_where_the_report_is_silent(self) -> None:
        text = about("T1", "ACSC").replace(b"<GrpSts>RJCT</GrpSts>", b"")
        assert [one.references for one in report(text).complete({"T1": "P", "T2": "P"})] == [("T1",)]

    def test_gives_a_named_transfer_without_status_that_of_its_block(self) -> None:
        text = about("T1", "ACSC").replace(b"<TxSts>ACSC</TxSts>", b"")
        text = text.replace(b">P</OrgnlPmtInfId>", b">P</OrgnlPmtInfId><PmtInfSts>ACCC</PmtInfSts>")
        assert report(text).complete({"T1": "P"}) == [StatusLine(None, ("T1",), BankVerdict("ACCC"))]


def booked(
    more: str = "",
    *,
    amount: str = "12.00",
    currency: str = "BDT",
    side: str = "DBIT",
    entry: str = "",
    status: str = "BOOK",
    refs: str = "<EndToEndId>T1</EndToEndId>",
) -> Booking:
    """Return the booking of an entry of one transfer."""
    text = (
        f'<BkToCstmrStmt><Stmt><Ntry><Amt Ccy="{currency}">{amount}</Amt><CdtDbtInd>{side}</CdtDbtInd>{entry}'
        f"<Sts>{status}</Sts><AcctSvcrRef>FT1</AcctSvcrRef><NtryDtls><TxDtls><Refs>{refs}</Refs>{more}</TxDtls>"
        "</NtryDtls></Ntry></Stmt></BkToCstmrStmt>"
    )
    (message,) = documents.read(text.encode())
    assert isinstance(message, BankStatement)
    (booking,) = message.bookings
    return booking


INSTRUCTED = '<AmtDtls><InstdAmt><Amt Ccy="BDT">12.00</Amt></InstdAmt></AmtDtls>'
CHARGES = '<Chrgs><Rcrd><Amt Ccy="BDT">0.20</Amt></Rcrd><Rcrd><Amt Ccy="BDT">0.30</Amt></Rcrd></Chrgs>'
TOTAL = f'<Chrgs><TtlChrgsAndTaxAmt Ccy="BDT">0.50</TtlChrgsAndTaxAmt>{CHARGES[7:]}'
OLD = '<Chrgs><Amt Ccy="BDT">0.50</Amt></Chrgs>'
RETURN = "<RtrInf><Rsn><Cd>AC04</Cd></Rsn><AddtlInf>closed</AddtlInf></RtrInf>"
DUPLICATE = "<RtrInf><Rsn><Cd>DUPL</Cd></Rsn></RtrInf>"
FAMILY = "<BkTxCd><Domn><Cd>PMNT</Cd><Fmly><Cd>ICDT</Cd><SubFmlyCd>RRTN</SubFmlyCd></Fmly></Domn></BkTxCd>"
REVERSAL = "<RvslInd>true</RvslInd>"


class TestMovement:
    @pytest.mark.parametrize(
        ("side", "more", "entry", "status", "expected"),
        [
            ("DBIT", "", "", "BOOK", EntryMovement.PAID),
            ("DBIT", "", "", "<Cd>BOOK</Cd>", EntryMovement.PAID),
            ("DBIT", "", "", "PDNG", EntryMovement.NOT_BOOKED),
            ("CRDT", RETURN, "", "<Cd>FUTR</Cd>", EntryMovement.NOT_BOOKED),
            ("DBIT", "", "", "", EntryMovement.NOT_BOOKED),
            ("CRDT", RETURN, "", "BOOK", EntryMovement.RETURNED),
            ("CRDT", "", REVERSAL, "BOOK", EntryMovement.RETURNED),
            ("CRDT", "", FAMILY, "BOOK", EntryMovement.RETURNED),
            ("CRDT", "", "", "BOOK", EntryMovement.UNCLEAR),
            ("CRDT", DUPLICATE, "", "BOOK", EntryMovement.UNCLEAR),
            ("DBIT", "", REVERSAL, "BOOK", EntryMovement.UNCLEAR),
            ("DBIT", "<CdtDbtInd>CRDT</CdtDbtInd>" + RETURN, "", "BOOK", EntryMovement.RETURNED),
        ],
    )
    def test_follows_from_side_status_and_reason(
        self, side: str, more: str, entry: str, status: str, expected: EntryMovement
    ) -> None:
        assert booked(more, side=side, entry=entry, status=status).movement is expected


class TestFee:
    @pytest.mark.parametrize(
        ("booking", "expected"),
        [
            (booked(), "0"),
            (booked(INSTRUCTED, amount="12.50"), "0.50"),
            (booked(CHARGES, amount="12.50"), "0.50"),
            (booked(TOTAL, amount="12.50"), "0.50"),
            (booked(OLD, amount="12.50"), "0.50"),
            (booked(INSTRUCTED, amount="0.09", currency="EUR"), "0"),
            (booked(amount="12.50"), None),
            (booked(amount="11.50"), None),
            (booked(amount="12.00", currency="EUR"), None),
            (booked(INSTRUCTED.replace("12.00", "13.00"), amount="12.00"), None),
            (booked(RETURN + INSTRUCTED.replace("12.00", "11.50"), side="CRDT", amount="11.50"), "0.50"),
            (booked(RETURN, side="CRDT"), "0"),
            (booked(RETURN, side="CRDT", amount="11.50"), "0.50"),
            (booked(RETURN + INSTRUCTED, side="CRDT", amount="2.00"), "10.00"),
            (booked(RETURN + CHARGES, side="CRDT", amount="11.50"), "0.50"),
            (booked(RETURN, side="CRDT", amount="2.00"), None),
            (booked(RETURN, side="CRDT", amount="24.00"), None),
            (booked(RETURN + INSTRUCTED, side="CRDT", amount="0.09", currency="EUR"), None),
        ],
    )
    def test_is_what_the_bank_kept_of_twelve(self, booking: Booking, expected: str | None) -> None:
        assert booking.find_fee(Decimal("12.00"), "BDT") == (None if expected is None else Decimal(expected))


class TestStatement:
    def test_names_transfers_by_the_instruction_where_the_end_to_end_id_is_not_provided(self) -> None:
        named = booked(refs="<InstrId>T9</InstrId><EndToEndId>NOTPROVIDED</EndToEndId>")
        assert (named.references, named.bank_reference) == (("T9",), "FT1")

    def test_separates_a_sum_from_its_parts_and_counts_the_rest(self) -> None:
        part = '<TxDtls><Refs><EndToEndId>{}</EndToEndId></Refs><Amt Ccy="BDT">6.00</Amt></TxDtls>'
        text = (
            "<BkToCstmrDbtCdtNtfctn><Ntfctn>"
            '<Ntry><Amt Ccy="BDT">12.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><NtryDtls><Btch><PmtInfId>P1'
            "</PmtInfId><NbOfTxs>2</NbOfTxs></Btch></NtryDtls></Ntry>"
            '<Ntry><Amt Ccy="BDT">12.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><NtryDtls><Btch><PmtInfId>P1'
            f"</PmtInfId></Btch>{part.format('T1')}{part.format('T2')}</NtryDtls></Ntry>"
            '<Ntry><Amt Ccy="BDT">900.00</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts></Ntry>'
            '<Ntry><Amt Ccy="BDT">1,5</Amt><CdtDbtInd>DBIT</CdtDbtInd><Sts>BOOK</Sts><NtryDtls>'
            "<TxDtls><Refs><EndToEndId>T3</EndToEndId></Refs></TxDtls></NtryDtls></Ntry>"
            "</Ntfctn></BkToCstmrDbtCdtNtfctn>"
        )
        (message,) = documents.read(text.encode())
        assert isinstance(message, BankStatement)
        assert [(one.number, one.references, one.block, one.transfers) for one in message.bookings] == [
            (1, (), "P1", 2),
            (2, ("T1",), None, None),
            (2, ("T2",), None, None),
        ]
        assert [one.booked.amount for one in message.bookings] == [Decimal("12.00"), Decimal("6.00"), Decimal("6.00")]
        assert (message.kind, message.unnamed) == ("camt.054", 1)
        assert [(fault.line, fault.element) for fault in message.faults] == [(4, "Amt")]


LAUGHTER = "".join(f'<!ENTITY lol{n + 1} "{f"&lol{n};" * 10}">' for n in range(9))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY lol0 "lol">{LAUGHTER}]><Document>&lol9;</Document>'
EXTERNAL = WHOLE.replace("<Document", '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><Document').replace(
    "Duplicate message", "&e;"
)


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "kind", "detail"),
        [
            (LAUGHS.encode(), Invalid, "document type or entities"),
            (EXTERNAL.encode(), Invalid, "document type or entities"),
            (EXTERNAL.encode("utf-16"), Invalid, "document type or entities"),
            (b'<!DOCTYPE d SYSTEM "http://127.0.0.1:1/x.dtd"><d/>', Invalid, "document type or entities"),
            (b"<Document>" + b" " * 50_000_000 + b"</Document>", TooLarge, "50,000,021 bytes"),
            (WHOLE.replace("<GrpHdr>", "<x/>" * 600_000 + "<GrpHdr>").encode(), TooLarge, "elements"),
            (WHOLE.replace("<GrpHdr>", "<x>" * 50 + "<GrpHdr>").encode(), Invalid, "nested deeper"),
            (WHOLE.replace("<GrpHdr>", "<x>" * 1_000_000 + "<GrpHdr>").encode(), Invalid, "nested deeper"),
            (b"", Unreadable, "not XML"),
            (b"reference,status\nT1,paid\n", Unreadable, "not XML"),
            (b"\xff\xfe\x00", Unreadable, "not XML"),
            (b'<?xml version="1.0" encoding="klingon"?><a/>', Unreadable, "not XML"),
            (WHOLE[:-20].encode(), Unreadable, "not XML"),
            (WHOLE.replace("Duplicate", "&nbsp;").encode(), Unreadable, "not XML"),
            (b"<html/>", Invalid, "begins with html"),
            (b"<Document><CstmrCdtTrfInitn/></Document>", Invalid, "Document and CstmrCdtTrfInitn"),
            (b"<Document><BkToCstmrAcctRpt/></Document>", Invalid, "camt.052"),
            (WHOLE.replace(MESSAGE, "").encode(), Invalid, "which message it answers"),
        ],
        ids=["laughs", "external", "external-utf16", "dtd", "50MB", "elements", "deep", "deeper", "empty", "csv",
             "bytes", "codec", "cut", "entity", "html", "other-message", "intraday", "no-message"],
    )  # fmt: skip
    def test_say_what_is_wrong(self, data: bytes, kind: type[Fault], detail: str) -> None:
        with pytest.raises(kind) as refused:
            documents.read(data)
        assert detail in refused.value.detail
        assert len(refused.value.detail) < 400
