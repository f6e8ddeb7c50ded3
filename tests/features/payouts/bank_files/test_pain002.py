"""The bank's report: what each status means for each transfer, and which documents are refused unread."""

from decimal import Decimal

import pytest

from chalicelib.features.payouts.bank_files import pain002
from chalicelib.features.payouts.bank_files.pain002 import Fate, Line, Verdict
from chalicelib.kernel.errors import Fault, Invalid, TooLarge, Unreadable

MESSAGE = "01936f5e7c0b7f3aa1b2c3d4e5f60718"

MIXED = f"""<?xml version="1.0" encoding="UTF-8"?>
<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.10">
  <CstmrPmtStsRpt>
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
      </TxInfAndSts>
      <TxInfAndSts><OrgnlEndToEndId>T3</OrgnlEndToEndId><TxSts>ACSP</TxSts></TxInfAndSts>
    </OrgnlPmtInfAndSts>
    <OrgnlPmtInfAndSts>
      <OrgnlPmtInfId>{MESSAGE}EUR</OrgnlPmtInfId><PmtInfSts>RJCT</PmtInfSts>
      <StsRsnInf><Rsn><Prtry>X99</Prtry></Rsn></StsRsnInf>
    </OrgnlPmtInfAndSts>
  </CstmrPmtStsRpt>
</Document>
"""

WHOLE = f"""<Document xmlns="urn:iso:std:iso:20022:tech:xsd:pain.002.001.03"><CstmrPmtStsRpt>
<GrpHdr><MsgId>B</MsgId><CreDtTm>2026-11-23T10:00:00</CreDtTm></GrpHdr>
<OrgnlGrpInfAndSts><OrgnlMsgId>{MESSAGE}</OrgnlMsgId><OrgnlMsgNmId>pain.001.001.09</OrgnlMsgNmId>
<GrpSts>RJCT</GrpSts><StsRsnInf><Rsn><Cd>DU01</Cd></Rsn><AddtlInf>Duplicate message</AddtlInf></StsRsnInf>
</OrgnlGrpInfAndSts></CstmrPmtStsRpt></Document>"""


def about(reference: str, status: str, more: str = "") -> bytes:
    """This will be a report of one transfer."""
    return WHOLE.replace(
        "</OrgnlGrpInfAndSts>",
        f"</OrgnlGrpInfAndSts><OrgnlPmtInfAndSts><OrgnlPmtInfId>P</OrgnlPmtInfId><TxInfAndSts>"
        f"<OrgnlEndToEndId>{reference}</OrgnlEndToEndId><TxSts>{status}</TxSts>{more}</TxInfAndSts></OrgnlPmtInfAndSts>",
    ).encode()


class TestRead:
    def test_gives_each_transfer_its_status_reason_and_amount(self) -> None:
        report = pain002.read(MIXED.encode())
        assert report.message_id == MESSAGE
        assert report.group == Verdict("PART")
        assert report.payments == {MESSAGE + "EUR": Verdict("RJCT", reason="X99")}
        assert list(report.lines) == [
            Line("T1", Verdict("ACSC"), Decimal("12.00"), "BDT", "FT2632700001"),
            Line("T2", Verdict("RJCT", reason="AC04", said="Account closed on 2026-10-01")),
            Line("T3", Verdict("ACSP")),
        ]

    def test_takes_the_older_version_and_other_encodings(self) -> None:
        assert pain002.read(WHOLE.encode()).group == Verdict("RJCT", reason="DU01", said="Duplicate message")
        said = MIXED.replace('encoding="UTF-8"', 'encoding="UTF-16"')
        assert len(pain002.read(said.encode("utf-16")).lines) == 3

    @pytest.mark.parametrize(
        ("code", "fate"),
        [("ACSC", Fate.PAID), ("ACCC", Fate.PAID), ("RJCT", Fate.REFUSED), ("CANC", Fate.REFUSED)]
        + [(code, Fate.ON_ITS_WAY) for code in ("ACSP", "ACTC", "ACCP", "ACWC", "ACWP", "PDNG", "RCVD", "PART", "BLCK",
                                                "ACFC", "PATC", "NEW1", "acsc")],
    )  # fmt: skip
    def test_takes_only_settlement_for_paid_and_only_a_refusal_for_refused(self, code: str, fate: Fate) -> None:
        assert pain002.read(about("T1", code)).lines[0].verdict.fate is fate

    def test_understands_a_transfer_named_by_its_instruction_only(self) -> None:
        said = about("T1", "RJCT").replace(b"OrgnlEndToEndId", b"OrgnlInstrId")
        assert [line.reference for line in pain002.read(said).lines] == ["T1"]

    def test_bounds_what_the_bank_says_in_words(self) -> None:
        more = f"<StsRsnInf><AddtlInf>{'x' * 2000}</AddtlInf></StsRsnInf>"
        assert pain002.read(about("T1", "RJCT", more)).lines[0].verdict.said == "x" * 500

    def test_reads_thousands(self) -> None:
        one = "<TxInfAndSts><OrgnlEndToEndId>T{}</OrgnlEndToEndId><TxSts>ACSC</TxSts></TxInfAndSts>"
        many = "".join(one.format(n) for n in range(20_000))
        said = about("T", "ACSC").replace(b"</TxInfAndSts>", b"</TxInfAndSts>" + many.encode())
        assert len(pain002.read(said).lines) == 20_001


