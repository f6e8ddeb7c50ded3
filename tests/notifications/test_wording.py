"""What notifications say: every kind in both languages, in the tenant's colours, whatever hostile people wrote."""

import email
import html
from email.message import EmailMessage
from email.policy import default
from typing import Any

import pytest

from chalicelib.backing import mail
from chalicelib.notifications.rules import REQUIRED_VALUES, NotificationKind
from chalicelib.notifications.wording import LANGUAGES, Brand, choose_language, clean, one_line, render, render_mail
from tests.support.cast import Cast
from tests.support.notifications import LEAVE, mailbox, notify, person, text_of
from tests.support.stack import Stack

EXPIRING = {"leave_type": "Annual leave", "days": 0.5, "expires_on": "2026-03-31", "days_left": 14, "action": "delete"}
VALUES: dict[NotificationKind, dict[str, Any]] = {
    NotificationKind.LEAVE_EXPIRY_WARNING: EXPIRING,
    NotificationKind.LEAVE_REQUESTED: {**LEAVE, "days": 1},
    NotificationKind.LEAVE_APPROVED: LEAVE,
    NotificationKind.LEAVE_REJECTED: {**LEAVE, "notes": "Too few of us"},
    NotificationKind.LEAVE_CANCELLED: LEAVE,
    NotificationKind.LEAVE_RECOUNTED: {
        "leave_type": "Annual leave",
        "start_date": "2026-01-05",
        "end_date": "2026-01-07",
        "days": 2.0,
        "days_before": 3.0,
        "unpaid_days": 1.0,
    },
    NotificationKind.FORM_DECIDED: {"form": "Laptop", "status": "approved", "notes": None},
    NotificationKind.PAYROLL_READY: {"month": "2026-01", "link": "https://pay.example/payslips/1?a=1&b=2"},
    NotificationKind.KPI_DUE: {"title": "Sales", "due_on": "2026-01-31"},
    NotificationKind.APPRAISAL_REMINDER: {"title": "Yearly talk", "due_on": "2026-01-31"},
    NotificationKind.CUSTOM: {"title": "Closed", "message": "On Friday."},
    NotificationKind.DESTINATION_CHANGED: {
        "masked": "BD **** ABCD",
        "changed_on": "2026-01-05",
        "held_until": "2026-01-06",
    },
    NotificationKind.EMAIL_CHANGED: {"address": "r***@acme.example", "changed_on": "2026-01-05"},
}
EXPECTED = {
    NotificationKind.LEAVE_EXPIRY_WARNING: (
        "0.5 days of Annual leave expire on 31 March 2026",
        "You have 0.5 days of Annual leave left. They expire on 31 March 2026, in 14 days.\n\n"
        "What is left then will lapse."),
    NotificationKind.LEAVE_REQUESTED: (
        "Rahim asks for leave: Annual leave, 5 January 2026",
        "Rahim asks for 1 day of Annual leave, from 5 January 2026 to 7 January 2026.\n\n"
        "Please approve or reject the request."),
    NotificationKind.LEAVE_APPROVED: (
        "Your leave is approved: Annual leave, 5 January 2026",
        "Your leave is approved: 3 days of Annual leave, from 5 January 2026 to 7 January 2026."),
    NotificationKind.LEAVE_REJECTED: (
        "Your leave is not approved: Annual leave, 5 January 2026",
        "Your request for 3 days of Annual leave, from 5 January 2026 to 7 January 2026, was rejected. The days are"
        " yours again.\n\nReason: Too few of us"),
    NotificationKind.LEAVE_CANCELLED: (
        "Leave cancelled: Rahim, Annual leave, 5 January 2026",
        "The leave of Rahim is cancelled: 3 days of Annual leave, from 5 January 2026 to 7 January 2026."),
    NotificationKind.LEAVE_RECOUNTED: (
        "Your leave was counted again: Annual leave, 5 January 2026",
        "Your leave from 5 January 2026 to 7 January 2026 now uses 2 days of Annual leave; before, it used 3. A"
        " holiday, your calendar, or a day in the pay register changed.\n\nNothing is left for 1 day of it, so this"
        " part is leave without pay. Ask HR if this is wrong."),
    NotificationKind.FORM_DECIDED: ("Your form Laptop was approved", "Your form Laptop was approved."),
    NotificationKind.PAYROLL_READY: (
        "Your payslip for January 2026 is ready",
        "Your payslip for January 2026 is ready.\n\nhttps://pay.example/payslips/1?a=1&b=2"),
    NotificationKind.KPI_DUE: (
        "Sales is due on 31 January 2026",
        "The value of Sales is due on 31 January 2026. Please enter it before then."),
    NotificationKind.APPRAISAL_REMINDER: (
        "Appraisal: Yearly talk is due on 31 January 2026",
        "The appraisal Yearly talk is due on 31 January 2026. Please complete it before then."),
    NotificationKind.CUSTOM: ("Closed", "On Friday."),
    NotificationKind.DESTINATION_CHANGED: (
        "Your bank details were changed",
        "Your pay goes to BD **** ABCD, changed on 5 January 2026.\n\nNothing is paid there before 6 January 2026,"
        " unless a second person confirms the change.\n\nIf you did not ask for this, tell your HR department"
        " at once."),
    NotificationKind.EMAIL_CHANGED: (
        "Your e-mail address was changed",
        "Mails about your pay go to r***@acme.example, changed on 5 January 2026.\n\nIf you did not ask for this, tell"
        " your HR department at once."),
}  # fmt: skip
HOSTILE = [
    "Rahim\r\nBcc: thief@evil.example",
    "Rahim\nX-SES-MESSAGE-TAGS: tenant_id=zenith",
    "Rahim\x00\x07\x1b[31m",
    "Rahim\u202emoc.live@feiht\u2066\u200f",
    "Rahim\u2028Bcc: thief@evil.example\u0085Cc: thief@evil.example",
    '"><script>alert(1)</script>',
    "{{ 7 * 7 }}{% for x in ().__class__.__mro__ %}{% endfor %}",
    "=?utf-8?q?Rahim=0D=0ABcc:_thief@evil.example?=",
    'Rahim <thief@evil.example>, "x',
    "রহিম" * 2500,
    "x" * 10_000,
    "\ud800",
]


