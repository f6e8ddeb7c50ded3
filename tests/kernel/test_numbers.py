"""Numbers are parsed strictly: what the published pattern allows, and nothing ambiguous."""

import re
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.kernel import numbers
from chalicelib.kernel.numbers import read_amount, read_number, read_signed_amount, read_whole

REFUSED = {
    "1_000": "separator", "1,000": "separator", "1,000.00": "separator", "1 000": "separator",
    "1\u00a0000": "separator",
    "1'000": "separator", "12,5": "separator", "1e3": "exponent", "1E3": "exponent", "1.23457E+11": "exponent",
    "1e400": "exponent", ".5": "write 0.5", "5.": "write 5", "+5": "plus sign", " 5": "space", "5\n": "space",
    "": "empty",
    "৫০০": "digits than 0 to 9", "١٢": "digits than 0 to 9", "５": "digits than 0 to 9", "NaN": "not a number",
    "Infinity": "not a number", "0x1F": "not a number", "1.2.3": "not a number", "--5": "not a number",
    "−5": "not a number", "$5": "not a number", "1234567890123456": "15 digits", "1.2345": "3 decimals",
}  # fmt: skip


class TestAmount:
    @pytest.mark.parametrize(("text", "reason"), REFUSED.items())
    def test_refuses_with_the_reason_and_the_remedy(self, text: str, reason: str) -> None:
        for read in (read_amount, read_signed_amount):
            with pytest.raises(ValueError, match=re.escape(reason)):
                read(text)

    @pytest.mark.parametrize(
        ("value", "reason"),
        [
            (1.5, "send it as a string"), (1.0, "send it as a string"), (float("nan"), "string"),
            (True, "must be a string"), ([], "must be a string"), (10**15, "15 digits"),
            (-1, "must be greater than or equal to 0"),
            ("-5", "must be greater than or equal to 0"),
        ],
    )  # fmt: skip
    def test_refuses_other_things(self, value: Any, reason: str) -> None:
        with pytest.raises(ValueError, match=reason):
            read_amount(value)

    def test_takes_strings_and_whole_numbers(self) -> None:
        assert [read_amount(one) for one in ("15000.00", "0", "007.5", 40)] == [
            Decimal("15000.00"),
            Decimal(0),
            Decimal("7.5"),
            Decimal(40),
        ]
        assert [read_signed_amount(one) for one in ("-500.00", -3, "-0")] == [Decimal("-500.00"), -3, 0]

    @settings(max_examples=500)
    @given(
        st.one_of(
            st.text(alphabet="0123456789.-+eE_, '\u09e7\n", max_size=20),
            st.decimals(allow_nan=False, allow_infinity=False).map(str),
            st.text(max_size=5),
        )
    )
    @example("1\n")
    def test_takes_exactly_the_published_pattern(self, text: str) -> None:
        for read, pattern in (
            (read_amount, numbers.AMOUNT_PATTERN),
            (read_signed_amount, numbers.SIGNED_AMOUNT_PATTERN),
        ):
            # $ of the document's pattern (ECMA) stands at the end only, and Python's before a newline, too
            if re.search(pattern.replace("$", r"\Z"), text):
                assert read(text) == Decimal(text)
            else:
                with pytest.raises(ValueError, match=r"."):
                    read(text)


class TestNumber:
    def test_takes_json_numbers_by_their_shortest_decimal(self) -> None:
        assert [read_number(one) for one in (0.1, 7.5, 12, 5.0, "-2.50", 0.25)] == [
            Decimal("0.1"),
            Decimal("7.5"),
            12,
            5,
            Decimal("-2.50"),
            Decimal("0.25"),
        ]
        assert str(read_number(5.0)) == "5"

    @pytest.mark.parametrize("value", [True, "1_0", "1e3", ".5", "5.", "+5", " 5", "৫", "NaN", float("inf"),
                                       float("nan"),
                                       1e300, 10**30, "9" * 31, [], {}])  # fmt: skip
    def test_refuses_the_same_spellings(self, value: Any) -> None:
        with pytest.raises(ValueError, match=r"."):
            read_number(value)


class TestWhole:
    def test_takes_plain_digits(self) -> None:
        assert [read_whole(one) for one in ("480", 480, None, "-1", "480.00", 480.0)] == [480, 480, None, -1, 480, 480]

    @pytest.mark.parametrize(
        "value", ["4_80", "480.5", "+5", " 5", "৫", "", True, 480.5, "1e2", "9" * 19, float("inf")]
    )
    def test_refuses_others(self, value: Any) -> None:
        with pytest.raises(ValueError, match=r"."):
            read_whole(value)
