"""Mail as MIME: no name and no subject can inject a header."""

import email
from email.policy import default
from unittest import mock

import pytest

from chalicelib.backing import mail

ENCODED = "=?utf-8?q?Rahim=0D=0ABcc:_thief@evil.example?="


def composed(**fields: str) -> bytes:
    plain = {
        "to": "rahim@acme.example",
        "to_name": "Rahim",
        "from_name": "Acme",
        "subject": "Leave",
        "text": "x",
        "html": "x",
        "language": "en",
    }
    with mock.patch.object(mail, "settings") as settings:
        settings().mail_from = "payroll@wagebook.example"
        return mail.compose(mail.Mail(**{**plain, **fields}))  # type: ignore[arg-type]


class TestComposed:
    @pytest.mark.parametrize("place", ["to_name", "from_name", "subject"])
    def test_takes_encoded_words_for_what_they_say(self, place: str) -> None:
        # Python's library decodes them in what it is given, and writes the line ends within them as line ends
        message = email.message_from_bytes(composed(**{place: ENCODED}), policy=default)
        assert message["Bcc"] is None
        assert [one.addr_spec for one in message["To"].addresses] == ["rahim@acme.example"]
        assert message["Subject"] == (ENCODED.replace("=?", "= ?") if place == "subject" else "Leave")

    def test_is_not_made_where_a_header_got_in_all_the_same(self) -> None:
        with (
            mock.patch.object(mail, "_escape_encoded_words", side_effect=str),
            pytest.raises(mail.MailRefused, match="cannot be written into a header"),
        ):
            composed(subject=ENCODED)

    @pytest.mark.parametrize("subject", ["a\r\nBcc: x@y.example", "a\nb"])
    def test_is_not_made_of_more_than_one_line(self, subject: str) -> None:
        with pytest.raises(ValueError, match="linefeed"):
            composed(subject=subject)
