"""The demo's companies and employees. Those marked `story` have the January of story.py."""

from dataclasses import dataclass
from datetime import date
from typing import Any

LONG_AGO = date(2024, 3, 1)


@dataclass(frozen=True, slots=True)
class DemoEmployee:
    """An employee of the demo; amounts in the company's currency."""

    number: str
    name: str
    branch: str
    division: str
    department: str
    shift: str
    manager: str | None
    salary: str
    frequency: str
    is_story: bool
    joined_on: date = LONG_AGO
    left_on: date | None = None


@dataclass(frozen=True, slots=True)
class Company:
    """A tenant of the demo: its settings, branches, shifts, holidays and employees."""

    settings: dict[str, Any]
    policy: dict[str, Any]
    mail: str
    language: str
    branches: list[dict[str, Any]]
    shifts: list[dict[str, Any]]
    holidays: list[tuple[int, int, str, str | None]]  # month, day, name, half; every year from 2026
    branch_holidays: list[tuple[str, str, str, str | None]]  # branch, date, name, half
    people: list[DemoEmployee]
    raises: list[tuple[str, str, str]]  # number, from, amount
    members: dict[str, str]  # number -> role


def _parse_employees(listed: str) -> list[DemoEmployee]:
    return [_parse_employee([word.strip() for word in line.split("|")]) for line in listed.strip().splitlines()]


def _parse_employee(words: list[str]) -> DemoEmployee:
    number, name, branch, division, department, shift, manager, salary, marks = words
    amount, frequency = salary.split()
    marked = dict(mark.partition("=")[::2] for mark in marks.split())
    joined, left = marked.get("joined"), marked.get("left")
    return DemoEmployee(
        number,
        name,
        branch,
        division,
        department,
        shift,
        manager or None,
        amount,
        frequency,
        "story" in marked,
        date.fromisoformat(joined) if joined else LONG_AGO,
        date.fromisoformat(left) if left else None,
    )


# number | name | branch | division | department | shift | manager | salary | marks
_ACME_EMPLOYEES = """
A001 | Farhana Rahman   | Dhaka      | Office  | Management | Day   |      | 120000 monthly |
A002 | Salma Sultana    | Dhaka      | Office  | People     | Day   | A001 | 55000 monthly  |
A003 | Tanvir Ahmed     | Dhaka      | Factory | Sewing     | Day   | A001 | 60000 monthly  |
A004 | Rahim Uddin      | Dhaka      | Factory | Sewing     | Day   | A003 | 15000 monthly  | story
A005 | Nasrin Akter     | Dhaka      | Factory | Sewing     | Day   | A003 | 15000 monthly  | story
A006 | Imran Hossain    | Dhaka      | Factory | Sewing     | Day   | A003 | 15000 monthly  | story joined=2026-01-12
A007 | Shamima Begum    | Dhaka      | Factory | Finishing  | Day   | A003 | 3500 weekly    | story
A008 | Abdul Karim      | Dhaka      | Factory | Finishing  | Day   | A003 | 500 daily      | story
A009 | Jahanara Khatun  | Chattogram | Factory | Cutting    | Day   | A010 | 500 daily      | story
A010 | Mizanur Rahman   | Chattogram | Factory | Cutting    | Day   | A001 | 48000 monthly  |
A011 | Kamal Uddin      | Dhaka      | Factory | Sewing     | Day   | A003 | 14000 monthly  | left=2026-01-20
A012 | Rokeya Begum     | Dhaka      | Factory | Sewing     | Day   | A003 | 13500 monthly  |
A013 | Sohel Rana       | Dhaka      | Factory | Sewing     | Day   | A003 | 13500 monthly  |
A014 | Morsheda Akter   | Dhaka      | Factory | Sewing     | Day   | A003 | 3200 weekly    |
A015 | Jamal Hossain    | Dhaka      | Factory | Sewing     | Day   | A003 | 3200 weekly    |
A016 | Ruma Akter       | Dhaka      | Factory | Sewing     | Day   | A003 | 3400 weekly    |
A017 | Shafiqul Islam   | Dhaka      | Factory | Sewing     | Night | A003 | 650 daily      |
A018 | Delwar Hossain   | Dhaka      | Factory | Sewing     | Night | A003 | 650 daily      |
A019 | Parul Begum      | Dhaka      | Factory | Finishing  | Day   | A003 | 520 daily      |
A020 | Monir Hossain    | Dhaka      | Factory | Finishing  | Day   | A003 | 520 daily      |
A021 | Taslima Khatun   | Dhaka      | Factory | Finishing  | Day   | A003 | 13000 monthly  |
A022 | Anwar Hossain    | Dhaka      | Factory | Finishing  | Night | A003 | 14500 monthly  |
A023 | Hasina Banu      | Dhaka      | Factory | Finishing  | Day   | A003 | 3300 weekly    |
A024 | Ripon Mia        | Dhaka      | Factory | Packing    | Day   | A003 | 500 daily      |
A025 | Shirin Akter     | Dhaka      | Factory | Packing    | Day   | A003 | 500 daily      |
A026 | Liton Das        | Dhaka      | Factory | Packing    | Day   | A003 | 12500 monthly  |
A027 | Moriom Begum     | Chattogram | Factory | Cutting    | Day   | A010 | 14000 monthly  |
A028 | Zahid Hasan      | Chattogram | Factory | Cutting    | Day   | A010 | 14000 monthly  |
A029 | Nurul Amin       | Chattogram | Factory | Cutting    | Day   | A010 | 540 daily      |
A030 | Sultana Razia    | Chattogram | Factory | Cutting    | Day   | A010 | 540 daily      |
A031 | Bablu Barua      | Chattogram | Factory | Packing    | Day   | A010 | 3300 weekly    |
A032 | Khadija Begum    | Chattogram | Factory | Packing    | Day   | A010 | 3300 weekly    |
A033 | Arif Chowdhury   | Chattogram | Office  | Shipping   | Day   | A010 | 32000 monthly  |
A034 | Lucky Chakma     | Chattogram | Office  | Shipping   | Day   | A010 | 26000 monthly  |
A035 | Habibur Rahman   | Dhaka      | Office  | Accounts   | Day   | A001 | 45000 monthly  |
A036 | Sharmin Jahan    | Dhaka      | Office  | Accounts   | Day   | A035 | 28000 monthly  |
A037 | Mahbub Alam      | Dhaka      | Office  | People     | Day   | A002 | 27000 monthly  |
A038 | Rafiqul Islam    | Dhaka      | Office  | Security   | Night | A002 | 16000 monthly  |
A039 | Swapan Kumar Roy | Dhaka      | Office  | Security   | Night | A002 | 16000 monthly  |
A040 | Ayesha Siddika   | Dhaka      | Office  | Accounts   | Day   | A035 | 24000 monthly  |
"""