class TestWorded:
    @pytest.mark.parametrize("kind", NotificationKind)
    def test_says_it_in_english(self, kind: NotificationKind) -> None:
        wording = render(kind, VALUES[kind], language="en")
        assert (wording.title, wording.message) == EXPECTED[kind]
        assert VALUES[kind].keys() == REQUIRED_VALUES[kind]

    @pytest.mark.parametrize("kind", [kind for kind in NotificationKind if kind is not NotificationKind.CUSTOM])
    def test_says_it_in_bengali_with_its_digits(self, kind: NotificationKind) -> None:
        wording = render(kind, VALUES[kind], language="bn")
        for text in (wording.title, wording.message):
            assert any("\u0985" <= char <= "\u09b9" for char in text)
            assert not any(
                digit in text.replace("https://pay.example/payslips/1?a=1&b=2", "") for digit in "0123456789"
            )

    @pytest.mark.parametrize(("action", "ends"), [
        ("delete", "will lapse."), ("convert_to_cash", "with your salary."),
        ("transfer_to_next_cycle", "the rest lapses."),
    ])  # fmt: skip
    def test_tells_what_becomes_of_days_that_expire(self, action: str, ends: str) -> None:
        assert render(
            NotificationKind.LEAVE_EXPIRY_WARNING, {**EXPIRING, "action": action}, language="en"
        ).message.endswith(ends)

    @pytest.mark.parametrize(("asked", "expected"), [
        ("en", "en"), ("bn", "bn"), ("bn-BD", "bn"), ("BN_bd", "bn"), ("de", "en"), ("", "en"), ("../../etc", "en"),
    ])  # fmt: skip
    def test_falls_back_to_english(self, asked: str, expected: str) -> None:
        assert choose_language(asked) == expected

    @pytest.mark.parametrize("link", ["javascript:alert(1)", "data:text/html,x", "", None])
    def test_leaves_out_a_link_that_leads_elsewhere(self, link: str | None) -> None:
        wording = render(NotificationKind.PAYROLL_READY, {"month": "2026-01", "link": link}, language="en")
        assert wording.message == "Your payslip for January 2026 is ready."

    @pytest.mark.parametrize("language", LANGUAGES)
    @pytest.mark.parametrize("kind", NotificationKind)
    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_lets_nothing_in_that_hostile_people_wrote(
        self, hostile: str, kind: NotificationKind, language: str
    ) -> None:
        values = {
            name: hostile if isinstance(value, str) and name not in _FORMED else value
            for name, value in VALUES[kind].items()
        }
        wording = render(kind, values, language=language)
        assert len(wording.title) <= 200
        assert len(wording.message) <= 6200
        assert not set(wording.title) & set("\r\n\x00\x07\x1b\u0085\u2028\u202e\u2066\u200f\ud800")
        assert not set(wording.message) & set("\r\x00\x07\x1b\u202e\u2066\u200f\ud800")
        assert "<script" not in wording.html
        assert "49" not in wording.message.replace("\u0664", "")


_FORMED = ("start_date", "end_date", "expires_on", "due_on", "month", "action", "changed_on", "held_until")


class TestClean:
    def test_keeps_lines_and_scripts_and_what_joins_letters(self) -> None:
        assert clean("a\r\nb\rc\n\nক্‌ষ ر‍ق") == "a\nb\nc\n\nক্‌ষ ر‍ق"

    def test_makes_one_line_of_at_most_200_characters(self) -> None:
        assert one_line("  a \n\n b\t") == "a b"
        assert one_line("x" * 300) == "x" * 199 + "…"


