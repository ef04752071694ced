"""What the shipped code asks of the translations, read from its syntax trees."""

import ast
from collections.abc import Iterator
from pathlib import Path

from .repository import code_nodes, sources

FLOWS = {"ConfigFlow": "config", "OptionsFlow": "options", "OptionsFlowWithReload": "options"}
# What helpers of Home Assistant abort with. Home Assistant 2026.9 has no texts of its own for them.
ABORTS = {
    "_abort_if_unique_id_configured": "already_configured",
    "_async_abort_entries_match": "already_configured",
    "_abort_if_unique_id_mismatch": "unique_id_mismatch",
    "async_create_entry": "already_configured",  # only of a subentry, and only with a unique id
    "async_set_unique_id": "already_in_progress",  # unless it is told that other flows do not matter
}
RELOADS = ("async_update_and_abort", "async_update_reload_and_abort")


def called(node: ast.Call) -> str:
    """The last part of the name of what is called."""
    return node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")


def keywords(node: ast.Call) -> dict[str | None, ast.expr]:
    return {keyword.arg: keyword.value for keyword in node.keywords}


class Code:
    """What the shipped code asks of the translations."""

    def __init__(self, root: Path) -> None:
        self.trees = dict(sources(root))
        top = [node for tree in self.trees.values() for node in tree.body]
        self.classes = {node.name: node for node in top if isinstance(node, ast.ClassDef)}
        self.functions = {node.name: node for node in top if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)}
        self.constants: dict[str, str] = {}
        for node in top:
            match node:
                case (
                    ast.Assign(targets=[ast.Name(id=name)], value=ast.Constant(value=str(text)))
                    | ast.AnnAssign(target=ast.Name(id=name), value=ast.Constant(value=str(text)))
                ):
                    self.constants[name] = text
        self.nodes = [node for tree in self.trees.values() for node in code_nodes(tree)]
        self.strings = {text for node in self.nodes for text in self.texts(node)}
        self.flows = {
            FLOWS[kind]: node for node in self.classes.values() for kind in self.ancestry(node) if kind in FLOWS
        }
        for node in self.nodes:
            if isinstance(node, ast.FunctionDef) and node.name == "async_get_supported_subentry_types":
                self.flows |= {
                    f"config_subentries.{kind}": self.classes[ast.unparse(flow)]
                    for types in ast.walk(node)
                    if isinstance(types, ast.Dict)
                    for key, flow in zip(types.keys, types.values, strict=True)
                    for kind in self.texts(key)
                }

    def texts(self, node: ast.AST | None) -> set[str]:
        """The strings that an expression can be, as far as it can be told; of a dict the values."""
        match node:
            case ast.Constant(value=str(text)):
                return {text}
            case ast.Name(id=name) | ast.Attribute(attr=name):
                return {self.constants[name]} if name in self.constants else set()
            case ast.IfExp(body=one, orelse=other):
                return self.texts(one) | self.texts(other)
            case ast.Dict(values=nodes) | ast.List(elts=nodes) | ast.Tuple(elts=nodes) | ast.Set(elts=nodes):
                return {text for value in nodes for text in self.texts(value)}
        return set()

    def ancestry(self, node: ast.ClassDef) -> Iterator[str]:
        for base in node.bases:
            name = ast.unparse(base).split("[")[0].rpartition(".")[2]
            yield name
            if name in self.classes:
                yield from self.ancestry(self.classes[name])

    def reach(self, flow: ast.ClassDef) -> list[ast.AST]:
        """The nodes of a flow, its bases, and the functions and classes that they name; of no other flow."""
        found: dict[str, ast.AST] = {}
        todo = [flow.name, *self.ancestry(flow)]
        others = {node.name for node in self.flows.values()} - set(todo)
        while todo:
            name = todo.pop()
            node = self.classes.get(name) or self.functions.get(name)
            if node and name not in found and name not in others:
                found[name] = node
                todo += [inner.id for inner in ast.walk(node) if isinstance(inner, ast.Name)]
        return [inner for node in found.values() for inner in ast.walk(node)]


class Flow:
    """What one flow asks of its part of the translations."""

    def __init__(self, code: Code, flow: ast.ClassDef) -> None:
        self.code = code
        self.step: set[str] = set()
        self.error: set[str] = set()
        self.abort: set[str] = set()
        self.menu_options: set[tuple[str, str]] = set()
        nodes = code.reach(flow)
        self.strings = {text for node in nodes for text in code.texts(node)}
        names = {node.name for node in nodes if isinstance(node, ast.AsyncFunctionDef)}
        self.methods = {name.removeprefix("async_step_") for name in names if name.startswith("async_step_")}
        carriers = {node.name: node for node in nodes if isinstance(node, ast.ClassDef)}
        for node in nodes:
            match node:
                case ast.Call():
                    self._add_call(called(node), keywords(node), node.args)
                    if carrier := carriers.get(called(node)):
                        self.error |= code.texts(carried_key(carrier, node))
                case (
                    ast.Assign(
                        targets=[ast.Subscript(value=ast.Name(id="errors")) | ast.Name(id="errors")], value=value
                    )
                    | ast.AnnAssign(target=ast.Name(id="errors"), value=value)
                ):
                    self.error |= code.texts(value)

    def _add_call(self, name: str, given: dict[str | None, ast.expr], arguments: list[ast.expr]) -> None:
        texts = self.code.texts
        if name == "async_abort" or (name in (*ABORTS, *RELOADS) and "reason" in given):
            self.abort |= texts(given.get("reason"))
        elif name == "AbortFlow":
            self.abort |= texts(given.get("reason", *arguments[:1]))
        elif name in ABORTS and can_abort(name, given):
            self.abort.add(ABORTS[name])
        elif name in RELOADS:
            self.abort |= {f"{kind}_successful" for kind in ("reauth", "reconfigure") if kind in self.methods}
        elif name in ("async_show_form", "async_show_menu"):
            # Where a variable says which step it is, every step that the flow names may be meant.
            steps = texts(given.get("step_id")) or self.methods & self.strings
            self.step |= steps
            self.error |= texts(given.get("errors"))
            # The form of a menu that is a dict brings its own labels.
            if not isinstance(options := given.get("menu_options"), ast.Dict):
                self.menu_options |= {(step, option) for step in steps for option in texts(options)}


def can_abort(name: str, given: dict[str | None, ast.expr]) -> bool:
    """Whether this call of what is in `ABORTS` can end the flow."""
    if name == "async_create_entry":
        return "unique_id" in given
    return ast.unparse(given.get("raise_on_progress", ast.Constant(value=True))) != "False"


def carried_key(carrier: ast.ClassDef, call: ast.Call) -> ast.expr | None:
    """What an exception of our own is given as `key`, the key of an error."""
    for method in carrier.body:
        if isinstance(method, ast.FunctionDef) and method.name == "__init__":
            names = [argument.arg for argument in method.args.args[1:]]
            return (dict(zip(names, call.args, strict=False)) | keywords(call)).get("key")
    return None


def literal_keys(code: Code, node: ast.expr) -> set[str] | None:
    """The keys of a literal dict, else None."""
    if not isinstance(node, ast.Dict) or None in node.keys:
        return None
    return {text for key in node.keys for text in code.texts(key)}
