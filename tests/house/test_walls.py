"""The walls between the rooms of the integration, and what no file may give away."""

import ast
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from pathlib import Path, PurePath
import re

import pytest

from .repository import DOMAIN, PACKAGE, ROOT, code_nodes, shipped, sources, tracked

TABLES = (PurePath("telemetry/dyness/families"), PurePath("telemetry/atess/fields.py"))
INPUT_OUTPUT = (
    *(
        "aiohttp",
        "asyncio",
        "http",
        "io",
        "multiprocessing",
        "os",
        "pathlib",
        "requests",
        "shutil",
        "socket",
        "sqlite3",
    ),
    *("ssl", "subprocess", "tempfile", "threading", "urllib"),
)
ROOMS = tuple(
    f"{PACKAGE}.{room}" for room in ("binary_sensor", "config_flow", "diagnostics", "entity", "event", "sensor")
)
"""What Home Assistant expects: it stands on the account, and no arrow runs back up."""
WINGS = (f"{PACKAGE}.telemetry.dyness", f"{PACKAGE}.telemetry.atess")
WALLS = {
    ".": ("emulator", "scripts", "tests"),
    "cloud": ("homeassistant", f"{PACKAGE}.telemetry"),
    "telemetry": ("homeassistant", f"{PACKAGE}.cloud", *INPUT_OUTPUT),
    "telemetry/dyness": WINGS[1:],
    "telemetry/atess": WINGS[:1],
    "account": ROOMS,
    "sensor.py": (f"{PACKAGE}.cloud", *WINGS),
    "binary_sensor.py": (f"{PACKAGE}.cloud", *WINGS),
    "entity.py": (f"{PACKAGE}.cloud", *WINGS),
    "event.py": (f"{PACKAGE}.cloud", *WINGS),
}
PURE = ("cloud", "telemetry")
LINES = 350

VENDOR_WORD = re.compile(r"\A\d{3,}\Z|[\u3000-\u9fff\uff00-\uffef]")
STATUS_CODES = {str(int(status)) for status in HTTPStatus} | {"10012"}

# A letter of each name stands in brackets, so that this file does not name them either.
REGISTRY = re.compile(
    r"py[p]i\.org|python[h]osted\.org|npm[j]s\.(?:org|com)|yarn[p]kg\.com|deb[i]an\.(?:org|net)|(?:archive|ports)\.ub[u]ntu\.com"
    r"|cr[a]tes\.io|ruby[g]ems\.org|conda\.an[a]conda\.org|proxy\.go[l]ang\.org"
)
NOT_IN_A_LONGER_PATH = r"(?<![\w.:/~$}*-])"
MACHINE_PATH = re.compile(NOT_IN_A_LONGER_PATH + r"/(?:home|root|Users|work|mnt|opt)/\w|\b[A-Z]:\\Users\b")


def within(module: str, packages: Iterable[str]) -> bool:
    return any(module == package or module.startswith(f"{package}.") for package in packages)