class TestMail:
    @pytest.fixture(autouse=True)
    def _sender(self, running: Stack) -> None:
        """Return the sender."""

    @pytest.mark.parametrize("hostile", HOSTILE)
    def test_has_the_headers_that_we_wrote_and_no_other(self, hostile: str) -> None:
        wording = render(NotificationKind.CUSTOM, {"title": hostile, "message": hostile}, language="en")
        brand = Brand.from_settings(hostile, {"footer": hostile})
        text, page = render_mail(wording, brand=brand, name=hostile, stop_url="https://pay.example/x")
        raw = mail.compose(
            mail.Mail(
                to="rahim@acme.example",
                to_name=one_line(hostile),
                from_name=brand.name,
                subject=wording.title,
                text=text,
                html=page,
                language="en",
                stop_url="https://pay.example/x",
            )
        )
        assert raw.isascii()
        message: EmailMessage = email.message_from_bytes(raw, policy=default)  # type: ignore[assignment]
        assert sorted(message.keys()) == [
            "Auto-Submitted",
            "Content-Language",
            "Content-Type",
            "From",
            "List-Unsubscribe",
            "List-Unsubscribe-Post",
            "MIME-Version",
            "Subject",
            "To",
        ]
        assert [one.addr_spec for one in message["To"].addresses] == ["rahim@acme.example"]
        assert [one.addr_spec for one in message["From"].addresses] == ["payroll@wagebook.example"]
        assert not message.defects
        assert "<script" not in text_of(message, "html")
        assert max(len(line) for line in raw.split(b"\r\n")) <= 998

    @pytest.mark.parametrize("address", [
        "a,b@acme.example", "a <b@acme.example", "a\r\nBcc:x@acme.example", "x@acme.example,y@evil.example",
        "রহিম@acme.example",
        "@acme.example", "x@", "x", "x@-.", "x@acme.example\x00", "x" * 300 + "@acme.example",
        "(comment)x@acme.example", "x@[127.0.0.1]\n",
    ])  # fmt: skip
    def test_goes_to_no_address_that_could_be_read_as_another(self, address: str) -> None:
        with pytest.raises(mail.MailRefused):
            mail.send(
                mail.Mail(to=address, to_name="x", from_name="x", subject="x", text="x", html="x", language="en"),
                tags={},
            )
        assert mailbox() == []

    def test_goes_to_a_domain_of_another_script(self) -> None:
        mail.send(
            mail.Mail(
                to="rahim@bücher.example", to_name="R", from_name="x", subject="x", text="x", html="x", language="en"
            ),
            tags={},
        )
        assert mailbox()[0]["To"] == "R <rahim@xn--bcher-kva.example>"

    def test_of_a_hostile_person_arrives_at_them_alone(self, acme: Cast, running: Stack) -> None:
        for number, hostile in enumerate(one for one in HOSTILE if not set(one) & set("\x00\ud800")):
            notify(
                acme, person(acme, name=hostile, address=f"p{number}@acme.example"), values={**LEAVE, "notes": hostile}
            )
        running.drain()
        assert [[one.addr_spec for one in message["To"].addresses] for message in mailbox()] == [
            [f"p{number}@acme.example"] for number in range(10)
        ]
        assert {message["Bcc"] for message in mailbox()} | {message["Cc"] for message in mailbox()} == {None}


class TestBrand:
    def test_is_the_tenants_own(self, acme: Cast, zenith: Cast, running: Stack) -> None:
        footer = "Acme Ltd <b>\nDhaka"
        reply = acme.admin.ok("PATCH", "/tenant", {"branding": {"color": "#a4302a", "footer": footer}})
        assert reply["branding"] == {"color": "#a4302a", "footer": footer}
        notify(acme, person(acme))
        notify(zenith, person(zenith, address="z@zenith.example"))
        running.drain()
        acme_mail, zenith_mail = mailbox()
        assert "border-top:6px solid #a4302a" in text_of(acme_mail, "html")
        assert html.escape(footer) in text_of(acme_mail, "html")
        assert text_of(acme_mail).endswith(f"\nAcme\n\n{footer}\n")
        assert "border-top:6px solid #2c559f" in text_of(zenith_mail, "html")
        assert (acme_mail["From"], zenith_mail["From"]) == (
            "Acme <payroll@wagebook.example>",
            "Zenith <payroll@wagebook.example>",
        )
        assert acme.admin.ok("PATCH", "/tenant", {"branding": {"color": None, "footer": None}})["branding"] == {
            "color": None,
            "footer": None,
        }

    @pytest.mark.parametrize("color", ["red", "#12345", "#1234567", "#a4302a;background:url(x)", ""])
    def test_has_a_colour_and_nothing_else(self, acme: Cast, color: str) -> None:
        assert acme.admin.patch("/tenant", {"branding": {"color": color}}).status == 422
