"""Every text that the code asks for exists, no text is left over, and all languages say the same."""

from collections.abc import Container, Iterable, Iterator
import json
from pathlib import Path
import re
from typing import Any

from homeassistant.components.sensor import SensorEntityDescription
import pytest

from .asked import Code
from .repository import ROOT, Descriptions, descriptions, read_json, shipped

type Tree = dict[str, Any]

ENGLISH_PLURALS = ("one", "other")
PLURALS = {"pl": ("one", "few", "many", "other"), "uk": ("one", "few", "many", "other"), "zh-Hans": ("other",)}


def leaves(tree: Tree, path: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{path}{key}.")
        else:
            yield f"{path}{key}", value


def placeholders(*texts: str) -> set[str]:
    return {name for text in texts for name in re.findall(r"\{(\w+)\}", text)}


def expected(english: Tree, language: str) -> dict[str, str]:
    """What a language must say: the English texts, those that differ by a number in the language's own plural forms."""
    texts = dict(leaves(english))
    counted = [path.removesuffix("_other") for path in texts if path.startswith("common.") and path.endswith("_other")]
    for stem in counted:
        del texts[f"{stem}_one"]
        texts |= dict.fromkeys(
            (f"{stem}_{form}" for form in PLURALS.get(language, ENGLISH_PLURALS)), texts[f"{stem}_other"]
        )
    return texts


def differences(english: Tree, other: Tree, language: str) -> list[str]:
    ours, theirs = expected(english, language), dict(leaves(other))
    problems = [f"{path} stands in one language only" for path in sorted(ours.keys() ^ theirs.keys())]
    problems += [f"{path} is empty" for path, text in theirs.items() if not text.strip()]
    problems += [f"{path}: an apostrophe quotes a placeholder" for path, text in theirs.items() if "'{" in text]
    problems += [
        f"{path} has other placeholders"
        for path in ours.keys() & theirs.keys()
        if placeholders(ours[path]) != placeholders(theirs[path])
    ]
    return problems


def left_over(where: str, keys: Iterable[str], known: Container[str]) -> list[str]:
    return [f"{where}.{key} is left over" for key in keys if key not in known]


def flow_problems(code: Code, texts: Tree) -> list[str]:
    flows = {"config": texts.get("config", {}), "options": texts.get("options", {})}
    flows |= {f"config_subentries.{kind}": flow for kind, flow in texts.get("config_subentries", {}).items()}
    made_up = {f"{kind}_successful" for kind in ("reauth", "reconfigure") if kind in code.steps}
    known = {"step": code.steps, "error": code.strings, "abort": code.strings | made_up | {"already_configured"}}
    present = {(part, key) for flow in flows.values() for part in known for key in flow.get(part, ())}
    problems = [f"{part}.{key} is missing in every flow" for part, key in set(code.flow_keys()) - present]
    for where, flow in flows.items():
        for part, keys in known.items():
            problems += left_over(f"{where}.{part}", flow.get(part, ()), keys)
        for name, step in flow.get("step", {}).items():
            problems += left_over(f"{where}.{name}.data", step.get("data", ()), code.strings)
            problems += left_over(f"{where}.{name}.menu_options", step.get("menu_options", ()), code.steps)
            described = step.get("data_description", {}).keys()
            problems += [
                f"{where}.{name}: {field} has no description" for field in step.get("data", {}).keys() - described
            ]
    return problems


def keyed_problems(code: Code, texts: Tree) -> list[str]:
    """Exceptions, issues, selectors and device names."""
    problems = []
    for where, key, names in code.translation_keys():
        present = texts.get(where, {}).get(key)
        if not present:
            problems.append(f"{where}.{key} is missing")
        elif names is not None and names != placeholders(*(text for _, text in leaves(present))):
            problems.append(f"{where}.{key} has other placeholders than the code")
    for where in ("exceptions", "issues", "selector", "device"):
        problems += left_over(where, texts.get(where, ()), code.strings)
    return problems


def entity_problems(described: Descriptions, texts: Tree) -> list[str]:
    problems = left_over("entity", texts.get("entity", ()), described)
    for platform, ours in described.items():
        theirs = texts.get("entity", {}).get(platform, {})
        problems += left_over(f"entity.{platform}", theirs, ours)
        for key, description in ours.items():
            options = getattr(description, "options", None)
            if "name" not in theirs.get(key, {}):
                problems.append(f"entity.{platform}.{key} has no name")
            elif options and set(options) != theirs[key].get("state", {}).keys():
                problems.append(f"entity.{platform}.{key} has other states than its description")
    return problems


LANGUAGES = sorted((shipped(ROOT) / "translations").glob("*.json"))
ENGLISH = read_json(shipped(ROOT) / "translations" / "en.json")


@pytest.mark.parametrize("path", LANGUAGES, ids=lambda path: path.stem)
def test_languages_say_the_same(path: Path) -> None:
    assert differences(ENGLISH, read_json(path), path.stem) == []


def test_all_languages_are_there() -> None:
    languages = {"de", "en", "es", "fr", "it", "nl", "pl", "pt", "pt-BR", "uk", "zh-Hans"}
    assert {path.stem for path in LANGUAGES} >= languages


def test_code_and_texts() -> None:
    code = Code(ROOT)
    assert flow_problems(code, ENGLISH) + keyed_problems(code, ENGLISH) + entity_problems(descriptions(), ENGLISH) == []


SAMPLE = """
CONF_SERIAL = "serial"
ERRORS = {CloudRejected: "invalid_auth"}

class SampleFlow(ConfigFlow, domain="sample"):
    async def async_step_user(self, user_input=None):
        return self.async_show_menu(step_id="user", menu_options=["account"])

    async def async_step_account(self, user_input=None):
        errors["base"] = "cannot_connect" if user_input else "unknown"
        if self.done:
            return self.async_abort(reason="gone")
        raise InputError(CONF_SERIAL, "bad_serial")

SELECT = SelectSelectorConfig(options=["here"], translation_key="region")

def read():
    raise UpdateFailed(translation_domain="x", translation_key="unavailable", translation_placeholders={"reason": "y"})
"""
SAMPLE_TEXTS: Tree = {
    "config": {
        "step": {
            "user": {"menu_options": {"account": "Account"}},
            "account": {"data": {"serial": "Serial"}, "data_description": {"serial": "On the label."}},
        },
        "error": dict.fromkeys(("cannot_connect", "unknown", "bad_serial", "invalid_auth"), "No"),
        "abort": {"gone": "Gone"},
    },
    "selector": {"region": {"options": {"here": "Here"}}},
    "exceptions": {"unavailable": {"message": "Not available: {reason}"}},
    "entity": {"sensor": {"mode": {"name": "Mode", "state": {"slow": "Slow", "fast": "Fast"}}}},
}
DESCRIBED: Descriptions = {"sensor": {"mode": SensorEntityDescription(key="mode", options=["slow", "fast"])}}


def sample_problems(root: Path, texts: Tree) -> list[str]:
    shipped(root).mkdir(parents=True)
    (shipped(root) / "config_flow.py").write_text(SAMPLE)
    code = Code(root)
    return flow_problems(code, texts) + keyed_problems(code, texts) + entity_problems(DESCRIBED, texts)


def changed(path: str, value: Any) -> Tree:
    """The sample's texts with another value at one place, or without it."""
    copy = inner = json.loads(json.dumps(SAMPLE_TEXTS))
    *parents, last = path.split(".")
    for key in parents:
        inner = inner.setdefault(key, {})
    inner[last] = value
    if value is None:
        del inner[last]
    return copy


def test_good_sample_passes(tmp_path: Path) -> None:
    assert sample_problems(tmp_path, SAMPLE_TEXTS) == []


@pytest.mark.parametrize(
    ("path", "text"),
    [
        *((f"config.error.{key}", None) for key in SAMPLE_TEXTS["config"]["error"]),
        ("config.abort.gone", None),
        ("config.step.user", None),
        ("config.step.account.data_description.serial", None),
        ("selector.region", None),
        ("exceptions.unavailable", None),
        ("entity.sensor.mode.name", None),
        ("entity.sensor.mode.state.slow", None),
        *((f"config.{part}.unused", "x") for part in ("error", "abort")),
        ("config.step.unused.title", "x"),
        ("config.step.user.menu_options.other", "x"),
        ("config.step.account.data.other", "x"),
        ("config_subentries.sample.error.unused", "x"),
        ("options.step.init.title", "x"),
        *((f"{section}.unused.title", "x") for section in ("selector", "exceptions", "issues", "device")),
        ("exceptions.unavailable.message", "Not available: {reason} {code}"),
        ("entity.sensor.unused.name", "x"),
        ("entity.sensor.mode.state.still", "x"),
        ("entity.light.mode.name", "x"),
    ],
)
def test_missing_and_wrong_texts_are_noticed(path: str, text: str | None, tmp_path: Path) -> None:
    assert sample_problems(tmp_path, changed(path, text))


@pytest.mark.parametrize(
    ("text", "count"),
    [("Nicht da: {grund}", 1), ("Nicht da: {reason}", 0), ("Nicht da: '{reason}'", 1), (" ", 2), (None, 1)],
)
def test_differences_are_noticed(text: str | None, count: int) -> None:
    assert len(differences(SAMPLE_TEXTS, changed("exceptions.unavailable.message", text), "de")) == count


@pytest.mark.parametrize(
    ("language", "forms"), [("de", "one other"), ("pl", "one few many other"), ("zh-Hans", "other")]
)
def test_each_language_has_its_plural_forms(language: str, forms: str) -> None:
    english = {"common": {"notes_one": "{count} note", "notes_other": "{count} notes"}}
    texts = {f"notes_{form}": "{count}" for form in forms.split()}
    assert differences(english, {"common": texts}, language) == []
    assert differences(english, {"common": texts | {"notes_two": "{count}"}}, language)
    for key in texts:
        assert differences(english, {"common": texts | {key: "none"}}, language)
        assert differences(english, {"common": {each: texts[each] for each in texts.keys() - {key}}}, language)
