"""Trees of files with one fault in them, to show that a rule finds it."""

from pathlib import Path


def plant(root: Path, files: dict[str, str]) -> Path:
    """Writes the files below the root and returns it."""
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root
