"""Acme's January 2026: the facts, beside ordinary days, behind the worked numbers of rules.md.

Rahim Uddin      15,000 monthly, 2 of 21 working days unpaid                    13,571.43
Nasrin Akter     15,000 until 15 January, 18,000 from the 16th                  16,428.57
Imran Hossain    joined on 12 January, 14 of 21 working days                    10,000.00
Shamima Begum    3,500 weekly, present in 4 of 5 weeks                          14,000.00
Abdul Karim      500 daily, 20.5 payable days                                   10,250.00
Jahanara Khatun  present 21.5, on duty 1, paid leave 2, extra 1, absent 0.5     payable 24.5
"""

from typing import Any

MONTH = "2026-01"

LEAVE_TYPES: list[dict[str, Any]] = [
    {
        "name": "Annual leave",
        "is_paid": True,
        "counts_non_working_days": False,
        "is_limited": True,
        "days_per_year": 20,
    },
    {"name": "Sick leave", "is_paid": True, "counts_non_working_days": False, "is_limited": True, "days_per_year": 14},
    {
        "name": "Unpaid leave",
        "is_paid": False,
        "counts_non_working_days": False,
        "is_limited": False,
        "days_per_year": 0,
    },
    {
        "name": "Maternity leave",
        "is_paid": True,
        "counts_non_working_days": True,
        "is_limited": False,
        "days_per_year": 0,
    },
]

# number, first day, last day, leave type
LEAVES = [
    ("A004", "2026-01-13", "2026-01-14", "Unpaid leave"),
    ("A007", "2026-01-11", "2026-01-15", "Unpaid leave"),
    ("A009", "2026-01-17", "2026-01-18", "Annual leave"),
    ("A012", "2026-01-06", "2026-01-07", "Annual leave"),
    ("A026", "2026-01-19", "2026-01-19", "Sick leave"),
    ("A036", "2026-01-25", "2026-01-29", "Annual leave"),
]

# number, day, kind of its punches (punches.sql)
DAYS = [
    ("A008", "2026-01-21", "first"),
    ("A009", "2026-01-27", "first"),
    ("A013", "2026-01-05", "late"),
    ("A013", "2026-01-12", "late"),
    ("A013", "2026-01-26", "second"),
    ("A020", "2026-01-20", "absent"),
    ("A022", "2026-01-18", "early"),
]

# number, first day, last day, reason, status
ON_DUTY = [
    ("A009", "2026-01-20", "2026-01-20", "Fabric inspection at the port", "approved"),
    ("A033", "2026-01-13", "2026-01-14", "Customs hearing", "approved"),
    ("A035", "2026-01-22", "2026-01-22", "Bank visit", "rejected"),
]

# number, day, hours, reason, status
OVERTIME = [
    ("A012", "2026-01-20", "2.00", "Shipment for Hamburg", "approved"),
    ("A013", "2026-01-20", "2.00", "Shipment for Hamburg", "approved"),
    ("A016", "2026-01-21", "1.50", "Shipment for Hamburg", "approved"),
    ("A024", "2026-01-22", "3.00", "Re-packing", "approved"),
    ("A025", "2026-01-22", "3.00", "Re-packing", "rejected"),
]

# number, day, extra days, remark: entered by hand in the register
EXTRA_DAYS = [("A009", "2026-01-30", "1.00", "Stock-taking on a Friday")]

# Pending requests, in days from the day of loading: number, from, to, reason
PENDING_ON_DUTY = [("A003", 2, 3, "Buyer's audit in Gazipur"), ("A004", 4, 4, "Training on the new machines")]
PENDING_OVERTIME = [("A005", -1, "2.00", "Urgent order"), ("A014", -2, "1.50", "Urgent order")]
