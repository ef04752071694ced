"""What the house rules look at: files, never a running Home Assistant."""

import ast
from collections.abc import Iterable, Iterator
import importlib
import json
from pathlib import Path, PurePath
import shutil
import subprocess
from typing import Any

from homeassistant.const import Platform
from homeassistant.helpers.entity import EntityDescription

ROOT = Path(__file__).parents[2]
DOMAIN = "dyness_atess"
PACKAGE = f"custom_components.{DOMAIN}"

type Descriptions = dict[str, dict[str, EntityDescription]]  # platform, translation key


def shipped(root: Path) -> Path:
    return root / "custom_components" / DOMAIN


def read_json(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


def sources(root: Path) -> Iterator[tuple[PurePath, ast.Module]]:
    """Every shipped Python file, its path within the integration and its tree."""
    for path in sorted(shipped(root).rglob("*.py")):
        yield path.relative_to(shipped(root)), ast.parse(path.read_bytes(), path)


def tracked(root: Path) -> list[Path]:
    """Every file that is in git or about to be."""
    git = shutil.which("git")
    assert git
    command = [git, "-C", str(root), "-c", "safe.directory=*", "ls-files", "-z"]
    command += ["--cached", "--others", "--exclude-standard"]
    names = subprocess.run(command, check=True, capture_output=True, text=True).stdout.split("\0")  # noqa: S603
    return [path for name in names if name and (path := root / name).is_file()]


def code_nodes(tree: ast.Module) -> Iterator[ast.AST]:
    """Every node but docstrings and the strings that document a constant."""
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    return (node for node in ast.walk(tree) if not (isinstance(node, ast.Constant) and id(node) in prose))


def descriptions() -> Descriptions:
    """Every entity description that its module names, alone or in a tuple, list or dict."""
    return {
        platform: {
            str(description.translation_key or description.key): description
            for description in _held(vars(importlib.import_module(f"{PACKAGE}.{platform}")).values())
        }
        for platform in Platform
        if (shipped(ROOT) / f"{platform}.py").is_file()
    }


def _held(values: Iterable[Any]) -> Iterator[EntityDescription]:
    for value in values:
        # Home Assistant makes the instances of classes that are no direct subclass of this one.
        if "EntityDescription" in [base.__name__ for base in type(value).__mro__]:
            yield value
        elif isinstance(value, tuple | list):
            yield from _held(value)
        elif isinstance(value, dict):
            yield from _held(value.values())
