"""Every text that the code asks for exists, no text is left over, and all languages say the same."""

import ast
from collections.abc import Callable, Iterator
import json
from pathlib import Path, PurePath
import re
from typing import Any

from homeassistant.components.sensor import SensorEntityDescription
import pytest

from .asked import Code, Flow, called, keywords, literal_keys
from .repository import ROOT, Descriptions, descriptions, read_json, shipped

type Tree = dict[str, Any]

KEY = re.compile(r"(?!.+[_-]{2})(?![_-])[a-z0-9_-]+(?<![_-])")
PLACEHOLDER = re.compile(r"\{(\w+)\}")
FAULTS = {
    "has HTML": re.compile(r"</?[a-zA-Z][^>]*>"),
    "begins or ends with a space": re.compile(r"\A\s|\s\Z"),
    "has a placeholder in single quotes": re.compile(r"'\{\w+\}'"),
    "refers to another key, which only core can": re.compile(r"\[%key:"),
    "is empty": re.compile(r"\A\Z"),
}


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in tree.items():
        if isinstance(value, dict) and value:
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def at(tree: Tree, path: str) -> Tree:
    for key in path.split("."):
        tree = tree.get(key, {})
    return tree


def placeholders(text: str) -> set[str]:
    return set(PLACEHOLDER.findall(text))


def faulty_texts(texts: Tree) -> list[str]:
    problems = []
    for path, text in leaves(texts):
        problems += [f"{path}: {key!r} is no key" for key in path.split(".") if not KEY.fullmatch(key)]
        if not isinstance(text, str):
            problems.append(f"{path} is no text")
            continue
        problems += [f"{path} {fault}" for fault, pattern in FAULTS.items() if pattern.search(text)]
    for path in {path.rpartition(".data.")[0] for path, _ in leaves(texts) if ".data." in path}:
        described, fields = at(texts, path).get("data_description", {}), at(texts, path)["data"]
        problems += [f"{path}: {field} has no description" for field in fields.keys() - described.keys()]
    for path, _ in leaves(texts):
        step, found, field = path.rpartition(".data_description.")
        if found and field not in at(texts, step).get("data", {}):
            problems.append(f"{step}: {field} is described and no field")
    problems += [
        f"issues.{key} needs title and description"
        for key, issue in texts.get("issues", {}).items()
        if "title" not in issue or not issue.keys() & {"description", "fix_flow"}
    ]
    problems += [
        f"config_subentries.{kind} needs entry_type and initiate_flow"
        for kind, flow in texts.get("config_subentries", {}).items()
        if "entry_type" not in flow or "user" not in flow.get("initiate_flow", {})
    ]
    return problems


def differences(english: Tree, other: Tree) -> list[str]:
    ours, theirs = dict(leaves(english)), dict(leaves(other))
    problems = [f"{path} stands in one language only" for path in sorted(ours.keys() ^ theirs.keys())]
    problems += [
        f"{path} has other placeholders"
        for path in ours.keys() & theirs.keys()
        if placeholders(str(ours[path])) != placeholders(str(theirs[path]))
    ]
    return problems


def flow_problems(code: Code, texts: Tree) -> list[str]:
    problems = [
        f"{where} belongs to no flow"
        for where in (
            "config",
            "options",
            *(f"config_subentries.{kind}" for kind in texts.get("config_subentries", {})),
        )
        if at(texts, where) and where not in code.flows
    ]
    for where, node in code.flows.items():
        flow = Flow(code, node)
        present = at(texts, where)
        for kind, asked, known in (
            ("step", flow.step, flow.methods),
            ("error", flow.error, flow.strings),
            ("abort", flow.abort, flow.strings),
        ):
            here = present.get(kind, {}).keys()
            problems += [f"{where}.{kind}.{key} is missing" for key in asked - here]
            problems += [f"{where}.{kind}.{key} is left over" for key in here - asked - known]
        options = {
            (step, option)
            for step, parts in present.get("step", {}).items()
            for option in parts.get("menu_options", {})
        }
        problems += [f"{where}: option {option} of {step} has no text" for step, option in flow.menu_options - options]
        problems += [f"{where}: option {option} of {step} is left over" for step, option in options - flow.menu_options]
        problems += [f"{where}: {option} has no step" for _, option in flow.menu_options if option not in flow.methods]
    return problems


