"""The texts of a payslip PDF, in English or Bengali, ready for the template."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib.features.payroll.components.categories import CATEGORIES, CategoryRule
from chalicelib.features.payroll.runs.models import RunKind
from chalicelib.features.payroll.runs.schemas import Payslip, PayslipLine
from chalicelib.features.payroll.runs.snapshot import EARNED
from chalicelib.kernel.money import MINOR_UNITS
from chalicelib.notifications.wording import (
    BENGALI,
    ENGLISH,
    PLAIN,
    choose_language,
    format_day,
    format_month,
    one_line,
)

Sheet = Mapping[str, Any]  # what templates/payslip.typ reads

MAX_FORMULA_LENGTH = 160  # characters of a formula; all of it is in the API's answer
_ZERO = Decimal(0)
_DAYS = ("working_days", "present_days", "leave_days", "absent_days", "ot_hours")
_LABELS: Mapping[str, Mapping[str, str]] = {
    ENGLISH: {
        "payslip": "Payslip",
        "approved": "Approved",
        "employee_no": "Employee no.",
        "net_pay": "Net pay",
        "working_days": "Working days",
        "present_days": "Present",
        "leave_days": "Leave",
        "absent_days": "Absent",
        "ot_hours": "Overtime hours",
        "number": "Payslip",
        "carried": "The deductions are higher than the pay. {amount} is carried into the next payroll run.",
        "no_lines": "nothing in this month",
        "arrears": "Arrears {month}: {name}",
    },
    BENGALI: {
        "payslip": "বেতনের বিবরণী",
        "approved": "অনুমোদিত",
        "employee_no": "কর্মী নং",
        "net_pay": "নিট বেতন",
        "working_days": "কর্মদিবস",
        "present_days": "উপস্থিত",
        "leave_days": "ছুটি",
        "absent_days": "অনুপস্থিত",
        "ot_hours": "ওভারটাইম (ঘণ্টা)",
        "number": "বিবরণী নং",
        "carried": "কর্তন বেতনের চেয়ে বেশি। {amount} পরবর্তী মাসের বেতন থেকে কাটা হবে।",
        "no_lines": "এই মাসে কিছু নেই",
        "arrears": "বকেয়া {month}: {name}",
    },
}
# Chinese, Japanese and Korean share characters that each draws in its own way.
_HAN = {"ja": "JP", "ko": "KR", "zh-tw": "TC", "zh-hant": "TC", "zh-hk": "HK"}
_FONTS = (
    "Noto Sans", "Noto Sans Bengali", "Noto Sans Devanagari", "Noto Sans Tamil", "Noto Sans Telugu",
    "Noto Sans Arabic", "Noto Sans Hebrew", "Noto Sans Thai", "Noto Sans Lao", "Noto Sans Khmer", "Noto Sans Myanmar",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Letterhead:
    """Employer and employee details that the payslip itself does not have."""

    company: str
    color: str | None
    department: str | None
    language: str  # of the employee


def make_sheet(payslip: Payslip, head: Letterhead) -> Sheet:
    """Return the texts of a payslip.

    Its status is always "approved", also when the run is paid, so that the file's bytes do not depend on the moment.
    """
    language = choose_language(head.language)
    say = _LABELS[language]
    user, totals, currency = payslip.user, payslip.totals, payslip.currency
    period = format_month(payslip.month, language)
    person = [f"{say['employee_no']} {user.employee_no}" if user.employee_no else None, head.department]
    parts = [_part(payslip, rule, language) for rule in CATEGORIES if rule.sign]
    beside = [_part(payslip, rule, language) for rule in CATEGORIES if not rule.sign]
    carried = f"{currency} {money(payslip.carried, currency)}"
    between = (format_day(day.isoformat(), language) for day in (payslip.start_date, payslip.end_date))
    gross, *others = [rule for rule in CATEGORIES if rule.sign]
    sums = [f"{_translate(language, gross.total_labels)} {money(getattr(totals, gross.total), currency)}"] + [
        f"{'−' if amount < 0 else '+'} {_translate(language, rule.titles).lower()} {money(abs(amount), currency)}"
        for rule in others
        if (amount := rule.sign * getattr(totals, rule.total))
    ]
    sheet: Sheet = _clean(
        {
            "title": f"{say['payslip']} {period}: {user.name}",
            "company": head.company,
            "color": head.color or PLAIN,
            "language": language,
            "fonts": [*_FONTS, f"Noto Sans CJK {_han_region(head.language)}"],
            "labels": {name: say[name] for name in ("payslip", "net_pay")},
            "period": period,
            "days_between": " – ".join(between),
            "status": say["approved"],
            "name": user.name,
            "person": [line for line in (*person, payslip.run_title) if line],
            "days": _days(payslip.inputs, say) if payslip.run_kind == RunKind.REGULAR else [],
            "currency": currency,
            "parts": [part for part in parts if part["lines"]] or [{**parts[0], "title": say["no_lines"]}],
            "beside": [part for part in beside if part["lines"]],
            "sum": "  ".join(sums),
            "pays": money(payslip.pays, currency),
            "notes": [say["carried"].format(amount=carried)] if payslip.carried else [],
            "footer": f"{say['number']} {payslip.id}",
        }
    )
    return sheet


def money(amount: Decimal, currency: str) -> str:
    """Write 13636.36 as 13,636.36, with the decimals of its currency."""
    return f"{amount:,.{MINOR_UNITS[currency]}f}"


def number(value: Decimal | None) -> str:
    """Write 21.50 as 21.5, and what has more decimals than anybody reads with four."""
    if value is None:
        return "—"
    plain = f"{value:,.4f}"
    return plain.rstrip("0").rstrip(".")


def _part(payslip: Payslip, rule: CategoryRule, language: str) -> dict[str, Any]:
    """Return one category's part of the sheet: its lines and their total."""
    currency = payslip.currency
    return {
        "title": _translate(language, rule.titles),
        "lines": [_line(line, currency, language) for line in payslip.lines if line.category == rule.category],
        "total_label": _translate(language, rule.total_labels),
        "total": money(getattr(payslip.totals, rule.total), currency),
    }


