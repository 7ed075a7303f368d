"""Write the pages' table of currencies from the product's: python -m tools.web_currencies."""

from pathlib import Path

from domain.currencies import DIGITS

TARGET = Path(__file__).resolve().parents[1] / "web" / "scripts" / "kit" / "currencies.js"
_PER_LINE = 10
_HEAD = """/**
 * Decimal places of each currency by ISO 4217. `python -m tools.web_currencies` writes it from
 * domain/currencies.py. A browser's own digits are how a locale shows amounts: it has none for HUF and IQD,
 * which have two and three.
 */

/** @type {Readonly<Record<string, number>>} */
export const DIGITS = {
"""
_TAIL = """};

/** @param {string} currency */
export function digitsOf(currency) {
  return DIGITS[currency] ?? 2;
}
"""


def table() -> str:
    """Return the module's text."""
    entries = [f"{code}: {digits}," for code, digits in sorted(DIGITS.items())]
    lines = [entries[start : start + _PER_LINE] for start in range(0, len(entries), _PER_LINE)]
    return _HEAD + "".join(f"  {' '.join(line)}\n" for line in lines) + _TAIL


if __name__ == "__main__":
    TARGET.write_text(table(), encoding="utf-8")