def section(name: str) -> str | None:
    """Where the text of a translation_key stands, by what is called with it; of entities the modules tell."""
    if name.endswith("Description") or name == "replace":
        return None
    if name.endswith("SelectorConfig"):
        return "selector"
    return {"DeviceInfo": "device", "ChildDeviceInfo": "device", "async_create_issue": "issues", "tell": "issues"}.get(
        name, "exceptions"
    )


def keyed_problems(code: Code, texts: Tree) -> list[str]:
    """Exceptions, issues, selectors and device names."""
    problems = []
    asked: set[tuple[str, str]] = set()
    for node in code.nodes:
        if not isinstance(node, ast.Call) or not (where := section(called(node))):
            continue
        given = keywords(node)
        for key in code.texts(given.get("translation_key")):
            asked.add((where, key))
            if not (present := texts.get(where, {}).get(key)):
                problems.append(f"{where}.{key} is missing")
                continue
            values = given.get("translation_placeholders")
            names = literal_keys(code, values) if values else set()
            text = " ".join(str(text) for _, text in leaves(present))
            if None not in given and names is not None and names != placeholders(text):
                problems.append(f"{where}.{key} has other placeholders than the code")
            if (options := code.texts(given.get("options"))) and options != present["options"].keys():
                problems.append(f"{where}.{key} has other options than the code")
    problems += [
        f"{where}.{key} is left over"
        for where in ("exceptions", "issues", "selector", "device")
        for key in texts.get(where, {})
        if (where, key) not in asked and key not in code.strings
    ]
    return problems


def entity_problems(code: Code, described: Descriptions, texts: Tree) -> list[str]:
    problems = []
    present = texts.get("entity", {})
    for platform, ours in described.items():
        theirs = present.get(platform, {})
        named = {
            text
            for node in ast.walk(code.trees.get(PurePath(f"{platform}.py"), ast.Module()))
            if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]).endswith("_attr_translation_key")
            for text in code.texts(node.value)
        }
        problems += [
            f"entity.{platform}.{key}.name is missing"
            for key in ours.keys() | named
            if "name" not in theirs.get(key, {})
        ]
        problems += [f"entity.{platform}.{key} is left over" for key in theirs.keys() - ours.keys() - named]
        for key in ours.keys() & theirs.keys():
            states = theirs[key].get("state", {}).keys()
            options = getattr(ours[key], "options", None)
            if options is not None and set(options) != states:
                problems.append(f"entity.{platform}.{key} has other states than the description has options")
    return problems + [f"entity.{platform} is no platform here" for platform in present.keys() - described.keys()]


LANGUAGES = sorted((shipped(ROOT) / "translations").glob("*.json"))
ENGLISH = shipped(ROOT) / "translations" / "en.json"


def test_languages() -> None:
    assert {path.stem for path in LANGUAGES} >= {"en", "de"}


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_texts(path: Path) -> None:
    texts = read_json(path)
    assert faulty_texts(texts) == []
    assert differences(read_json(ENGLISH), texts) == []


@pytest.mark.parametrize("problems", [flow_problems, keyed_problems])
def test_code_and_texts(problems: Callable[[Code, Tree], list[str]]) -> None:
    assert problems(Code(ROOT), read_json(ENGLISH)) == []


def test_entities_and_texts() -> None:
    assert entity_problems(Code(ROOT), descriptions(), read_json(ENGLISH)) == []


