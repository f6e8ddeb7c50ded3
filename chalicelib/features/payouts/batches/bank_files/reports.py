"""A bank's XML, read by structure: independent of version, namespace, prefix and envelope.

The document is untrusted: its size and depth are bounded, document types and entities (XML bombs, XXE) are refused, and
elements are removed once they are read, so that a large report is never in memory as a whole. The root element of a
message (CstmrPmtStsRpt, BkToCstmrStmt, BkToCstmrDbtCdtNtfctn) says what it is; an envelope may hold several.
"""

import io
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import iterparse

from chalicelib.kernel.errors import Invalid, TooLarge, Unreadable

LARGEST = 6 * 1024 * 1024
DEEPEST = 40
MOST_ELEMENTS = 500_000  # about thirty per transfer of a batch
MOST_TEXT = 500  # characters of a bank's free text
NOT_PROVIDED = "NOTPROVIDED"  # ISO 20022's own word for a missing value
_AMOUNT = re.compile(r"[0-9]{1,18}(\.[0-9]{1,5})?")


@dataclass(frozen=True, slots=True)
class UnreadableLine:
    """One line of a report that cannot be read; the others still are."""

    line: int
    element: str
    detail: str


class LineFault(Exception):
    """Raised while one line is read: the faulty element, and why."""

    def __init__(self, element: str, detail: str) -> None:
        super().__init__(detail)
        self.element, self.detail = element, detail


@dataclass(frozen=True, slots=True)
class Money:
    """An amount as the bank writes it."""

    amount: Decimal
    currency: str | None


@dataclass(frozen=True, slots=True)
class XmlElement:
    """An element as it begins (not `is_whole`: its children follow) or when it is complete."""

    name: str  # without its namespace
    element: Element
    parent: Element | None
    is_whole: bool


def iterate_elements(data: bytes) -> Iterator[XmlElement]:
    """Yield each element twice: as it begins, and when it is complete."""
    if len(data) > LARGEST:
        raise TooLarge(f"The report has {len(data):,} bytes; at most {LARGEST:,} can be taken.")
    ancestors: list[Element] = []
    elements = 0
    try:
        for event, element in iterparse(io.BytesIO(data), events=("start", "end"), forbid_dtd=True):
            if event == "start":
                elements += 1
                if elements > MOST_ELEMENTS:
                    raise TooLarge(f"The report has more than {MOST_ELEMENTS:,} elements.")
                if len(ancestors) == DEEPEST:
                    raise Invalid(f"The report is nested deeper than {DEEPEST} levels.")
                yield XmlElement(local_name(element), element, ancestors[-1] if ancestors else None, is_whole=False)
                ancestors.append(element)
            else:
                ancestors.pop()
                yield XmlElement(local_name(element), element, ancestors[-1] if ancestors else None, is_whole=True)
    except DefusedXmlException:
        raise Invalid("The report has a document type or entities, which a bank's report never has.") from None
    except (ParseError, ValueError, LookupError) as error:
        raise Unreadable(f"The report is not XML: {error}.") from None


def local_name(element: Element) -> str:
    """Return an element's name without its namespace."""
    return str(element.tag).rpartition("}")[2]


def child_text(element: Element, path: str) -> str | None:
    """Return the text at a path of names in any namespace, or None if it is empty or missing."""
    return shorten(element.findtext("/".join(f"{{*}}{part}" for part in path.split("/"))))


def shorten(text: str | None) -> str | None:
    """Return a text as one line of bounded length, or None if it is empty."""
    return " ".join((text or "").split())[:MOST_TEXT] or None


def read_references(element: Element, *paths: str) -> tuple[str, ...]:
    """Return the ids at these paths, the best first, without NOTPROVIDED."""
    named = [child_text(element, path) for path in paths]
    return tuple(one for one in named if one and one.upper() != NOT_PROVIDED)


def read_money(element: Element, path: str) -> Money | None:
    """Return the amount at a path with its currency, or None if there is none. Raises LineFault."""
    amount = element.find("/".join(f"{{*}}{part}" for part in path.split("/")))
    if amount is None:
        return None
    text = (amount.text or "").strip()
    if not _AMOUNT.fullmatch(text):
        raise LineFault(path.rpartition("/")[2], f"{text[:35]!r} is not an amount like 12.00")
    return Money(Decimal(text), amount.get("Ccy"))


def read_moment(element: Element, path: str) -> datetime | None:
    """Return the moment at a path, or None if none can be read; without a zone it is UTC."""
    try:
        moment = datetime.fromisoformat(child_text(element, path) or "")
        return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        return None
