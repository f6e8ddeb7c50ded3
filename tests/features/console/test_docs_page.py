"""The /docs page is one self-contained file that talks to its own host only."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest

PAGE = Path(__file__).resolve().parents[3] / "chalicelib" / "features" / "console" / "docs.html"
TEXT = PAGE.read_text(encoding="utf-8")


class Elements(HTMLParser):
    """Keeps every start tag with its attributes, and the text of scripts and styles."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.raw: dict[str, list[str]] = {"script": [], "style": []}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1][0] in self.raw and self.cdata_elem:
            self.raw[self.tags[-1][0]].append(data)


@pytest.fixture(scope="module")
def page() -> Elements:
    parser = Elements()
    parser.feed(TEXT)
    return parser


@pytest.fixture(scope="module")
def script(page: Elements) -> str:
    return "".join(page.raw["script"])


def test_is_small() -> None:
    assert len(PAGE.read_bytes()) <= 40 * 1024


def test_names_no_other_host(page: Elements) -> None:
    assert not re.search(r"(?:https?|wss?):\\?/\\?/", TEXT)
    for tag, attrs in page.tags:
        for name in ("src", "srcset", "href", "action", "formaction", "poster", "data"):
            assert attrs.get(name, "#").startswith(("#", "./", "data:,")), (tag, name, attrs[name])
    assert not re.search(r"@import|url\(", "".join(page.raw["style"]))


def test_has_one_inline_script_and_one_inline_style(page: Elements) -> None:
    names = [tag for tag, _ in page.tags]
    assert names.count("script") == 1
    assert names.count("style") == 1
    assert not {"iframe", "object", "embed", "base"} & set(names)
    for tag, attrs in page.tags:
        assert not [name for name in attrs if name == "style" or name.startswith("on")], tag


def test_policy_lets_the_page_reach_its_own_host_only(page: Elements) -> None:
    (policy,) = (a["content"] for t, a in page.tags if t == "meta" and a.get("http-equiv") == "Content-Security-Policy")
    rules = dict(rule.strip().split(" ", 1) for rule in policy.split(";"))
    assert rules["default-src"] == "'none'"
    assert rules["connect-src"] == "'self'"


def test_fetches_the_description_relatively(script: str) -> None:
    calls = re.findall(r"\bfetch\(([^,)]+)", script)
    assert sorted(calls) == ['"./openapi.json"', "base + path"]
    assert not re.search(r"\bimport\b|XMLHttpRequest|sendBeacon|WebSocket|EventSource|Worker", script)


def test_calls_go_to_the_origin_of_the_page(script: str) -> None:
    assert "const base = new URL(server).origin === location.origin ? server : HERE;" in script
    assert 'const HERE = new URL(".", SPEC)' in script


def test_text_never_becomes_markup(script: str) -> None:
    assert ".textContent = kid" in script
    ways = (
        r"innerHTML|outerHTML|insertAdjacentHTML|setHTML|srcdoc|document\.write"
        r"|DOMParser|createContextualFragment|\beval\b|new Function"
    )
    assert not re.search(ways, script)


def test_keeps_the_key_for_the_tab_only(script: str) -> None:
    assert "sessionStorage" in script
    assert not re.search(r"localStorage|indexedDB|document\.cookie", script)