SAMPLE = """
CONF_SERIAL = "serial"
SAMPLE: Final = "sample"

class InputError(Exception):
    def __init__(self, field, key): ...

def check(errors):
    raise InputError("base", "bad_serial")

async def attempt(errors):
    errors["base"] = "cannot_connect"

class SampleFlow(ConfigFlow, domain="sample"):
    def async_get_supported_subentry_types(cls, entry):
        return {SAMPLE: PartFlow}

    async def async_step_user(self, user_input=None):
        return self.async_show_menu(step_id="user", menu_options=["account"])

    async def async_step_account(self, user_input=None):
        attempt({})
        self._abort_if_unique_id_configured()
        return self.async_show_form(step_id="account", errors={"base": "unknown"})

    async def async_step_reauth(self, data):
        return self.change("reauth_confirm")

    async def async_step_reauth_confirm(self, user_input=None):
        return self.change("reauth_confirm")

    def change(self, step):
        if self.done:
            return self.async_abort(reason="reauth_successful" if self.good else "gone")
        return self.async_show_form(step_id=step, errors={})

class PartFlow(ConfigSubentryFlow):
    async def async_step_user(self, user_input=None):
        check({})
        return self.async_show_form(step_id="user")

SELECT = SelectSelectorConfig(options=["here", "there"], translation_key="region")

def read():
    raise UpdateFailed(translation_domain="x", translation_key="unavailable", translation_placeholders={"reason": "y"})
"""
FIELD = {"data": {"serial": "Serial"}, "data_description": {"serial": "On the label."}}
SAMPLE_TEXTS: Tree = {
    "config": {
        "step": {"user": {"menu_options": {"account": "Account"}}, "account": FIELD, "reauth_confirm": FIELD},
        "error": {"cannot_connect": "No connection", "unknown": "Unknown"},
        "abort": {"already_configured": "There", "reauth_successful": "Done", "gone": "Gone"},
    },
    "config_subentries": {
        "sample": {
            "entry_type": "Device",
            "initiate_flow": {"user": "Add"},
            "step": {"user": FIELD},
            "error": {"bad_serial": "Bad"},
        }
    },
    "selector": {"region": {"options": {"here": "Here", "there": "There"}}},
    "exceptions": {"unavailable": {"message": "Not available: {reason}"}},
    "entity": {"sensor": {"mode": {"name": "Mode", "state": {"slow": "Slow", "fast": "Fast"}}}},
}
SAMPLE_DESCRIPTIONS = {"sensor": {"mode": SensorEntityDescription(key="mode", options=["slow", "fast"])}}


def sample_problems(root: Path, source: str, texts: Tree) -> list[str]:
    shipped(root).mkdir(parents=True)
    (shipped(root) / "config_flow.py").write_text(source)
    code = Code(root)
    return [
        *faulty_texts(texts),
        *flow_problems(code, texts),
        *keyed_problems(code, texts),
        *entity_problems(code, SAMPLE_DESCRIPTIONS, texts),
    ]


def changed(texts: Tree, path: str, value: Any) -> Tree:
    """A copy with another value at one place, or without it."""
    copy = json.loads(json.dumps(texts))
    *parents, last = path.split(".")
    inner = copy
    for key in parents:
        inner = inner.setdefault(key, {})
    inner[last] = value
    if value is None:
        del inner[last]
    return copy


def test_good_sample_passes(tmp_path: Path) -> None:
    assert sample_problems(tmp_path, SAMPLE, SAMPLE_TEXTS) == []
    quiet = SAMPLE.replace("attempt({})", "self.async_set_unique_id('x', raise_on_progress=False)\n        attempt({})")
    assert sample_problems(tmp_path / "quiet", quiet, SAMPLE_TEXTS) == []


@pytest.mark.parametrize("path", [path for path, _ in leaves(SAMPLE_TEXTS)])
def test_missing_text_is_noticed(path: str, tmp_path: Path) -> None:
    assert sample_problems(tmp_path, SAMPLE, changed(SAMPLE_TEXTS, path, None))
    assert differences(SAMPLE_TEXTS, changed(SAMPLE_TEXTS, path, None))


