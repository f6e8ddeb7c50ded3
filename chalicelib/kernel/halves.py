"""Halves of a day: a day has two, and each has exactly one code (rules.md, section 3).

The pay register stores a period as a string of these codes, two per day in date order: "PPPAWW" is a day present, a
day present in the first half and absent in the second, and a day off.
"""

from enum import StrEnum


class HalfStatus(StrEnum):
    PRESENT = "present"
    ABSENT = "absent"
    LEAVE = "leave"
    ON_DUTY = "od"
    HOLIDAY = "holiday"
    WEEK_OFF = "week_off"
    BLANK = "blank"


class Nature(StrEnum):
    """Whether leave is paid or a loss of pay."""

    PAID = "paid"
    LOP = "lop"


class Half(StrEnum):
    FIRST = "first"
    SECOND = "second"


CODES = "-PALUOHW"  # a code's index in this string is its number in the register's SQL

STATUS_OF: dict[str, tuple[HalfStatus, Nature | None]] = {
    "-": (HalfStatus.BLANK, None),
    "P": (HalfStatus.PRESENT, None),
    "A": (HalfStatus.ABSENT, None),
    "L": (HalfStatus.LEAVE, Nature.PAID),
    "U": (HalfStatus.LEAVE, Nature.LOP),
    "O": (HalfStatus.ON_DUTY, None),
    "H": (HalfStatus.HOLIDAY, None),
    "W": (HalfStatus.WEEK_OFF, None),
}
_CODE_OF = {pair: code for code, pair in STATUS_OF.items()}


def code_of(status: HalfStatus, nature: Nature | None = None) -> str:
    """Return the code of a half; leave of no stated nature is paid."""
    if status is HalfStatus.LEAVE:
        return _CODE_OF[status, nature or Nature.PAID]
    return _CODE_OF[status, None]
