"""Verdicts of banks: a status with its reason codes; a code that is not on the list is a doubt."""

import pytest

from chalicelib.features.payouts.delivery import outcomes
from chalicelib.features.payouts.delivery.outcomes import BankVerdict, MoneyOutcome, ReasonSubject
from chalicelib.features.payouts.delivery.providers import PayoutRefused

REFUSED, DOUBT, WAY, PAID = MoneyOutcome.REFUSED, MoneyOutcome.DOUBT, MoneyOutcome.ON_ITS_WAY, MoneyOutcome.PAID


class TestList:
    def test_has_the_codes_of_both_sets_once_each_with_a_meaning(self) -> None:
        listed = outcomes.load_reasons()
        assert len(listed) == 313
        assert all(reason.meaning and len(reason.code) == 4 for reason in listed.values())

    def test_takes_every_duplicate_for_one_of_an_earlier_instruction(self) -> None:
        earlier = {code for code, reason in outcomes.load_reasons().items() if reason.subject is ReasonSubject.EARLIER}
        assert {"AM05", "DU01", "DU02", "DU03", "DU04", "DU05", "DUPL", "AB12", "DS15", "RF01", "ARDT"} <= earlier
        assert not {"AC01", "AC04", "AM04", "MS03", "RC01", "RR04"} & earlier


class TestOutcome:
    @pytest.mark.parametrize(
        ("status", "reasons", "expected"),
        [
            ("RJCT", ("AC01",), REFUSED), ("RJCT", ("AC04",), REFUSED), ("RJCT", ("AM04",), REFUSED),
            ("RJCT", ("BE01",), REFUSED), ("RJCT", ("MS03",), REFUSED), ("RJCT", ("FF01",), REFUSED),
            ("RJCT", ("AC04", "NARR"), REFUSED), ("CANC", ("CUST",), REFUSED), ("CANC", (), REFUSED),
            ("RJCT", (), DOUBT), ("RJCT", ("ZZ99",), DOUBT), ("RJCT", ("NARR",), DOUBT), ("RJCT", ("AB03",), DOUBT),
            ("RJCT", ("TS01",), DOUBT), ("CANC", ("DUPL",), DOUBT), ("RJCT", ("AC04", "DU04"), DOUBT),
            ("RJCT", ("AC04", "own code"), DOUBT),
            *(("RJCT", (code,), DOUBT) for code in ("AM05", "DU01", "DU02", "DU03", "DU04", "DU05")),
            *((code, (), PAID) for code in ("ACSC", "ACCC")),
            *((code, ("AC04",), WAY) for code in ("ACSP", "ACTC", "ACCP", "ACWC", "ACWP", "PDNG", "RCVD", "PART")),
            *((code, (), WAY) for code in ("BLCK", "PATC", "RVNM", "RVMC", "NEW1", "acsc", "rjct")),
        ],
    )  # fmt: skip
    def test_follows_from_status_and_reasons(
        self, status: str, reasons: tuple[str, ...], expected: MoneyOutcome
    ) -> None:
        assert BankVerdict(status, reasons).outcome() is expected

    def test_of_a_reason_about_the_file_depends_on_what_the_bank_said_before(self) -> None:
        wrong_signature = BankVerdict("RJCT", ("DS0B",))
        assert wrong_signature.outcome() is REFUSED
        assert wrong_signature.outcome(was_accepted=True) is DOUBT
        assert BankVerdict("RJCT", ("AC04",)).outcome(was_accepted=True) is REFUSED

    @pytest.mark.parametrize(
        ("text", "expected"),
        [
            ("Duplicate file", DOUBT), ("Datei doppelt eingereicht", DOUBT), ("doublon", DOUBT),
            ("File was already processed", DOUBT), ("payment received before", DOUBT), ("sent twice", DOUBT),
            ("Account closed", REFUSED), ("account already closed", REFUSED), ("Konto erloschen", REFUSED),
        ],
    )  # fmt: skip
    def test_heeds_the_banks_own_words(self, text: str, expected: MoneyOutcome) -> None:
        assert BankVerdict("RJCT", ("AC04",), text).outcome() is expected

    def test_takes_the_reason_of_what_it_is_in_where_it_gives_none(self) -> None:
        block, group = BankVerdict("RJCT", ("AC04",)), BankVerdict("RJCT", ("DU01",))
        assert BankVerdict("RJCT", around=(block,)).outcome() is REFUSED
        assert BankVerdict("RJCT", around=(BankVerdict("RJCT"), block)).outcome() is REFUSED
        assert BankVerdict("RJCT", ("AC04",), around=(block, group)).outcome() is DOUBT
        assert BankVerdict("RJCT", around=(BankVerdict("RJCT"),)).outcome() is DOUBT


class TestInWords:
    @pytest.mark.parametrize(
        ("reason", "expected"),
        [
            (None, REFUSED), ("account closed", REFUSED), ("AC04", REFUSED), ("AC04 account closed", REFUSED),
            ("never brought to the bank", REFUSED), ("MANY reasons", REFUSED), ("AM05", DOUBT), ("DU02: twice", DOUBT),
            ("ZZ99", DOUBT), ("the bank says duplicate", DOUBT),
        ],
    )  # fmt: skip
    def test_judges_what_a_person_writes(self, reason: str | None, expected: MoneyOutcome) -> None:
        assert outcomes.parse_refusal(reason).outcome() is expected


class TestNameCheck:
    @pytest.mark.parametrize(
        ("verdict", "expected"),
        [
            (BankVerdict("RCVC"), "match"), (BankVerdict("RVMC"), "close_match"), (BankVerdict("RVNM"), "no_match"),
            (BankVerdict("RVNA"), "not_possible"), (BankVerdict("RJCT", ("BE01",)), "no_match"),
            (BankVerdict("ACSC"), None),
        ],
    )  # fmt: skip
    def test_is_read_from_status_and_reason(self, verdict: BankVerdict, expected: str | None) -> None:
        assert outcomes.find_name_check(verdict) == expected


class TestProviders:
    def test_refuse_by_the_same_verdict(self) -> None:
        assert PayoutRefused("no").verdict.outcome() is REFUSED
        assert PayoutRefused("no", "AC01").verdict.outcome() is REFUSED
        assert PayoutRefused("seen before", "AM05").verdict.outcome() is DOUBT
        assert PayoutRefused("no", "their own").verdict.outcome() is DOUBT