def _translate(language: str, texts: tuple[str, str]) -> str:
    english, bengali = texts
    return bengali if language == BENGALI else english


def _line(line: PayslipLine, currency: str, language: str) -> dict[str, Any]:
    detail = line.detail if line.kind == "arrears" else None
    parts = [
        _formula(line),
        _describe_inputs(line.inputs),
        _describe_recomputation(detail, currency),
        _describe_changes(detail),
    ]
    return {
        "name": _name(line, language),
        "how": [_truncate(one) for one in parts if one],
        "warnings": list(line.warnings),
        "amount": money(line.amount, currency),
    }


def _name(line: PayslipLine, language: str) -> str:
    """Return a line's name; arrears name their month in the employee's language."""
    if line.kind != "arrears" or line.code is None:
        return line.name
    month = format_month(line.detail["month"], language)
    return _LABELS[language]["arrears"].format(month=month, name=line.detail["component"])


def _describe_recomputation(detail: Mapping[str, Any] | None, currency: str) -> str:
    """Describe the amount paid for a component of an earlier period and that of today: 60,000.00 → 80,000.00."""
    if not detail or "paid" not in detail:
        return ""
    return f"{money(Decimal(detail['paid']), currency)} → {money(Decimal(detail['now']), currency)}"


def _formula(line: PayslipLine) -> str:
    # the formula of a fixed amount is the amount itself
    if not line.formula or (not line.inputs and line.formula.replace(".", "", 1).isdigit()):
        return ""
    return line.formula.replace("_", " ").replace("*", "×")


def _describe_inputs(inputs: Mapping[str, Decimal | None]) -> str:
    return " · ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in inputs.items())


def _describe_changes(detail: Mapping[str, Any] | None) -> str:
    """Describe the changed inputs of a recalculated period: present days 19 → 20."""
    changed: Mapping[str, Mapping[str, str | None]] = (detail or {}).get("inputs", {})
    return " · ".join(
        f"{name.replace('_', ' ')} {_describe_stored(values['was'])} → {_describe_stored(values['now'])}"
        for name, values in changed.items()
        if name != EARNED or "paid" not in (detail or {})  # the line shows it already
    )


def _describe_stored(text: str | None) -> str:
    return number(None if text is None else Decimal(text))


def _days(inputs: Mapping[str, Decimal | None], say: Mapping[str, str]) -> list[dict[str, str]]:
    known = dict(inputs)
    if "paid_leave_days" in known or "lop_days" in known:
        known["leave_days"] = (known.get("paid_leave_days") or _ZERO) + (known.get("lop_days") or _ZERO)
    return [{"label": say[name], "value": number(known[name])} for name in _DAYS if known.get(name) is not None]


def _truncate(text: str) -> str:
    return text if len(text) <= MAX_FORMULA_LENGTH else text[: MAX_FORMULA_LENGTH - 1] + "…"


def _han_region(language: str) -> str:
    code = language.lower().replace("_", "-")
    return next((region for begin, region in _HAN.items() if code.startswith(begin)), "SC")


def _clean(value: Any) -> Any:
    """Make every text one line without control or bidirectional override characters."""
    if isinstance(value, str):
        return one_line(value)
    if isinstance(value, Mapping):
        return {name: _clean(value) for name, value in value.items()}
    return [_clean(value) for value in value] if isinstance(value, Sequence) else value


def list_texts(sheet: Any) -> Iterable[str]:
    """Yield every text of a sheet."""
    if isinstance(sheet, str):
        yield sheet
    elif isinstance(sheet, Mapping | list):
        for value in sheet.values() if isinstance(sheet, Mapping) else sheet:
            yield from list_texts(value)
