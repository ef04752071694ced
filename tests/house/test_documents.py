"""Links between the documents are alive, each repair finds its paragraph, and names are those that a user sees."""

from collections.abc import Iterator
from pathlib import Path
import re
from typing import Any

import pytest

from custom_components.dyness_atess.account.repairs import HELP

from .repository import ROOT, read_json, shipped, tracked

_LINK = re.compile(r"\]\(([^)\s]+)\)")
_CODE = re.compile(r"^```.*?^```|`[^`\n]*`", re.MULTILINE | re.DOTALL)
_CURSIVE = re.compile(r"(?<!\*)\*([^*\n]+)\*(?!\*)")
HOME_ASSISTANT = ("Add solar", "Configure", "Delete", "Download diagnostics", "Integration", "Reconfigure", "Standard")
PORTAL = ("API Management", "Developer Center")
DOCUMENTS = [path for path in tracked(ROOT) if path.suffix == ".md"]


def anchors(document: Path) -> set[str]:
    """Return what a link into a document may name: its headings as the forge writes them, and what it sets itself."""
    text = document.read_text(encoding="utf-8")
    headings = re.findall(r"^#+ (.+)$", text, re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings} | set(
        re.findall(r'<a id="(\w+)">', text)
    )


def dead_links(document: Path, root: Path) -> list[str]:
    found = []
    for link in _LINK.findall(_CODE.sub("", document.read_text(encoding="utf-8"))):
        path, _, anchor = link.partition("#")
        if re.match(r"\w+:", link):
            continue
        target = (document.parent / path).resolve() if path else document
        is_alive = target.is_relative_to(root) and target.exists()
        if not is_alive or (anchor and anchor not in anchors(target)):
            found.append(link)
    return found


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_links_are_alive(document: Path) -> None:
    assert not dead_links(document, ROOT)


def test_dead_links_are_found(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text("# A title\n[x](#a-title) [y](#other) [z](gone.md) [w](page.md#a-title) [v](https://example.org)")
    assert dead_links(page, tmp_path) == ["#other", "gone.md"]


def test_each_repair_has_its_paragraph() -> None:
    page = ROOT / "docs" / HELP.rpartition("/")[2]
    assert read_json(shipped(ROOT) / "translations" / "en.json")["issues"].keys() <= anchors(page)


def texts(content: Any) -> Iterator[str]:
    """Yield all texts of a translation, as they are without an account's name."""
    if isinstance(content, str):
        yield content.removeprefix("{entry} ")
    else:
        for value in content.values():
            yield from texts(value)


@pytest.mark.parametrize("document", ["README.md", "docs/troubleshooting.md"])
def test_names_are_those_on_the_screen(document: str) -> None:
    shown = {*texts(read_json(shipped(ROOT) / "translations" / "en.json")), "Dyness & ATESS", *HOME_ASSISTANT, *PORTAL}
    named = set(_CURSIVE.findall(_CODE.sub("", (ROOT / document).read_text(encoding="utf-8"))))
    assert "Last report" in named
    assert named <= shown
