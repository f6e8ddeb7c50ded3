"""pain.001.001.09: valid by the official schema whatever the names, with sums that are right."""

from collections import defaultdict
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta, timezone
from decimal import Decimal
from functools import cache
from pathlib import Path
from xml.etree import ElementTree

import pytest
import sepaxml
import xmlschema
from hypothesis import given, settings
from hypothesis import strategies as some

from chalicelib.features.payouts.batches.bank_files import pain001
from chalicelib.features.payouts.batches.bank_files.orders import BankAccount, FileOrder, Transfer
from chalicelib.kernel.errors import Invalid, TooLarge
from chalicelib.kernel.money import MINOR_UNITS

NS = {"p": pain001.NAMESPACE}
MESSAGE = "01936f5e7c0b7f3aa1b2c3d4e5f60718"
ACME = BankAccount("Acme Garments Ltd", iban="DE89370400440532013000", bic="COBADEFFXXX")
RAHIM = BankAccount(
    "Rahim Uddin", number="0123456789012", bank_code="175", branch_code="175260732", bank_name="Pubali Bank"
)
GRETA = BankAccount("Greta Müller & Söhne", iban="DE75512108001245126199", bic="SOGEDEFF")


@cache
def schema() -> xmlschema.XMLSchema:
    """Read the official schema, which the development dependency sepaxml carries."""
    return xmlschema.XMLSchema(Path(sepaxml.__file__).parent / "schemas" / "pain.001.001.09.xsd")


def transfer(
    reference: str = "WB-1", amount: str = "12.00", currency: str = "BDT", to: BankAccount = RAHIM
) -> Transfer:
    return Transfer(reference, Decimal(amount), currency, to, "Advance November 2026")


def order(*transfers: Transfer) -> FileOrder:
    return FileOrder(MESSAGE, datetime(2026, 11, 21, 8, 30, 15, 999, tzinfo=UTC), date(2026, 11, 23), transfers)


def read(data: bytes) -> ElementTree.Element:
    schema().validate(data.decode())
    return ElementTree.fromstring(data)  # noqa: S314  # our own


def texts(root: ElementTree.Element, path: str) -> list[str | None]:
    return [element.text for element in root.findall(path, NS)]


