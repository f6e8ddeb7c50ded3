"""The extension point for a virus scanner, which every uploaded file passes before it can be downloaded.

None is built in. To add one, write a class with the method of `Scanner`, add it to `SCANNERS` under a name, and set
SCANNER to that name for the function that checks uploads. Such a class is a client of a scanner that runs elsewhere
(clamd by TCP, a vendor's HTTP API), as signatures are larger than Lambda's memory. A file is stored with the name of
the scanner that passed it, so that files without a scan can be found and scanned later.
"""

from collections.abc import Callable, Mapping
from typing import Protocol

from chalicelib.backing.settings import settings

NONE = "none"


class Scanner(Protocol):
    """Looks for malware in one file's content."""

    def scan(self, data: bytes) -> str | None:
        """Return the name of the malware, or None where there is none.

        Raises Busy if it cannot tell: the file then stays in quarantine and is scanned again. A scanner that fails
        lets no file through.
        """


class Unscanned:
    """The default, without a scanner: content and type are checked elsewhere, malware is not searched for."""

    def scan(self, data: bytes) -> str | None:
        return None


SCANNERS: Mapping[str, Callable[[], Scanner]] = {NONE: Unscanned}


def scanner() -> Scanner:
    """Return the scanner that the settings name. Raises RuntimeError for an unknown name, rather than not scan."""
    make_scanner = SCANNERS.get(settings().scanner)
    if make_scanner is None:
        raise RuntimeError(f"SCANNER is {settings().scanner!r}; there are: {', '.join(sorted(SCANNERS))}.")
    return make_scanner()
