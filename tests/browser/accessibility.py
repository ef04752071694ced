"""What axe-core finds on a part of a page."""

from importlib.resources import files
from typing import Any

from playwright.async_api import Page

AXE = (files("axe_playwright_python") / "axe.min.js").read_text()
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
GRAVE = ("serious", "critical")


async def grave_violations(page: Page, selector: str) -> list[str]:
    """Return what is serious, and what axe-core could not judge of the size of targets."""
    await page.evaluate(AXE)
    found: dict[str, Any] = await page.evaluate(
        """async ([selector, values]) => {
            const all = (root) => [...root.querySelectorAll(selector), ...[...root.querySelectorAll("*")]
                .filter((each) => each.shadowRoot).flatMap((each) => all(each.shadowRoot))];
            const found = await axe.run(all(document), { runOnly: { type: "tag", values } });
            return { violations: found.violations, incomplete: found.incomplete };
        }""",
        [selector, TAGS],
    )
    wrong = [rule for rule in found["violations"] if rule["impact"] in GRAVE]
    wrong += [rule for rule in found["incomplete"] if rule["id"] == "target-size"]
    return [f"{rule['id']}: {node['target']} {node['failureSummary']}" for rule in wrong for node in rule["nodes"]]
