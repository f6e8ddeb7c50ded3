"""A search for a term of the glossary finds it in the code, at the place that the glossary names."""

import re
from pathlib import Path

import pytest

from infra.local.children import PROJECT

ROW = re.compile(r"^\| (.+?) \| (.+?) \| `(.+?)` \|$", re.MULTILINE)
ROWS = ROW.findall((PROJECT / "docs" / "glossary.md").read_text())
# the words that an engineer searches for
SEARCHED = {
    "rate limit", "SSRF", "DNS rebinding", "fencing token", "lease", "advisory lock", "optimistic lock",
    "retry schedule", "pagination", "accrual", "posting", "erasure", "GDPR", "state machine", "idempotency key",
    "outbox", "envelope encryption",
}  # fmt: skip


def names_of(term: str) -> list[str]:
    """Return the names of a term: `erasure (GDPR)` has two, and so has `SSRF, DNS rebinding`."""
    return [name.strip() for name in re.split(r"[,()]", term) if name.strip()]


def is_in(name: str, text: str) -> bool:
    """Return whether a text has a name, in any of the spellings of prose and identifiers."""
    pattern = r"[ _-]?\s*(?:-- |# )?".join(map(re.escape, re.split(r"[ -]", name)))
    return re.search(rf"(?<![a-z]){pattern}", text, re.IGNORECASE) is not None


def text_of(place: Path) -> str:
    """Return the text of a file, or of all Python and SQL files of a folder, with their names."""
    files = [place] if place.is_file() else [file for kind in ("*.py", "*.sql") for file in sorted(place.rglob(kind))]
    return "\n".join(f"{file.name}\n{file.read_text()}" for file in files)


@pytest.mark.parametrize(("term", "place"), [(term, place) for term, _, place in ROWS])
def test_terms_are_found_where_the_glossary_says(term: str, place: str) -> None:
    assert (PROJECT / place).exists()
    text = text_of(PROJECT / place)
    assert [name for name in names_of(term) if not is_in(name, text)] == []


def test_terms_stand_once() -> None:
    names = [name for term, _, _ in ROWS for name in names_of(term)]
    assert sorted(name for name in set(names) if names.count(name) > 1) == []


def test_words_that_are_searched_for_are_terms() -> None:
    assert {name for term, _, _ in ROWS for name in names_of(term)} >= SEARCHED
