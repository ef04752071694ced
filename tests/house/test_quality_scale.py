"""The integration's own account of Home Assistant's quality scale is complete, and its claim is covered."""

from typing import Any

import pytest
import yaml

from .repository import ROOT, read_json, shipped

RULES_OF_TIER = {
    "bronze": """
        action-setup appropriate-polling brands common-modules config-flow config-flow-test-coverage
        dependency-transparency docs-actions docs-conditions docs-high-level-description docs-installation-instructions
        docs-removal-instructions docs-triggers entity-event-setup entity-unique-id has-entity-name runtime-data
        test-before-configure test-before-setup unique-config-entry
    """,
    "silver": """
        action-exceptions config-entry-unloading docs-configuration-parameters docs-installation-parameters
        entity-unavailable integration-owner log-when-unavailable parallel-updates reauthentication-flow test-coverage
    """,
    "gold": """
        devices diagnostics discovery discovery-update-info docs-data-update docs-examples docs-known-limitations
        docs-supported-devices docs-supported-functions docs-troubleshooting docs-use-cases dynamic-devices
        entity-category entity-device-class entity-disabled-by-default entity-translations exception-translations
        icon-translations reconfiguration-flow repair-issues stale-devices
    """,
    "platinum": "async-dependency inject-websession strict-typing",
}
TIERS = {tier: rules.split() for tier, rules in RULES_OF_TIER.items()}
RULES = [rule for rules in TIERS.values() for rule in rules]


def status(entry: Any) -> str:
    return entry.get("status", "") if isinstance(entry, dict) else str(entry)


def broken_rules(rules: dict[str, Any]) -> list[str]:
    problems = [f"{rule} is missing" for rule in RULES if rule not in rules]
    for rule, entry in rules.items():
        if rule not in RULES:
            problems.append(f"{rule} is no rule")
        if status(entry) not in ("done", "exempt", "todo"):
            problems.append(f"{rule} has no known status")
        elif status(entry) != "done" and not (isinstance(entry, dict) and str(entry.get("comment") or "").strip()):
            problems.append(f"{rule} says no reason")
        if isinstance(entry, dict) and entry.keys() - {"status", "comment"}:
            problems.append(f"{rule} says more than status and comment")
    return problems


def uncovered(tier: str | None, rules: dict[str, Any]) -> list[str]:
    """What is still to do for the tier that the manifest claims."""
    if tier not in TIERS:
        return []
    claimed = list(TIERS)[: list(TIERS).index(tier) + 1]
    return [rule for level in claimed for rule in TIERS[level] if status(rules.get(rule)) == "todo"]


def test_quality_scale() -> None:
    scale = yaml.safe_load((shipped(ROOT) / "quality_scale.yaml").read_text(encoding="utf-8"))
    assert list(scale) == ["rules"]
    assert broken_rules(scale["rules"]) == []
    assert uncovered(read_json(shipped(ROOT) / "manifest.json").get("quality_scale"), scale["rules"]) == []


def test_number_of_rules() -> None:
    assert len(set(RULES)) == len(RULES) == 54


@pytest.mark.parametrize(
    "change",
    [
        {"brand": "done"},
        {"brands": "almost"},
        {"brands": "todo"},
        {"brands": {"status": "exempt"}},
        {"brands": {"status": "todo", "comment": " "}},
        {"brands": {"status": "done", "reason": "x"}},
        {"brands": None},
    ],
)
def test_rule_notices(change: dict[str, Any]) -> None:
    good = dict.fromkeys(RULES, "done") | {"discovery": {"status": "exempt", "comment": "Cloud only."}}
    assert broken_rules(good) == []
    assert len(broken_rules(good | change)) == 1
    assert len(broken_rules({rule: good[rule] for rule in RULES[1:]})) == 1


def test_claim_notices() -> None:
    rules = dict.fromkeys(RULES, "done") | {"devices": {"status": "todo", "comment": "x"}}
    assert [uncovered(tier, rules) for tier in (None, "custom", "silver", "gold", "platinum")] == [
        [],
        [],
        [],
        ["devices"],
        ["devices"],
    ]
