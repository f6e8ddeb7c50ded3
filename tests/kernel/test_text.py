"""Cleaning of human text: what is kept, removed and refused, and its laws."""

import unicodedata

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from chalicelib.kernel.text import clean_line, clean_lines, harmless_line, harmless_lines

# Everything that there is, and more often than by chance what texts are cleaned of.
ODD = st.sampled_from([
    "\ufeff", "\u200b", "\u200c", "\u200d", "\u200e", "\u00a0", "\u2028", "\u0085", "\x1b[31m", "\x1b]0;t\x07",
    "\x9b1m",
    "\x1b", "[", "\r\n", "\n", "\t", "\x00", "\u0301", "e", "\u1100", "\u1161", "\u0958", "\ufb2c", " ", "\u3164",
    "\U000e0041", "র\u200d্য", "\u202e", "\u2066", "\ue000", "\uffff",
])  # fmt: skip
TEXTS = st.lists(st.one_of(ODD, st.text(max_size=3)), max_size=12).map("".join)


class TestCleanLine:
    @pytest.mark.parametrize(
        ("text", "clean"),
        [
            ("Rahim Uddin", "Rahim Uddin"),
            ("  Rahim\u00a0\u2003 Uddin\t", "Rahim Uddin"),
            ("\ufeffRahim", "Rahim"),
            ("Ra\ufeffhim", "Rahim"),
            ("Rahim\r\nUddin", "Rahim Uddin"),
            ("Ra\x07him\x7f", "Rahim"),
            ("\x1b[31mRahim\x1b[0m", "Rahim"),
            ("\x1b]0;title\x07Rahim", "Rahim"),
            ("Jose\u0301", "José"),
            ("\u200fمحمد\u200e", "محمد"),
            ("Ra\u00adhim\u200b", "Rahim"),
            ("Rahim\U000e0041\U000e0042", "Rahim"),
            # what spelling needs: Bengali ya-phala after ra, Persian, Hindi, old Malayalam chillu, a Japanese name
            ("র\u200d্যাব", "র\u200d্যাব"),
            ("می\u200cروم", "می\u200cروم"),
            ("क्\u200dष", "क्\u200dष"),
            ("അവന്\u200d", "അവന്\u200d"),
            ("葛\U000e0100", "葛\U000e0100"),
            ("😀", "😀"),
            # nothing to see
            ("\ufeff \u200b", ""),
            ("\u200d\u200c", ""),
            ("\u3164\u2800", ""),
        ],
    )
    def test_keeps_letters_and_drops_the_rest(self, text: str, clean: str) -> None:
        assert clean_line(text) == clean

    @pytest.mark.parametrize(
        ("text", "reason"),
        [
            ("rahim\u202emoc.emca", "turns the direction of text around (U+202E)"),
            ("a\u2066b\u2069", "turns the direction of text around (U+2066)"),
            ("a\ue000", "private-use character (U+E000)"),
            ("a\uffff", "wrong encoding"),
            ("a\ufffeb", "wrong encoding"),
            ("\ud800", "wrong encoding"),
        ],
    )
    def test_refuses_what_reads_otherwise_than_it_is_stored(self, text: str, reason: str) -> None:
        with pytest.raises(ValueError, match=r"^holds ") as refused:
            clean_line(text)
        assert reason in str(refused.value)
        assert not {"\u202e", "\u2066", "\uffff", "\ufffe", "\ud800"} & {*harmless_line(text)}


class TestCleanLines:
    def test_keeps_line_breaks_and_folds_within_lines(self) -> None:
        assert clean_lines("\r\n one \u00a0 two\r\rthree\u2028 four \x0b\n") == "one two\n\nthree\nfour"

    def test_is_empty_where_there_is_nothing_to_see(self) -> None:
        assert clean_lines("\n\u200d\n") == ""


def has_private(text: str) -> bool:
    return any(unicodedata.category(sign) == "Co" for sign in text)


class TestLaws:
    @settings(max_examples=400)
    @given(TEXTS)
    @example("\x1b\x1b[0m[0m")
    @example(" \u0301")
    def test_twice_is_once_and_the_result_is_nfc_on_one_line(self, text: str) -> None:
        once = harmless_line(text)
        assert harmless_line(once) == once
        assert has_private(once) or clean_line(once) == once
        assert unicodedata.is_normalized("NFC", once)
        assert once == " ".join(once.split())
        assert not any(unicodedata.category(sign) in ("Cc", "Cs", "Zl", "Zp") for sign in once)
        assert len(once) <= len(unicodedata.normalize("NFC", text))

    @settings(max_examples=400)
    @given(TEXTS)
    def test_holds_for_texts_of_several_lines(self, text: str) -> None:
        once = harmless_lines(text)
        assert harmless_lines(once) == once
        assert has_private(once) or clean_lines(once) == once
        assert unicodedata.is_normalized("NFC", once)
        assert " ".join(once.split()) == harmless_line(text)

    @settings(max_examples=400)
    @given(TEXTS)
    def test_refuses_exactly_what_the_harmless_form_leaves_out(self, text: str) -> None:
        try:
            assert clean_line(text) == harmless_line(text)
        except ValueError:
            assert any(unicodedata.category(sign) in ("Cf", "Co", "Cs", "Cn") for sign in text)
