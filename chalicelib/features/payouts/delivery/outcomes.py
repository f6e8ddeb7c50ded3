"""What an answer of a bank or provider means for the money: one rule for files, statements and providers.

An answer is a status of ISO 20022 with its reason codes. Only a definitive refusal may release money. A refusal is
definitive where its reasons are about this instruction alone: "account closed" is, "received before" is not, as an
earlier instruction may have been paid. The list of reasons is data (bank_files/status_reasons.csv); an unknown reason,
and a refusal without any, is a doubt.
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
# As banks write it in words, beside any code: duplicate, doppelt, doublon; already received, bereits verarbeitet.
_EARLIER_IN_WORDS = re.compile(
    r"duplic|dupliq|doppel|doublon|(already|before|bereits|déjà).{0,20}(receiv|process|execut|submit|sent|paid|verarb"
    r"|eingereicht|traité)|(receiv|process|execut|submit|sent).{0,20}(already|before|twice)",
    re.IGNORECASE,
)


class MoneyOutcome(StrEnum):
    """What follows from a verdict for the money."""

    PAID = "paid"
    REFUSED = "refused"  # for good: it may be released
    DOUBT = "doubt"  # a refusal that may be about an earlier instruction, or is not explained: a person decides
    ON_ITS_WAY = "on_its_way"


class ReasonSubject(StrEnum):
    """What a reason code is about; the first lines of the list explain each."""

    REFUSED = "refused"
    FILE = "file"
    EARLIER = "earlier"
    DOUBT = "doubt"


@dataclass(frozen=True, slots=True)
class Reason:
    """One row of the list of reason codes."""

    code: str
    subject: ReasonSubject
    meaning: str


@dataclass(frozen=True, slots=True)
class BankVerdict:
    """A status with its reason codes and the text beside them.

    `around` are the refusals of the block and the file that a transfer is in, nearest first. A refusal without a reason
    takes theirs, and one of them about an earlier instruction makes it a doubt.
    """

    status: str
    reasons: tuple[str, ...] = ()
    text: str | None = None
    around: tuple["BankVerdict", ...] = ()

    @property
    def is_refusal(self) -> bool:
        return self.status in REFUSED

    @property
    def explained(self) -> "BankVerdict":
        """The verdict whose reasons count: this one, or the nearest around it that has any."""
        return next((verdict for verdict in (self, *self.around) if verdict.reasons or verdict.text), self)

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
            any(find_subject(code) is ReasonSubject.EARLIER for code in verdict.reasons)
            or bool(verdict.text and _EARLIER_IN_WORDS.search(verdict.text))
            for verdict in (self, *self.around)
        )

    def __str__(self) -> str:
        """Write the verdict for people: RJCT: AC04: the bank's own words."""
        explained = self.explained
        parts = [self.status, ", ".join(explained.reasons), explained.text or ""]
        return ": ".join(part for part in parts if part)


def _judge_reasons(verdict: BankVerdict, *, was_accepted: bool) -> MoneyOutcome:
    """Return whether the reasons of a refusal that mentions no earlier instruction make it definitive."""
    codes = verdict.explained.reasons
    subjects = {find_subject(code) for code in codes if code != NARRATIVE}
    if not codes and verdict.status == CANCELLED:
        return MoneyOutcome.REFUSED
    if not subjects or ReasonSubject.DOUBT in subjects or (ReasonSubject.FILE in subjects and was_accepted):
        return MoneyOutcome.DOUBT
    return MoneyOutcome.REFUSED


def find_subject(code: str) -> ReasonSubject:
    """Return what a reason code is about; one that is not on the list is a doubt."""
    return reason.subject if (reason := load_reasons().get(code)) else ReasonSubject.DOUBT


def describe_code(code: str) -> str:
    """Return a reason code with its meaning, where it is on the list."""
    return f"{code} ({reason.meaning})" if (reason := load_reasons().get(code)) else code


def parse_refusal(reason: str | None) -> BankVerdict:
    """Read a refusal that a person or a delimited file gives as one text, such as "AM05 duplicate".

    A person who may settle money states that the payout failed, so no reason is needed; but a code at the beginning,
    and words about an earlier instruction, count.
    """
    text = (reason or "").strip()
    first = re.match(r"[A-Z]{2}[A-Z0-9]{2}\b", text)
    codes = (first[0],) if first and (first[0] in load_reasons() or first[0] == text) else ()
    return BankVerdict("RJCT" if codes else CANCELLED, codes, text or None)


def find_name_check(verdict: BankVerdict) -> str | None:
    """Return the result of the bank's comparison of the payee's name with the account's, where the verdict has one."""
    results = [NAME_CHECKS.get(verdict.status), *(NAME_REASONS.get(code) for code in verdict.explained.reasons)]
    return next((result for result in results if result), None)


@cache
def load_reasons() -> Mapping[str, Reason]:
    """Read the list of reason codes, by code."""
    text = resources.files("chalicelib.features.payouts.batches.bank_files").joinpath("status_reasons.csv").read_text()
    return {reason.code: reason for reason in _read_reasons(text.splitlines())}


def _read_reasons(lines: Iterable[str]) -> Iterable[Reason]:
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        yield Reason(row["code"], ReasonSubject(row["says"]), row["meaning"])