class TestWritten:
    def test_says_everything_in_its_place(self) -> None:
        root = read(pain001.write(order(transfer()), ACME))
        assert [(element.tag.rpartition("}")[2], (element.text or "").strip()) for element in root.iter()] == [
            ("Document", ""),
            ("CstmrCdtTrfInitn", ""),
            ("GrpHdr", ""),
            ("MsgId", MESSAGE),
            ("CreDtTm", "2026-11-21T08:30:15Z"),
            ("NbOfTxs", "1"),
            ("CtrlSum", "12.00"),
            ("InitgPty", ""),
            ("Nm", "Acme Garments Ltd"),
            ("PmtInf", ""),
            ("PmtInfId", MESSAGE + "BDT"),
            ("PmtMtd", "TRF"),
            ("NbOfTxs", "1"),
            ("CtrlSum", "12.00"),
            ("ReqdExctnDt", ""),
            ("Dt", "2026-11-23"),
            ("Dbtr", ""),
            ("Nm", "Acme Garments Ltd"),
            ("DbtrAcct", ""),
            ("Id", ""),
            ("IBAN", "DE89370400440532013000"),
            ("DbtrAgt", ""),
            ("FinInstnId", ""),
            ("BICFI", "COBADEFFXXX"),
            ("ChrgBr", "SHAR"),
            ("CdtTrfTxInf", ""),
            ("PmtId", ""),
            ("InstrId", "WB-1"),
            ("EndToEndId", "WB-1"),
            ("Amt", ""),
            ("InstdAmt", "12.00"),
            ("CdtrAgt", ""),
            ("FinInstnId", ""),
            ("ClrSysMmbId", ""),
            ("MmbId", "175"),
            ("Nm", "Pubali Bank"),
            ("BrnchId", ""),
            ("Id", "175260732"),
            ("Cdtr", ""),
            ("Nm", "Rahim Uddin"),
            ("CdtrAcct", ""),
            ("Id", ""),
            ("Othr", ""),
            ("Id", "0123456789012"),
            ("SchmeNm", ""),
            ("Cd", "BBAN"),
            ("RmtInf", ""),
            ("Ustrd", "Advance November 2026"),
        ]
        assert root.find(".//p:InstdAmt", NS).attrib == {"Ccy": "BDT"}  # type: ignore[union-attr]

    def test_puts_each_currency_in_a_block_of_its_own_with_its_sum(self) -> None:
        root = read(
            pain001.write(
                order(
                    transfer("A", "500", "JPY"),
                    transfer("B", "12.5", "BDT"),
                    transfer("C", "1.25", "KWD"),
                    transfer("D", "68", "BDT"),
                ),
                ACME,
            )
        )
        assert texts(root, ".//p:PmtInfId") == [MESSAGE + "BDT", MESSAGE + "JPY", MESSAGE + "KWD"]
        assert texts(root, ".//p:PmtInf/p:NbOfTxs") == ["2", "1", "1"]
        assert texts(root, ".//p:PmtInf/p:CtrlSum") == ["80.50", "500", "1.250"]
        assert texts(root, ".//p:InstdAmt") == ["12.50", "68.00", "500", "1.250"]
        # 500 + 12.5 + 1.25 + 68: the header's sum is of the bare numbers, as the standard has it
        assert texts(root, ".//p:GrpHdr/p:CtrlSum") == ["581.750"]
        assert texts(root, ".//p:GrpHdr/p:NbOfTxs") == ["4"]

    def test_marks_euro_between_ibans_of_sepa_and_nothing_else(self) -> None:
        def marks(debtor: BankAccount, *creditors: BankAccount, currency: str = "EUR") -> tuple[list[str | None], ...]:
            ordered = [transfer(f"T{n}", "10", currency, one) for n, one in enumerate(creditors)]
            root = read(pain001.write(order(*ordered), debtor))
            return texts(root, ".//p:SvcLvl/p:Cd"), texts(root, ".//p:ChrgBr")

        saudi = BankAccount("Fahd", iban="SA0380000000608010167519")
        assert marks(ACME, GRETA) == (["SEPA"], ["SLEV"])
        assert marks(ACME, GRETA, saudi) == ([], ["SHAR"])
        assert marks(ACME, GRETA, currency="USD") == ([], ["SHAR"])
        assert marks(RAHIM, GRETA) == ([], ["SHAR"])

    def test_leaves_out_bank_names_and_national_codes_in_sepa(self) -> None:
        known = replace(GRETA, bic=None, bank_name="SocGen", bank_code="51210800", branch_code="1")
        root = read(pain001.write(order(transfer("A", "1", "EUR", known)), replace(ACME, bic=None)))
        assert root.findall(".//p:CdtrAgt", NS) == []
        assert texts(root, ".//p:DbtrAgt/p:FinInstnId/p:Othr/p:Id") == ["NOTPROVIDED"]

    def test_keeps_to_the_characters_of_sepa(self) -> None:
        names = {
            "Greta Müller & Söhne": "Greta Muller + Sohne",
            "রহিম উদ্দিন": "rhim uddin",
            "محمد عبد الله": "mhmd 'bd llh",
            "李小龙": "LiXiaoLong",
            "Łukasz  Żółć\t": "Lukasz Zolc",
            "//Rahim//Uddin/": "Rahim/Uddin",
            "R\u202eahim\x00 <b>": "Rahim (b)",
            "***": "NOTPROVIDED",
            "\ue000": "NOTPROVIDED",
            "R" * 200: "R" * 70,
        }
        ordered = [transfer(f"T{n}", to=replace(RAHIM, holder=name)) for n, name in enumerate(names)]
        assert texts(read(pain001.write(order(*ordered), ACME)), ".//p:Cdtr/p:Nm") == list(names.values())

    def test_says_the_moment_in_utc(self) -> None:
        dhaka = datetime(2026, 11, 21, 2, 0, tzinfo=timezone(timedelta(hours=6)))
        root = read(pain001.write(replace(order(transfer()), created_at=dhaka), ACME))
        assert texts(root, ".//p:CreDtTm") == ["2026-11-20T20:00:00Z"]

    def test_gives_the_same_bytes_again(self) -> None:
        assert pain001.write(order(transfer()), ACME) == pain001.write(order(transfer()), ACME)

    def test_leaves_out_a_text_of_which_nothing_is_left(self) -> None:
        silent = [replace(transfer("A"), remittance="***"), replace(transfer("B"), remittance=None)]
        assert texts(read(pain001.write(order(*silent), ACME)), ".//p:Ustrd") == []


