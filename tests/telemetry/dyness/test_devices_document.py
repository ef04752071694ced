"""The document of all points is that of the tables."""

from .devices_document import DOCUMENT, document


def test_document() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == document(), "python -m tests.telemetry.dyness.devices_document"
