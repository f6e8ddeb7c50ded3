"""The virus scanner: none by default, and an unknown name is an error."""

from collections.abc import Iterator

import pytest

from chalicelib.backing import scanner
from chalicelib.backing.settings import settings


@pytest.fixture(name="named")
def _named(monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    monkeypatch.setenv("APPLICATION_DATABASE_URL", "postgresql://nowhere")
    settings.cache_clear()
    yield monkeypatch
    settings.cache_clear()


class TestScanner:
    def test_is_none_where_nothing_is_set(self, named: pytest.MonkeyPatch) -> None:
        named.delenv("SCANNER", raising=False)
        assert isinstance(scanner.scanner(), scanner.Unscanned)
        assert scanner.scanner().scan(b"anything") is None

    def test_is_the_one_that_the_settings_name(self, named: pytest.MonkeyPatch) -> None:
        class Suspicious:
            def scan(self, data: bytes) -> str | None:
                return "Eicar-Test-Signature" if b"EICAR" in data else None

        named.setattr(scanner, "SCANNERS", {"suspicious": Suspicious})
        named.setenv("SCANNER", "suspicious")
        assert scanner.scanner().scan(b"X5O!P%@AP EICAR") == "Eicar-Test-Signature"

    def test_that_is_unknown_is_an_error(self, named: pytest.MonkeyPatch) -> None:
        named.setenv("SCANNER", "clamd")
        with pytest.raises(RuntimeError, match="SCANNER is 'clamd'; there are: none"):
            scanner.scanner()