class TestRefusals:
    @pytest.mark.parametrize(
        ("faulty", "detail"),
        [
            (transfer("/A"), "the reference must be"),
            (transfer("A//B"), "the reference must be"),
            (transfer("A/"), "the reference must be"),
            (transfer(""), "the reference must be"),
            (transfer("R" * 36), "the reference must be"),
            (transfer("রহিম"), "the reference must be"),
            (transfer(amount="0"), "above zero"),
            (transfer(amount="-1"), "above zero"),
            (transfer(amount="NaN"), "above zero"),
            (transfer(amount="1E+40"), "below a thousand million million"),
            (transfer(amount="1.001"), "more decimals than BDT has (2)"),
            (transfer(amount="1.5", currency="JPY"), "more decimals than JPY has (0)"),
            (transfer(currency="XXX"), "not a currency"),
            (transfer(to=replace(RAHIM, number=None)), "neither an IBAN nor an account number"),
            (transfer(to=replace(RAHIM, number="12 34")), "the account number has"),
            (transfer(to=replace(RAHIM, number="=1+1")), "the account number has"),
            (transfer(to=replace(GRETA, iban="DE75 5121")), "the IBAN has"),
            (transfer(to=replace(GRETA, bic="SOGE")), "the BIC has"),
            (transfer(to=replace(RAHIM, holder=" ")), "no holder's name"),
        ],
    )
    def test_name_the_transfer_and_what_is_wrong(self, faulty: Transfer, detail: str) -> None:
        with pytest.raises(Invalid) as refused:
            pain001.write(order(faulty), ACME)
        assert detail in refused.value.detail
        assert refused.value.detail.startswith(f"Transfer {faulty.reference}:")
        assert (faulty.creditor.number or "no number") not in refused.value.detail

    def test_of_the_same_reference_twice_however_it_is_written(self) -> None:
        with pytest.raises(Invalid, match="wb-1 is there twice"):
            pain001.write(order(transfer("WB-1"), transfer("wb-1")), ACME)

    def test_of_nothing_to_send(self) -> None:
        with pytest.raises(Invalid, match="nothing to transfer"):
            pain001.write(order(), ACME)

    def test_of_an_account_that_cannot_pay(self) -> None:
        with pytest.raises(Invalid, match="bank file settings"):
            pain001.write(order(transfer()), BankAccount("Acme"))

    def test_of_sums_that_the_standard_has_no_room_for(self) -> None:
        much = [transfer(f"T{n}", "999999999999999.999", "KWD") for n in range(2)]
        with pytest.raises(TooLarge, match="smaller batches"):
            pain001.write(order(*much), ACME)


CURRENCIES = some.sampled_from(["BDT", "EUR", "JPY", "KRW", "KWD", "TND", "USD"])
HOLDERS = some.text(min_size=1, max_size=150).filter(str.strip)
LOCAL = some.builds(
    BankAccount,
    HOLDERS,
    number=some.from_regex(r"[0-9]{1,34}", fullmatch=True),
    bank_code=some.none() | some.from_regex(r"[A-Z0-9]{1,35}", fullmatch=True),
    bank_name=some.none() | some.text(),
    branch_code=some.none() | some.from_regex(r"[0-9]{1,35}", fullmatch=True),
)
WITH_IBAN = some.builds(
    BankAccount,
    HOLDERS,
    iban=some.from_regex(r"(DE|BD|SA)[0-9]{2}[A-Z0-9]{1,30}", fullmatch=True),
    bic=some.none() | some.from_regex(r"[A-Z]{6}[A-Z0-9]{2}([A-Z0-9]{3})?", fullmatch=True),
    bank_name=some.none() | some.text(),
)
ACCOUNTS = LOCAL | WITH_IBAN


@some.composite
def orders(draw: some.DrawFn) -> FileOrder:
    transfers = []
    for n in range(draw(some.integers(1, 6))):
        currency = draw(CURRENCIES)
        amount = Decimal(draw(some.integers(1, 10**14))).scaleb(-MINOR_UNITS[currency])
        transfers.append(Transfer(f"T/{n}", amount, currency, draw(ACCOUNTS), draw(some.none() | some.text())))
    return order(*transfers)


class TestAnyOrder:
    @settings(max_examples=150, deadline=None)
    @given(orders(), ACCOUNTS)
    def test_is_valid_and_adds_up(self, any_order: FileOrder, payer: BankAccount) -> None:
        root = read(pain001.write(any_order, payer))
        expected: dict[str, list[Decimal]] = defaultdict(list)
        for one in any_order.transfers:
            expected[one.currency].append(one.amount)
        amounts_read = {}
        for block in root.findall(".//p:PmtInf", NS):
            amounts = [(each.attrib["Ccy"], Decimal(each.text or "")) for each in block.findall(".//p:InstdAmt", NS)]
            (currency,) = {block_currency for block_currency, _ in amounts}
            amounts_read[currency] = [amount for _, amount in amounts]
            assert Decimal(block.findtext("p:CtrlSum", "", NS)) == sum(amounts_read[currency])
            assert int(block.findtext("p:NbOfTxs", "", NS)) == len(amounts)
        assert amounts_read == expected
        assert Decimal(root.findtext(".//p:GrpHdr/p:CtrlSum", "", NS)) == sum(one.amount for one in any_order.transfers)
        assert sorted(texts(root, ".//p:EndToEndId"), key=str) == [one.reference for one in any_order.transfers]
