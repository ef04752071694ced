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


def broken_rules(rules: dict[str, Any], tier: str | None = None) -> list[str]:
    """What is missing or without a reason, and what is still to do for the tier that the manifest claims."""
    problems = [f"{rule} stands in one list only" for rule in rules.keys() ^ set(RULES)]
    for rule, entry in rules.items():
        if status(entry) not in ("done", "exempt", "todo"):
            problems.append(f"{rule} has no known status")
        elif status(entry) != "done" and not (isinstance(entry, dict) and str(entry.get("comment") or "").strip()):
            problems.append(f"{rule} says no reason")
    claimed = list(TIERS)[: list(TIERS).index(tier) + 1] if tier in TIERS else []
    due = [rule for level in claimed for rule in TIERS[level] if status(rules.get(rule)) == "todo"]
    return problems + [f"{rule} is to do" for rule in due]


def test_quality_scale() -> None:
    scale = yaml.safe_load((shipped(ROOT) / "quality_scale.yaml").read_text(encoding="utf-8"))
    assert broken_rules(scale["rules"], read_json(shipped(ROOT) / "manifest.json").get("quality_scale")) == []
    assert len(RULES) == 54


@pytest.mark.parametrize(
    "change",
    [
        {"brand": "done"},
        {"brands": "almost"},
        {"brands": "todo"},
        {"brands": {"status": "exempt"}},
        {"brands": {"status": "todo", "comment": " "}},
        {"brands": {"status": "todo", "comment": "Not drawn yet."}},
    ],
)
def test_rule_notices(change: dict[str, Any]) -> None:
    good = dict.fromkeys(RULES, "done") | {"discovery": {"status": "exempt", "comment": "Cloud only."}}
    assert broken_rules(good, "gold") == []
    assert len(broken_rules(good | change, "gold")) in (1, 2)
