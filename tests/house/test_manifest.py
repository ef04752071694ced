"""What the product promises of its manifest and pictures; their form is checked by hassfest and HACS."""

from pathlib import Path
import struct

import homeassistant
import pytest

from .repository import DOMAIN, ROOT, read_json, shipped

BRAND = {  # shortest side, and for icons the only one
    "icon.png": (256, 256),
    "icon@2x.png": (512, 512),
    "logo.png": (128, 256),
    "logo@2x.png": (256, 512),
}


def test_manifest() -> None:
    manifest = read_json(shipped(ROOT) / "manifest.json")
    promised = {"domain": DOMAIN, "integration_type": "hub", "iot_class": "cloud_polling", "requirements": []}
    assert manifest.items() >= promised.items()
    assert manifest["config_flow"] is (shipped(ROOT) / "config_flow.py").is_file()


def test_domain_is_no_core_integration() -> None:
    assert not (Path(homeassistant.__file__).parent / "components" / DOMAIN).exists()


def test_release() -> None:
    """HACS downloads one file, which the release workflow makes under this name."""
    hacs = read_json(ROOT / "hacs.json")
    assert hacs["zip_release"] is True
    assert hacs["filename"] in (ROOT / ".github" / "workflows" / "release.yml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", [prefix + name for name in BRAND for prefix in ("", "dark_")])
def test_brand(name: str) -> None:
    header = (shipped(ROOT) / "brand" / name).read_bytes()[:26]
    assert header[:8] == b"\x89PNG\r\n\x1a\n"
    width, height, _, colour_type = struct.unpack(">IIBB", header[16:])
    least, most = BRAND[name.removeprefix("dark_")]
    assert least <= min(width, height) <= most
    assert "icon" not in name or width == height
    assert colour_type == 6, "no transparency"
