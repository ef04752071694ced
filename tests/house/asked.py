"""What the shipped code asks of the translations, read from its syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

from .repository import code_nodes, sources

# What helpers of Home Assistant end a flow with.
ABORTS = {
    "_abort_if_unique_id_configured": "already_configured",
    "_abort_if_unique_id_mismatch": "unique_id_mismatch",
}
SECTIONS = {
    "SelectSelectorConfig": "selector",
    "DeviceInfo": "device",
    "async_create_issue": "issues",
}
"""Where the text of a translation_key stands, by what is called with it; for all others it is an exception."""


class Code:
    """What the shipped code says, and what it asks for."""

    def __init__(self, root: Path) -> None:
        trees = [tree for _, tree in sources(root)]
        self.nodes = [node for tree in trees for node in code_nodes(tree)]
        self.constants = {
            ast.unparse(target): node.value.value
            for tree in trees
            for node in tree.body
            if isinstance(node, ast.Assign | ast.AnnAssign) and isinstance(node.value, ast.Constant)
            for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        }
        names = {node.name for node in self.nodes if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        self.steps = {name.removeprefix("async_step_") for name in names if name.startswith("async_step_")}
        self.strings = {text for node in self.nodes for text in self.texts(node)}

    def texts(self, node: ast.AST | None) -> set[str]:
        """The strings that an expression can be, as far as it can be told; of a dict the values."""
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return {text} if isinstance(text := self.constants.get(name), str) else set()
            case ast.IfExp(body=one, orelse=other):
                return self.texts(one) | self.texts(other)
            case ast.Dict(values=nodes) | ast.List(elts=nodes) | ast.Tuple(elts=nodes) | ast.Set(elts=nodes):
                return {text for value in nodes for text in self.texts(value)}
        return set()

    def flow_keys(self) -> Iterator[tuple[str, str]]:
        """Every key that some flow has to have a text for, with the part of its texts."""
        for node in self.nodes:
            match node:
                case ast.Call():
                    given = {keyword.arg: keyword.value for keyword in node.keywords}
                    yield from (("step", key) for key in self.texts(given.get("step_id")))
                    yield from (("error", key) for key in self.texts(given.get("errors")))
                    yield from (("abort", key) for key in self.texts(given.get("reason")))
                    if called(node) in ABORTS:
                        yield "abort", ABORTS[called(node)]
                case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="errors"))], value=value):
                    yield from (("error", key) for key in self.texts(value))
                case ast.Dict(keys=[ast.Name(id=name), *_]) if name.startswith("Cloud"):
                    yield from (("error", key) for key in self.texts(node))
                case ast.Raise(exc=ast.Call(args=[_, key])):
                    yield from (("error", key) for key in self.texts(key))

    def translation_keys(self) -> Iterator[tuple[str, str, set[str] | None]]:
        """Every section and key of a call with a translation_key, and the placeholders where they are told there."""
        for node in self.nodes:
            if not isinstance(node, ast.Call) or called(node).endswith("Description"):
                continue
            given = {keyword.arg: keyword.value for keyword in node.keywords}
            values = given.get("translation_placeholders")
            names = {text for key in values.keys for text in self.texts(key)} if isinstance(values, ast.Dict) else None
            for key in self.texts(given.get("translation_key")):
                yield SECTIONS.get(called(node), "exceptions"), key, names if values or None in given else set()


def called(node: ast.Call) -> str:
    """The last part of the name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
