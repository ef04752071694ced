"""What is kept of an object over restarts: a dataclass as JSON, checked when it is read."""

from dataclasses import fields, is_dataclass
from enum import StrEnum
from functools import cache
from types import NoneType
from typing import Any, get_args, get_origin, get_type_hints

LEAST, LARGEST = -1e8, 2.5e11
"""Between which any number lies that is kept: a time (s), an energy (kWh), a power (W)."""


def dump(value: Any) -> Any:
    """Return a dataclass as JSON. Tuples stay as they are: they hold plain values."""
    kind: Any = type(value)
    if kind is dict:
        return {str(key): dump(item) for key, item in value.items()}
    if kind is list:
        return [dump(item) for item in value]
    return {name: dump(getattr(value, name)) for name in names} if (names := _names(kind)) else value


def load(kind: Any, content: Any) -> Any:
    """Return an object of a kind (what its annotations say) from JSON. What is left out has its default.

    Raises:
        ValueError: it is malformed.
    """
    try:
        return _load(kind, content)
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise ValueError("malformed") from error


def _load(kind: Any, content: Any) -> Any:
    origin, parts = get_origin(kind), get_args(kind)
    if NoneType in parts:
        return None if content is None else _load(parts[0], content)
    if origin is list:
        return [_load(parts[0], item) for item in content]
    if origin is dict:
        of_key, of_item = parts
        return {of_key(key): _load(of_item, item) for key, item in content.items()}
    if origin is tuple:
        kinds = [parts[0]] * len(content) if Ellipsis in parts else parts
        return tuple(_load(of_item, item) for of_item, item in zip(kinds, content, strict=True))
    if isinstance(kind, type) and is_dataclass(kind):
        hints = _hints(kind)
        return kind(**{name: _load(hints[name], content[name]) for name in hints.keys() & content.keys()})
    if issubclass(kind, tuple):
        return kind(*(_load(hint, item) for hint, item in zip(_hints(kind).values(), content, strict=True)))
    if kind is float and isinstance(content, int) and not isinstance(content, bool):
        content = float(content)
    if issubclass(kind, StrEnum):
        return kind(content)
    if type(content) is not kind or (kind in (int, float) and not LEAST <= content <= LARGEST):
        raise ValueError
    return content


@cache
def _names(kind: Any) -> list[str]:
    return [field.name for field in fields(kind)] if is_dataclass(kind) else []


@cache
def _hints(kind: Any) -> dict[str, Any]:
    return get_type_hints(kind)