class TestComplete:
    def test_gives_transfers_that_are_not_named_the_status_of_their_block(self) -> None:
        ours = {"T1": MESSAGE + "BDT", "t2": MESSAGE + "BDT", "T3": MESSAGE + "BDT", "T4": MESSAGE + "BDT",
                "T5": MESSAGE + "EUR"}  # fmt: skip
        added = pain002.read(MIXED.encode()).complete(ours)[3:]
        # T4's block says nothing of itself, and of the group only that some were accepted
        assert added == [Line("T4", Verdict("PART")), Line("T5", Verdict("RJCT", reason="X99"))]
        assert added[0].verdict.fate is Fate.ON_ITS_WAY

    def test_gives_all_the_status_of_the_group(self) -> None:
        refused = Verdict("RJCT", reason="DU01", said="Duplicate message")
        assert pain002.read(WHOLE.encode()).complete({"T1": "P", "T2": "P"}) == [
            Line("T1", refused),
            Line("T2", refused),
        ]

    def test_adds_nothing_where_the_report_is_silent(self) -> None:
        said = about("T1", "ACSC").replace(b"<GrpSts>RJCT</GrpSts>", b"")
        assert pain002.read(said).complete({"T1": "P", "T2": "P"}) == [Line("T1", Verdict("ACSC"))]

    def test_gives_a_named_transfer_without_status_that_of_its_block(self) -> None:
        said = about("T1", "ACSC").replace(b"<TxSts>ACSC</TxSts>", b"")
        said = said.replace(b">P</OrgnlPmtInfId>", b">P</OrgnlPmtInfId><PmtInfSts>ACCC</PmtInfSts>")
        assert pain002.read(said).complete({"T1": "P"}) == [Line("T1", Verdict("ACCC"))]


LAUGHTER = "".join(f'<!ENTITY lol{n + 1} "{f"&lol{n};" * 10}">' for n in range(9))
LAUGHS = f'<?xml version="1.0"?><!DOCTYPE d [<!ENTITY lol0 "lol">{LAUGHTER}]><Document>&lol9;</Document>'
EXTERNAL = WHOLE.replace("<Document", '<!DOCTYPE d [<!ENTITY e SYSTEM "file:///etc/passwd">]><Document').replace(
    "Duplicate message", "&e;"
)
AMOUNT = "<OrgnlTxRef><Amt><InstdAmt>{}</InstdAmt></Amt></OrgnlTxRef>"


class TestRefusals:
    @pytest.mark.parametrize(
        ("data", "kind", "said"),
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
            (b"<html/>", Invalid, "no namespace"),
            (WHOLE.replace("pain.002.001.03", "pain.001.001.09").encode(), Invalid, "pain.001.001.09"),
            (WHOLE.replace("Document", "Envelope").encode(), Invalid, "not a payment status report"),
            (WHOLE.replace(MESSAGE, "").encode(), Invalid, "which message it answers"),
            (about("", "RJCT"), Invalid, "is RJCT and does not say which"),
            (about("T1", "ACSC", AMOUNT.format("NaN")), Invalid, "not a number"),
            (about("T1", "ACSC", AMOUNT.format("1,5")), Invalid, "not a number"),
        ],
        ids=["laughs", "external", "external-utf16", "dtd", "50MB", "elements", "deep", "deeper", "empty", "csv",
             "bytes", "codec", "cut", "entity", "html", "wrong-message", "wrong-root", "no-message", "no-reference",
             "nan", "comma"],
    )  # fmt: skip
    def test_say_what_is_wrong(self, data: bytes, kind: type[Fault], said: str) -> None:
        with pytest.raises(kind) as refused:
            pain002.read(data)
        assert said in refused.value.detail
        assert len(refused.value.detail) < 400
