"""What needs no browser: the pure parts run in the JavaScript engine that playwright brings, and every text exists."""

import json
from pathlib import Path
import re
import subprocess

from playwright._impl._driver import compute_driver_executable
import pytest

HERE = Path(__file__).parent
SHIPPED = HERE.parents[1] / "custom_components" / "dyness_atess"
SCRIPTS = sorted((SHIPPED / "frontend").glob("*.js"))
PLURAL = re.compile(r"_(?:zero|one|two|few|many|other)$")


@pytest.mark.parametrize("path", sorted(HERE.glob("*.test.mjs")), ids=lambda path: path.stem)
def test_pure_parts(path: Path) -> None:
    node, _ = compute_driver_executable()
    run = subprocess.run([node, "--test", str(path)], check=False, capture_output=True, text=True, timeout=60)  # noqa: S603
    assert run.returncode == 0, run.stdout + run.stderr


def test_texts_exist_and_none_is_left_over() -> None:
    used = {key for path in SCRIPTS for key in re.findall(r"\bcard_\w+", path.read_text())}
    common = json.loads((SHIPPED / "translations" / "en.json").read_text())["common"]
    present = {PLURAL.sub("", key) for key in common if key.startswith("card_")}
    assert used == present
    for key in common:
        if form := PLURAL.search(key):
            assert f"{PLURAL.sub('', key)}_other" in common, f"{key} is used for {form[0]} only"