def imported(path: PurePath, tree: ast.Module) -> Iterator[str]:
    """Every module that a shipped file imports, relative ones resolved."""
    here = (*PACKAGE.split("."), *path.parent.parts)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ".".join([*(here[: len(here) + 1 - node.level] if node.level else ()), *filter(None, [node.module])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def broken_walls(root: Path) -> list[str]:
    problems = []
    for path, tree in sources(root):
        for module in imported(path, tree):
            for room, forbidden in WALLS.items():
                if path.is_relative_to(room) and within(module, forbidden):
                    problems.append(f"{path} imports {module}")
            # The rest of the integration imports Home Assistant, so it is behind the same wall.
            if (
                path.parts[0] in PURE
                and within(module, [PACKAGE])
                and not within(module, [f"{PACKAGE}.{room}" for room in PURE])
            ):
                problems.append(f"{path} imports {module}")
    return problems


def circles(root: Path) -> list[str]:
    """Files that import each other, behind TYPE_CHECKING too."""
    trees = {
        ".".join((PACKAGE, *path.with_suffix("").parts)).removesuffix(".__init__"): (path, tree)
        for path, tree in sources(root)
    }
    arrows = {
        module: {other for name in imported(path, tree) for other in (name, name.rpartition(".")[0]) if other in trees}
        for module, (path, tree) in trees.items()
    }
    return [
        f"{one} and {other}"
        for one, others in arrows.items()
        for other in others
        if one < other and one in arrows[other]
    ]


def input_output(root: Path) -> list[str]:
    return [
        f"{path}:{node.lineno} does I/O"
        for path, tree in sources(root)
        if path.is_relative_to("telemetry")
        for node in ast.walk(tree)
        if isinstance(node, ast.AsyncFunctionDef)
        or (isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("open", "print", "input"))
    ]


def vendor_words(root: Path) -> list[str]:
    return [
        f"{path}:{node.lineno} knows {node.value!r}"
        for path, tree in sources(root)
        if not any(path.is_relative_to(table) for table in TABLES)
        for node in code_nodes(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and VENDOR_WORD.search(node.value)
        # The envelopes of the clouds have codes, most of them in the manner of HTTP.
        if not (path.is_relative_to("cloud") and node.value in STATUS_CODES)
    ]


def long_files(root: Path) -> list[str]:
    return [
        f"{path.name}: {lines} lines"
        for path in shipped(root).rglob("*.py")
        if (lines := len(path.read_text(encoding="utf-8").splitlines())) > LINES
    ]


def given_away(paths: Iterable[Path], root: Path) -> list[str]:
    """Lines with the host of a package registry or a path of somebody's machine."""
    here = re.compile(NOT_IN_A_LONGER_PATH + re.escape(str(root)) + "/")
    return [
        f"{path}:{number}"
        for path in paths
        for number, line in enumerate(path.read_bytes().decode(errors="replace").splitlines(), 1)
        if REGISTRY.search(line) or MACHINE_PATH.search(line) or here.search(line)
    ]


@pytest.mark.parametrize("rule", [broken_walls, circles, input_output, vendor_words, long_files])
def test_walls(rule) -> None:
    assert rule(ROOT) == []


def test_nothing_given_away() -> None:
    assert given_away(tracked(ROOT), ROOT) == []


@pytest.mark.parametrize(
    ("rule", "path", "text"),
    [
        (broken_walls, "cloud/client.py", "from homeassistant.core import HomeAssistant"),
        (broken_walls, "cloud/client.py", "def late():\n    import homeassistant.util"),
        (broken_walls, "cloud/client.py", "from ..const import DOMAIN"),
        (broken_walls, "cloud/client.py", "from .. import DOMAIN"),
        (broken_walls, "telemetry/dyness/families/tower.py", "from homeassistant.const import UnitOfPower"),
        (broken_walls, "telemetry/dyness/families/tower.py", "from ....cloud.errors import CloudError"),
        (broken_walls, "telemetry/dyness/decoder.py", "from ... import cloud"),
        (broken_walls, "telemetry/decoder.py", "import aiohttp"),
        (broken_walls, "telemetry/decoder.py", "from urllib.request import urlopen"),
        (broken_walls, "telemetry/decoder.py", "from pathlib import Path"),
        (broken_walls, "sensor.py", "from .telemetry.dyness.families import FAMILIES"),
        (broken_walls, "sensor.py", "from .telemetry import dyness"),
        (broken_walls, "binary_sensor.py", "from . import cloud"),
        (broken_walls, "entity.py", f"import {PACKAGE}.cloud.errors"),
        (broken_walls, "diagnostics.py", "from emulator import server"),
        (broken_walls, "__init__.py", "import tests"),
        (broken_walls, "telemetry/dyness/decoder.py", "from ..atess import fields"),
        (broken_walls, "account/memory.py", "from ..entity import DeviceEntity"),
        (input_output, "telemetry/decoder.py", "table = open('table.csv')"),
        (input_output, "telemetry/dyness/families/tower.py", "async def read(): ..."),
        (vendor_words, "telemetry/decoder.py", "SOC = '1400'"),
        (vendor_words, "sensor.py", "ids = {'800': 'soc'}"),
        (vendor_words, "cloud/client.py", "code in ('200', '1400')"),
        (vendor_words, "telemetry/decoder.py", "name = '总电流'"),
        (long_files, "coordinator.py", "x = 1\n" * 351),
    ],
)
def test_rule_notices(rule, path: str, text: str, tmp_path: Path) -> None:
    place = shipped(tmp_path) / path
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    assert len(rule(tmp_path)) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (
            "cloud/client.py",
            "import aiohttp\nfrom .errors import CloudError\ncode == '200'",
        ),
        (
            "telemetry/dyness/decoder.py",
            '"""总电流"""\nfrom .families import FAMILIES\nimport math\nLIMIT = 1\n"""1400"""',
        ),
        ("telemetry/dyness/families/tower.py", "from ...vocabulary import Key\nTABLE = {'1400': '总电流'}"),
        ("sensor.py", "from homeassistant.const import Platform\nfrom .telemetry.vocabulary import Key\nx = '12'"),
        ("coordinator.py", "x = 1\n" * 350),
    ],
)
def test_rules_allow(path: str, text: str, tmp_path: Path) -> None:
    place = shipped(tmp_path) / path
    place.parent.mkdir(parents=True)
    place.write_text(text, encoding="utf-8")
    assert [rule(tmp_path) for rule in (broken_walls, input_output, vendor_words, long_files)] == [[]] * 4


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("https://files.python" + "hosted.org/simple", 1),
        ("registry.npm" + "js.org", 1),
        ("deb http://deb.deb" + "ian.org/debian forky main", 1),
        ("see /ho" + "me/jane/project", 1),
        ("cd '/wo" + "rk/main'", 1),
        ("C:" + "\\Users", 1),
        (
            f"#!/usr/bin/env bash\nhttps://github.com/{DOMAIN}/home/page\n/v1/device/work/x\n/usr/bin/python3.14\n/config/x",
            0,
        ),
        (f"{ROOT}/x", 1),
    ],
)
def test_given_away_notices(text: str, count: int, tmp_path: Path) -> None:
    place = tmp_path / "x.txt"
    place.write_text(text)
    assert len(given_away([place], ROOT)) == count
