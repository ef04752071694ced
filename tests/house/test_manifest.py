"""What hassfest demands of a custom integration's manifest, and HACS of its repository, as far as it shows offline."""

import json
from pathlib import Path
import struct
from typing import Any

from awesomeversion import AwesomeVersion, AwesomeVersionException, AwesomeVersionStrategy
import homeassistant
import pytest

from .repository import DOMAIN, ROOT, read_json, shipped

REQUIRED = {
    "domain",
    "name",
    "codeowners",
    "documentation",
    "integration_type",
    "iot_class",
    "issue_tracker",
    "version",
}
KNOWN = REQUIRED | {
    *(
        "after_dependencies",
        "bluetooth",
        "config_flow",
        "dependencies",
        "dhcp",
        "disabled",
        "homekit",
        "import_executor",
    ),
    *("loggers", "mqtt", "quality_scale", "requirements", "single_config_entry", "ssdp", "usb", "zeroconf"),
}
VERSIONS = [
    AwesomeVersionStrategy.CALVER,
    AwesomeVersionStrategy.SEMVER,
    AwesomeVersionStrategy.SIMPLEVER,
    AwesomeVersionStrategy.BUILDVER,
    AwesomeVersionStrategy.PEP440,
]
CHOICES = {
    "integration_type": {"device", "entity", "hardware", "helper", "hub", "service", "system"},
    "iot_class": {"assumed_state", "calculated", "cloud_polling", "cloud_push", "local_polling", "local_push"},
    "quality_scale": {"bronze", "silver", "gold", "platinum", "custom", "no_score", "internal", "legacy"},
}
NEEDS_OWNER = ("silver", "gold", "platinum")
HACS_TYPES = {
    "name": str,
    "content_in_root": bool,
    "country": (str, list),
    "filename": str,
    "hacs": str,
    "hide_default_branch": bool,
    "homeassistant": str,
    "persistent_directory": str,
    "render_readme": bool,
    "zip_release": bool,
}
BRAND = {  # shortest side, and for icons the only one
    "icon.png": (256, 256),
    "icon@2x.png": (512, 512),
    "logo.png": (128, 256),
    "logo@2x.png": (256, 512),
}


def is_version(text: Any) -> bool:
    try:
        AwesomeVersion(text, ensure_strategy=VERSIONS)
    except AwesomeVersionException:
        return False
    return isinstance(text, str)


def broken_manifest(manifest: dict[str, Any]) -> list[str]:
    problems = [f"{key} is missing" for key in sorted(REQUIRED - manifest.keys())]
    problems += [f"{key} is not known" for key in sorted(manifest.keys() - KNOWN)]
    if list(manifest) != sorted(manifest, key=lambda key: (key != "domain", key != "name", key)):
        problems.append("the order is: domain, name, then alphabetical")
    problems += [
        f"{key} has an unknown value" for key in CHOICES if key in manifest and manifest[key] not in CHOICES[key]
    ]
    problems += [
        f"{key} is no https address"
        for key in ("documentation", "issue_tracker")
        if not manifest.get(key, "").startswith("https://")
    ]
    if "home-assistant.io" in manifest.get("documentation", ""):
        problems.append("documentation of a custom integration is not on Home Assistant's site")
    if not is_version(manifest.get("version")):
        problems.append("version is none that Home Assistant accepts")
    owners = manifest.get("codeowners", [])
    if not all(owner.startswith("@") for owner in owners) or (
        manifest.get("quality_scale") in NEEDS_OWNER and not owners
    ):
        problems.append("codeowners are GitHub names with @")
    if manifest.get("requirements"):
        problems.append("requirements is empty: the integration needs nothing that Home Assistant does not bring")
    return problems


def broken_repository(root: Path) -> list[str]:
    """Rules that concern more than the manifest itself."""
    integrations = [path.parent for path in (root / "custom_components").glob("*/manifest.json")]
    if len(integrations) != 1:
        return ["exactly one integration stands below custom_components"]
    manifest = read_json(integrations[0] / "manifest.json")
    problems = []
    if manifest["domain"] != integrations[0].name:
        problems.append("the directory has the name of the domain")
    if manifest.get("config_flow", False) != (integrations[0] / "config_flow.py").is_file():
        problems.append("config_flow and config_flow.py go together")
    problems += [
        f"{name} is missing or empty"
        for name in ("README.md", "LICENSE", "hacs.json")
        if not (root / name).is_file() or not (root / name).stat().st_size
    ]
    return problems