ACME = Company(
    settings={"name": "Acme Garments", "slug": "acme", "currency": "BDT", "timezone": "Asia/Dhaka", "weekend": [5, 6]},
    policy={"half_day_minutes": 240, "payout_approval_above": 100000, "payout_limits": {"USD": 1000}},
    mail="acme.example",
    language="bn",
    branches=[
        {"name": "Dhaka", "weekend": None},
        {"name": "Chattogram", "weekend": [5]},  # works on Saturdays
    ],
    shifts=[
        {"name": "Day", "starts_at": "09:00", "ends_at": "18:00", "payable_units": 1, "late_grace_minutes": 10},
        {"name": "Night", "starts_at": "21:00", "ends_at": "06:00", "payable_units": 1.25, "late_grace_minutes": 10},
    ],
    holidays=[
        (2, 21, "Language Martyrs' Day", None),
        (3, 26, "Independence Day", None),
        (4, 14, "Bengali New Year", None),
        (5, 1, "May Day", None),
        (11, 5, "Founders' Day", "second"),
        (12, 16, "Victory Day", None),
        (12, 31, "Closing of the year", "second"),
    ],
    # January's are the branch's own, so that Dhaka has the 21 working days of rules.md
    branch_holidays=[
        ("Chattogram", "2026-01-08", "Port Day", None),
        ("Chattogram", "2026-01-15", "Boat race", "second"),
        ("Chattogram", "2026-01-22", "Winter fair", "first"),
    ],
    people=_parse_employees(_ACME_EMPLOYEES),
    raises=[("A005", "2026-01-16", "18000")],
    members={
        "A001": "tenant_admin",
        "A002": "hr",
        "A003": "manager",
        "A010": "manager",
        "A004": "employee",
        "A005": "employee",
    },
)

# number | name | branch | division | department | shift | manager | salary | marks
_ZENITH_EMPLOYEES = """
Z001 | Anna Schneider | Berlin | Office | Management | Market |      | 5200 monthly |
Z002 | Lukas Weber    | Berlin | Office | Management | Market | Z001 | 3900 monthly |
Z003 | Elif Yılmaz    | Berlin | Stores | Mitte      | Market | Z002 | 2600 monthly |
Z004 | Jonas Becker   | Berlin | Stores | Mitte      | Market | Z002 | 620 weekly   |
Z005 | Marta Nowak    | Berlin | Stores | Neukölln   | Market | Z002 | 115 daily    |
Z006 | Paul Richter   | Berlin | Stores | Neukölln   | Market | Z002 | 2450 monthly |
"""

ZENITH = Company(
    settings={
        "name": "Zenith Markets",
        "slug": "zenith",
        "currency": "EUR",
        "timezone": "Europe/Berlin",
        "weekend": [6, 7],
        "cycle_start_day": 26,
    },
    policy={},
    mail="zenith.example",
    language="de",
    branches=[{"name": "Berlin", "weekend": None}],
    shifts=[{"name": "Market", "starts_at": "08:00", "ends_at": "17:00", "payable_units": 1, "late_grace_minutes": 5}],
    holidays=[
        (1, 1, "Neujahr", None),
        (5, 1, "Tag der Arbeit", None),
        (10, 3, "Tag der Deutschen Einheit", None),
        (12, 25, "1. Weihnachtstag", None),
        (12, 26, "2. Weihnachtstag", None),
    ],
    branch_holidays=[("Berlin", "2025-12-26", "2. Weihnachtstag", None)],  # before the first of the yearly ones
    people=_parse_employees(_ZENITH_EMPLOYEES),
    raises=[],
    members={"Z001": "tenant_admin", "Z002": "hr"},
)

COMPANIES = (ACME, ZENITH)
