"""The hook for a virus scanner: whoever takes a file from outside asks it before anybody may open the file.

None is built in. To plug one in, write a class with the two members of `Scanner`, add it to `SCANNERS` under a word,
and set SCANNER to that word where the uploads are worked on; such a class is a client of a scanner that runs elsewhere
(clamd by TCP, a vendor's HTTP API), since its signatures are larger than what Lambda holds. Files that were passed keep
the word of who passed them, so those that nobody scanned can be found and scanned later.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from chalicelib.backing.settings import settings

NONE = "none"


class Scanner(Protocol):
    """Looks for malware in one file's content."""

    def scan(self, data: bytes) -> str | None:
        """Return what it found, or give None where it found nothing.

        Busy where it cannot say: the file then waits in quarantine and is asked about again. No other answer lets a
        file through, and a scanner that fails lets none through.
        """


class Unscanned:
    """What stands in where there is no scanner: content and type are checked, malware is not looked for."""

    def scan(self, data: bytes) -> str | None:
        return None


SCANNERS: Mapping[str, Callable[[], Scanner]] = {NONE: Unscanned}


def scanner() -> Scanner:
    """Make the scanner that the settings name; a name that is not known is an error, never no scanner."""
    make_scanner = SCANNERS.get(settings().scanner)
    if make_scanner is None:
        raise RuntimeError(f"SCANNER is {settings().scanner!r}; there are: {', '.join(sorted(SCANNERS))}.")
    return make_scanner()
