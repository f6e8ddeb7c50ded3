"""What a payslip says on paper: plain texts, ready to be set, in English or Bengali."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from chalicelib.backing.database import Record
from chalicelib.features.payroll.components.rules import Category
from chalicelib.features.payroll.runs.models import RunKind
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

LONGEST_HOW = 160  # characters of a formula; all of it is in the API's answer
_ZERO = Decimal(0)
_DAYS = ("working_days", "present_days", "leave_days", "absent_days", "ot_hours")
_LABELS: Mapping[str, Mapping[str, str]] = {
    ENGLISH: {
        "payslip": "Payslip",
        "approved": "Approved",
        "employee_no": "Employee no.",
        "net_pay": "Net pay",
        "earning": "Earnings",
        "deduction": "Deductions",
        "tax": "Taxes",
        "benefit": "Benefits, not paid out",
        "gross": "Gross pay",
        "deductions": "Total deductions",
        "taxes": "Total taxes",
        "benefits": "Total benefits",
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
        "earning": "উপার্জন",
        "deduction": "কর্তন",
        "tax": "কর",
        "benefit": "সুবিধা (নগদে দেওয়া হয় না)",
        "gross": "মোট উপার্জন",
        "deductions": "মোট কর্তন",
        "taxes": "মোট কর",
        "benefits": "মোট সুবিধা",
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
    """Who pays whom, beside what the payslip says itself."""

    company: str
    color: str | None
    department: str | None
    language: str  # of the person, as they said it


def sheet_of(payslip: Record, head: Letterhead) -> Sheet:
    """Put a payslip into words.

    It says that it is approved also when its run is paid already, so that it reads the same whenever it is made.
    """
    language = choose_language(head.language)
    say = _LABELS[language]
    user, totals, currency = payslip["user"], payslip["totals"], payslip["currency"]
    period = format_month(payslip["month"], language)
    person = [f"{say['employee_no']} {user['employee_no']}" if user["employee_no"] else None, head.department]
    parts = [
        _part(payslip, category, label=label, language=language)
        for category, label in (
            (Category.EARNING, "gross"),
            (Category.DEDUCTION, "deductions"),
            (Category.TAX, "taxes"),
        )
    ]
    benefits = _part(payslip, Category.BENEFIT, label="benefits", language=language)
    carried = f"{currency} {money(payslip['carried'], currency)}"
    between = (format_day(payslip[name].isoformat(), language) for name in ("start_date", "end_date"))
    taken = ((say["deduction"], totals["deductions"]), (say["tax"], totals["taxes"]))
    sums = [f"{say['gross']} {money(totals['gross'], currency)}"] + [
        f"{'−' if amount > 0 else '+'} {name.lower()} {money(abs(amount), currency)}"
        for name, amount in taken
        if amount
    ]
    return _cleaned(
        {
            "title": f"{say['payslip']} {period}: {user['name']}",
            "company": head.company,
            "color": head.color or PLAIN,
            "language": language,
            "fonts": [*_FONTS, f"Noto Sans CJK {_han(head.language)}"],
            "labels": {name: say[name] for name in ("payslip", "net_pay")},
            "period": period,
            "days_between": " – ".join(between),
            "status": say["approved"],
            "name": user["name"],
            "person": [said for said in (*person, payslip["run_title"]) if said],
            "days": _days(payslip["inputs"], say) if payslip["run_kind"] == RunKind.REGULAR else [],
            "currency": currency,
            "parts": [part for part in parts if part["lines"]] or [{**parts[0], "title": say["no_lines"]}],
            "benefits": benefits if benefits["lines"] else None,
            "sum": "  ".join(sums),
            "pays": money(payslip["pays"], currency),
            "notes": [say["carried"].format(amount=carried)] if payslip["carried"] else [],
            "footer": f"{say['number']} {payslip['id']}",
        }
    )


def money(amount: Decimal, currency: str) -> str:
    """Write 13636.36 as 13,636.36, with the decimals of its currency."""
    return f"{amount:,.{MINOR_UNITS[currency]}f}"


def number(value: Decimal | None) -> str:
    """Write 21.50 as 21.5, and what has more decimals than anybody reads with four."""
    if value is None:
        return "—"
    plain = f"{value:,.4f}"
    return plain.rstrip("0").rstrip(".")


def _part(payslip: Record, category: Category, *, label: str, language: str) -> dict[str, Any]:
    say, currency = _LABELS[language], payslip["currency"]
    return {
        "title": say[category],
        "lines": [_line(line, currency, language) for line in payslip["lines"] if line["category"] == category],
        "total_label": say[label],
        "total": money(payslip["totals"][label], currency),
    }


def _line(line: Record, currency: str, language: str) -> dict[str, Any]:
    detail = line["detail"] if line["kind"] == "arrears" else None
    said = [_formula(line), _named(line["inputs"]), _recomputed(detail, currency), _changes(detail)]
    return {
        "name": _name(line, language),
        "how": [_cut(one) for one in said if one],
        "warnings": list(line["warnings"]),
        "amount": money(line["amount"], currency),
    }


def _name(line: Record, language: str) -> str:
    """Return a line's name; arrears of a component name the month they are for in the person's language."""
    if line["kind"] != "arrears" or line["code"] is None:
        return str(line["name"])
    month = format_month(line["detail"]["month"], language)
    return _LABELS[language]["arrears"].format(month=month, name=line["detail"]["component"])


def _recomputed(detail: Mapping[str, Any] | None, currency: str) -> str:
    """Return what was paid for a component of an earlier period and what it is by now: 60,000.00 → 80,000.00."""
    if not detail or "paid" not in detail:
        return ""
    return f"{money(Decimal(detail['paid']), currency)} → {money(Decimal(detail['now']), currency)}"


def _formula(line: Record) -> str:
    # a fixed amount says nothing that is not beside it already
    if not line["formula"] or (not line["inputs"] and line["formula"].replace(".", "", 1).isdigit()):
        return ""
    return str(line["formula"]).replace("_", " ").replace("*", "×")


def _named(inputs: Mapping[str, Decimal | None]) -> str:
    return " · ".join(f"{name.replace('_', ' ')} {number(value)}" for name, value in inputs.items())


def _changes(detail: Mapping[str, Any] | None) -> str:
    """Return what changed in a period that is paid anew: present days 19 → 20."""
    changed: Mapping[str, Mapping[str, str | None]] = (detail or {}).get("inputs", {})
    return " · ".join(
        f"{name.replace('_', ' ')} {_stored(values['was'])} → {_stored(values['now'])}"
        for name, values in changed.items()
        if name != EARNED or "paid" not in (detail or {})  # the line says it itself
    )


def _stored(said: str | None) -> str:
    return number(None if said is None else Decimal(said))


def _days(inputs: Mapping[str, Decimal | None], say: Mapping[str, str]) -> list[dict[str, str]]:
    known = dict(inputs)
    if "paid_leave_days" in known or "lop_days" in known:
        known["leave_days"] = (known.get("paid_leave_days") or _ZERO) + (known.get("lop_days") or _ZERO)
    return [{"label": say[name], "value": number(known[name])} for name in _DAYS if known.get(name) is not None]


def _cut(said: str) -> str:
    return said if len(said) <= LONGEST_HOW else said[: LONGEST_HOW - 1] + "…"


def _han(language: str) -> str:
    said = language.lower().replace("_", "-")
    return next((region for begin, region in _HAN.items() if said.startswith(begin)), "SC")


def _cleaned(said: Any) -> Any:
    """Make every text a line without control characters, and without any that turn its direction around."""
    if isinstance(said, str):
        return one_line(said)
    if isinstance(said, Mapping):
        return {name: _cleaned(value) for name, value in said.items()}
    return [_cleaned(value) for value in said] if isinstance(said, Sequence) else said


def texts_of(said: Any) -> Iterable[str]:
    """Find every text of a sheet."""
    if isinstance(said, str):
        yield said
    elif isinstance(said, Mapping | list):
        for value in said.values() if isinstance(said, Mapping) else said:
            yield from texts_of(value)
