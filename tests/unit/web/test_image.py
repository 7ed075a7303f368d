"""The production image has what its pages load from npm."""

import json
from pathlib import Path

from endpoints.pages import VENDOR

ROOT = Path(__file__).parents[3]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
# GraphiQL is off in production.
WIDGET = {path for path in VENDOR.values() if path.startswith("node_modules/altcha/")}


def test_the_widget_is_installed_without_the_packages_of_developers() -> None:
    package = json.loads((ROOT / "web" / "package.json").read_text())
    locked = json.loads((ROOT / "web" / "package-lock.json").read_text())["packages"]

    assert list(package["dependencies"]) == ["altcha"]
    assert "npm ci --omit=dev --omit=optional --ignore-scripts" in DOCKERFILE
    installed = [name for name, entry in locked.items() if name and not entry.keys() & {"dev", "optional"}]
    assert sorted(installed) == ["node_modules/@altcha/crypto", "node_modules/altcha"]


def test_the_image_copies_the_folder_that_the_pages_load_the_widget_from() -> None:
    (folder,) = {str(Path(path).parent) for path in WIDGET}

    assert len(WIDGET) == 3
    copied = f"COPY --from=widget /web/{folder} web/{folder}\n"
    assert copied in DOCKERFILE
    assert (
        DOCKERFILE.index("COPY . ./\n")
        < DOCKERFILE.index(copied)
        < DOCKERFILE.index("pip install --no-cache-dir --no-deps --no-build")
    )


def test_nothing_of_a_developers_machine_replaces_it() -> None:
    assert "**/node_modules" in (ROOT / ".dockerignore").read_text().splitlines()