@pytest.mark.parametrize(
    ("path", "text"),
    [
        ("config.step.unused.title", "x"),
        ("config.step.user.menu_options.other", "x"),
        ("config.error.unused", "x"),
        ("config.error.bad_serial", "x"),
        ("config.abort.unused", "x"),
        ("config_subentries.unused", {"entry_type": "x", "initiate_flow": {"user": "x"}}),
        ("config_subentries.sample.error.unused", "x"),
        ("options.step.init.title", "x"),
        ("selector.unused.options.x", "x"),
        ("selector.region.options.elsewhere", "x"),
        ("exceptions.unused.message", "x"),
        ("exceptions.unavailable.message", "Not available"),
        ("exceptions.unavailable.message", "Not available: {reason} {code}"),
        ("issues.unused", {"title": "x", "description": "x"}),
        ("issues.sample", {"title": "x"}),
        ("entity.sensor.unused.name", "x"),
        ("entity.sensor.mode.state.still", "x"),
        ("entity.light.mode.name", "x"),
        ("config.error.unknown", "<b>Unknown</b>"),
        ("config.error.unknown", "Unknown "),
        ("config.error.unknown", "Unknown: '{error}'"),
        ("config.error.unknown", "[%key:common::config_flow::error::unknown%]"),
        ("config.error.unknown", ""),
        ("config.step.account.data_description.other", "x"),
        ("config.step.account.data.other", "x"),
        ("title", 1),
    ],
)
def test_wrong_text_is_noticed(path: str, text: Any, tmp_path: Path) -> None:
    assert sample_problems(tmp_path, SAMPLE, changed(SAMPLE_TEXTS, path, text))


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ('menu_options=["account"]', 'menu_options=["account", "reauth_confirm"]'),
        ('menu_options=["account"]', "menu_options=[]"),
        ("async_step_account", "async_step_other"),
        ('step_id="account"', 'step_id="reauth"'),
        ('self.change("reauth_confirm")', 'self.change("reauth")'),
        ('"cannot_connect"', '"unreachable"'),
        ('{"base": "unknown"}', '{"base": "unknown", "serial": CONF_SERIAL}'),
        ('"bad_serial"', '"unknown"'),
        ("check({})", "pass"),
        ('else "gone"', 'else "lost"'),
        ("self._abort_if_unique_id_configured()", "self._abort_if_unique_id_mismatch()"),
        ("self._abort_if_unique_id_configured()", "self._abort_if_unique_id_configured(self.async_set_unique_id('x'))"),
        ('SAMPLE: Final = "sample"', 'SAMPLE: Final = "part"'),
        ('translation_key="region"', 'translation_key="zone"'),
        ('["here", "there"]', '["here"]'),
        ('translation_key="unavailable"', 'translation_key="rejected"'),
        ('{"reason": "y"}', '{"code": "y"}'),
        (', translation_placeholders={"reason": "y"}', ""),
        ("def read()", 'DeviceInfo(translation_key="module")\n\ndef read()'),
        ("def read()", 'async_create_issue(translation_key="no_devices")\n\ndef read()'),
    ],
)
def test_changed_code_is_noticed(old: str, new: str, tmp_path: Path) -> None:
    assert old in SAMPLE
    assert sample_problems(tmp_path, SAMPLE.replace(old, new), SAMPLE_TEXTS)


@pytest.mark.parametrize("key", ["Capital", "two__lines", "-dash", "dash-", "space between"])
def test_wrong_key_is_noticed(key: str) -> None:
    assert len(faulty_texts({"title": {key: "x"}})) == 1


def test_other_placeholder_is_noticed() -> None:
    other = changed(SAMPLE_TEXTS, "exceptions.unavailable.message", "Nicht da: {grund}")
    assert differences(SAMPLE_TEXTS, other) == ["exceptions.unavailable.message has other placeholders"]
