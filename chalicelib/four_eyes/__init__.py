"""The four-eyes principle: nobody decides their own pay, and nobody approves what they took part in.

own_pay.py        refuses writes about the caller's own pay: one line of its table per subject.
                  tests/architecture/test_own_pay.py checks every write of the API, and fails for one that can pay an
                  employee and is not covered
participation.py  compares the approver with all who took part, by ids of people and never by names
enforcement.py    whether a tenant may do without: only while a single person can approve
"""

from chalicelib.four_eyes.enforcement import has_other_approver, is_enforced, people_who_may
from chalicelib.four_eyes.own_pay import (
    Subject,
    check_not_own,
    check_not_own_address,
    is_own,
    note_own,
    own_ids,
    refusal,
    without_own,
    without_own_addresses,
)
from chalicelib.four_eyes.participation import Participants, Participation, check_may_approve, why_not

__all__ = [
    "Participants",
    "Participation",
    "Subject",
    "check_may_approve",
    "check_not_own",
    "check_not_own_address",
    "has_other_approver",
    "is_enforced",
    "is_own",
    "note_own",
    "own_ids",
    "people_who_may",
    "refusal",
    "why_not",
    "without_own",
    "without_own_addresses",
]
