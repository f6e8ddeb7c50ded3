"""What an answer of whoever pays is worth: a status with its reasons, the same for files, statements and providers.

Only a definitive refusal may give money back. A refusal is one where its reason speaks of this instruction and of
nothing else: "account closed" is, "received before" is not, for then an earlier one may have been paid. The list of
reasons is data (bank_files/status_reasons.csv); an unknown reason, and a refusal without any, is a doubt.
"""

import csv
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

PAID = frozenset({"ACSC", "ACCC", "CPUC"})  # settled at the payer's or payee's account, or picked up in cash
REFUSED = frozenset({"RJCT", "CANC"})
CANCELLED = "CANC"  # taken back before execution: its status is its reason
# The bank has looked into the instruction and taken it on; RCVD and PDNG say only that a file is there.
ACCEPTED = PAID | {"ACTC", "ACCP", "ACFC", "ACFW", "ACSP", "ACWC", "ACWP", "ACPD", "PATC", "BLCK"}
NAME_CHECKS = {"RCVC": "match", "RVMC": "close_match", "RVNM": "no_match", "RVNA": "not_possible"}
NAME_REASONS = {"BE01": "no_match"}
NARRATIVE = "NARR"
# In words, as banks write them beside any code: duplicate, doppelt, doublon; already received, bereits verarbeitet.
_EARLIER_IN_WORDS = re.compile(
    r"duplic|dupliq|doppel|doublon|(already|before|bereits|déjà).{0,20}(receiv|process|execut|submit|sent|paid|verarb"
    r"|eingereicht|traité)|(receiv|process|execut|submit|sent).{0,20}(already|before|twice)",
    re.IGNORECASE,
)


class MoneyOutcome(StrEnum):
    """What follows from a verdict for the money."""

    PAID = "paid"
    REFUSED = "refused"  # for good: it may be given back
    DOUBT = "doubt"  # a refusal that may speak of an earlier instruction, or says too little: a person decides
    ON_ITS_WAY = "on_its_way"


class Says(StrEnum):
    """What a reason code is about; the first lines of the list explain each."""

    REFUSED = "refused"
    FILE = "file"
    EARLIER = "earlier"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the list of reason codes."""

    code: str
    says: Says
    meaning: str


@dataclass(frozen=True, slots=True)
class BankVerdict:
    """A status with its reason codes and the words beside them.

    `around` are the refusals of the block and the file that a transfer is in, nearest first: they lend a refusal the
    reason that it does not give, and one of them about an earlier instruction makes it a doubt.
    """

    status: str
    reasons: tuple[str, ...] = ()
    text: str | None = None
    around: tuple["BankVerdict", ...] = ()

    @property
    def is_refusal(self) -> bool:
        return self.status in REFUSED

    @property
    def given(self) -> "BankVerdict":
        """The verdict whose reasons count: this one, or the nearest around it that gives any."""
        return next((one for one in (self, *self.around) if one.reasons or one.text), self)

    def outcome(self, *, was_accepted: bool = False) -> MoneyOutcome:
        """Return what follows; `was_accepted` is whether the bank had taken the instruction on before."""
        if self.status in PAID:
            return MoneyOutcome.PAID
        if not self.is_refusal:
            return MoneyOutcome.ON_ITS_WAY
        if self.speaks_of_earlier:
            return MoneyOutcome.DOUBT
        return _judge_reasons(self, was_accepted=was_accepted)

    @property
    def speaks_of_earlier(self) -> bool:
        """Whether any reason, on any level, is about an earlier instruction."""
        return any(
            any(says_of(code) is Says.EARLIER for code in one.reasons)
            or bool(one.text and _EARLIER_IN_WORDS.search(one.text))
            for one in (self, *self.around)
        )

    def __str__(self) -> str:
        """Write it for people: RJCT: AC04: the bank's own words."""
        given = self.given
        parts = [self.status, ", ".join(given.reasons), given.text or ""]
        return ": ".join(part for part in parts if part)


def _judge_reasons(verdict: BankVerdict, *, was_accepted: bool) -> MoneyOutcome:
    codes = verdict.given.reasons
    said = {says_of(code) for code in codes if code != NARRATIVE}
    if not codes and verdict.status == CANCELLED:
        return MoneyOutcome.REFUSED
    if not said or Says.DOUBT in said or (Says.FILE in said and was_accepted):
        return MoneyOutcome.DOUBT
    return MoneyOutcome.REFUSED


def says_of(code: str) -> Says:
    """Return what a reason code is about; one that is not on the list is a doubt."""
    return reason.says if (reason := listed().get(code)) else Says.DOUBT


def explained(code: str) -> str:
    """Write a reason code with its meaning, where it is on the list."""
    return f"{code} ({reason.meaning})" if (reason := listed().get(code)) else code


def in_words(reason: str | None) -> BankVerdict:
    """Return the verdict of a refusal that a person or a delimited file words as one text, such as "AM05 duplicate".

    Somebody who may settle money has said that it failed, so no reason is needed; but a code that stands first, and
    words about an earlier instruction, count.
    """
    text = (reason or "").strip()
    first = re.match(r"[A-Z]{2}[A-Z0-9]{2}\b", text)
    codes = (first[0],) if first and (first[0] in listed() or first[0] == text) else ()
    return BankVerdict("RJCT" if codes else CANCELLED, codes, text or None)


def name_check(verdict: BankVerdict) -> str | None:
    """Return what the bank found when it compared the payee's name with the account's, where it says so."""
    found = [NAME_CHECKS.get(verdict.status), *(NAME_REASONS.get(code) for code in verdict.given.reasons)]
    return next((one for one in found if one), None)


@cache
def listed() -> Mapping[str, Reason]:
    """Return the list of reason codes by code."""
    text = resources.files("chalicelib.features.payouts.batches.bank_files").joinpath("status_reasons.csv").read_text()
    return {reason.code: reason for reason in _rows(text.splitlines())}


def _rows(lines: Iterable[str]) -> Iterable[Reason]:
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        yield Reason(row["code"], Says(row["says"]), row["meaning"])