def broken_hacs(hacs: dict[str, Any]) -> list[str]:
    problems = [f"{key} is not known" for key in hacs.keys() - HACS_TYPES.keys()]
    problems += [
        f"{key} has the wrong type"
        for key in hacs.keys() & HACS_TYPES.keys()
        if not isinstance(hacs[key], HACS_TYPES[key])
    ]
    if not hacs.get("name"):
        problems.append("name is missing")
    if not is_version(hacs.get("homeassistant")):
        problems.append("homeassistant is no version")
    if hacs.get("zip_release", False) != str(hacs.get("filename", "")).endswith(".zip"):
        problems.append("zip_release needs the name of a zip, and only it does")
    return problems


def broken_brand(brand: Path) -> list[str]:
    problems = []
    for name, (least, most) in BRAND.items():
        for file in (brand / name, brand / f"dark_{name}"):
            header = file.read_bytes()[:26] if file.is_file() else b""
            if header[:8] != b"\x89PNG\r\n\x1a\n":
                problems.append(f"{file.name} is no PNG")
                continue
            width, height, _, colour_type = struct.unpack(">IIBB", header[16:])
            if not least <= min(width, height) <= most or ("icon" in name and width != height):
                problems.append(f"{file.name} is {width} x {height}")
            if colour_type != 6:
                problems.append(f"{file.name} has no transparency")
    return problems


def test_manifest() -> None:
    assert broken_manifest(read_json(shipped(ROOT) / "manifest.json")) == []


def test_domain_is_no_core_integration() -> None:
    assert not (Path(homeassistant.__file__).parent / "components" / DOMAIN).exists()


def test_repository() -> None:
    assert broken_repository(ROOT) == []


def test_hacs() -> None:
    assert broken_hacs(read_json(ROOT / "hacs.json")) == []


def test_brand() -> None:
    assert broken_brand(shipped(ROOT) / "brand") == []


GOOD_MANIFEST = {
    "domain": "sample",
    "name": "Sample",
    "codeowners": ["@sample"],
    "config_flow": True,
    "documentation": "https://example.com/sample",
    "integration_type": "hub",
    "iot_class": "cloud_polling",
    "issue_tracker": "https://example.com/sample/issues",
    "requirements": [],
    "version": "1.2.3",
}
GOOD_HACS = {"name": "Sample", "homeassistant": "2026.9.0", "zip_release": True, "filename": "sample.zip"}


def test_good_ones_pass() -> None:
    assert broken_manifest(GOOD_MANIFEST) == []
    assert broken_hacs(GOOD_HACS) == []


@pytest.mark.parametrize(
    "change",
    [
        {"zzz": 1},
        {"after_dependencies": []},  # known, and at the wrong place
        {"integration_type": "cloud"},
        {"iot_class": "cloud"},
        {"quality_scale": "diamond"},
        {"documentation": "http://example.com"},
        {"documentation": "https://www.home-assistant.io/integrations/sample"},
        {"issue_tracker": "example.com"},
        {"version": "newest"},
        {"version": 1},
        {"codeowners": ["sample"]},
        {"codeowners": [], "quality_scale": "silver"},
        {"requirements": ["aiohttp"]},
    ],
)
def test_manifest_rule_notices(change: dict[str, Any]) -> None:
    assert broken_manifest(GOOD_MANIFEST | change)


@pytest.mark.parametrize("key", sorted(REQUIRED))
def test_manifest_rule_notices_absence(key: str) -> None:
    assert broken_manifest({name: value for name, value in GOOD_MANIFEST.items() if name != key})


@pytest.mark.parametrize(
    "change",
    [
        {"domains": []},
        {"name": ""},
        {"homeassistant": "soon"},
        {"zip_release": "yes"},
        {"filename": "x.tar"},
        {"zip_release": False},
    ],
)
def test_hacs_rule_notices(change: dict[str, Any]) -> None:
    assert broken_hacs(GOOD_HACS | change)


def test_repository_rule_notices(tmp_path: Path) -> None:
    assert len(broken_repository(tmp_path)) == 1
    place = tmp_path / "custom_components" / "other"
    place.mkdir(parents=True)
    (place / "manifest.json").write_text(json.dumps(GOOD_MANIFEST))
    assert len(broken_repository(tmp_path)) == 5


def test_brand_rule_notices(tmp_path: Path) -> None:
    assert len(broken_brand(tmp_path)) == 8
    for name in ("icon.png", "dark_icon.png"):
        (tmp_path / name).write_bytes((shipped(ROOT) / "brand" / "logo.png").read_bytes())
    assert "icon.png is 650 x 256" in broken_brand(tmp_path)
