"""The documents of `make sbom`: what they list, and that a broken one is refused."""

import json
import re
from pathlib import Path

import pytest

from tools import sbom


@pytest.fixture
def build(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(sbom, "BUILD", tmp_path)
    return tmp_path


def test_python_document_lists_every_package_of_production_with_hashes(build: Path) -> None:
    document = json.loads(sbom.write_python().read_text())

    pinned = re.findall(r"^([a-z0-9.-]+)==(\S+)", (sbom.ROOT / "requirements.txt").read_text(), re.M)
    listed = {(part["name"], part["version"]) for part in document["components"]}
    assert set(pinned) == listed
    assert all(part["externalReferences"][0]["hashes"] for part in document["components"])


def test_document_that_the_schema_refuses_is_not_written(build: Path) -> None:
    broken = json.dumps({"bomFormat": "CycloneDX", "specVersion": "1.5", "components": [{"type": "no type"}]})

    with pytest.raises(sbom.SbomError, match=r"^The SBOM planted is no valid CycloneDX 1\.5"):
        sbom.write("planted", broken)

    assert list(build.iterdir()) == []


def test_command_that_fails_is_named() -> None:
    with pytest.raises(sbom.SbomError, match="failed: cannot"):
        sbom.output_of(["/bin/sh", "-c", "echo cannot >&2; exit 1"], sbom.ROOT)
