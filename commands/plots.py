"""Plots as SVG, small enough to need no library."""

from collections.abc import Sequence
from html import escape

_WIDTH, _HEIGHT, _MARGIN = 860, 420, 60
_COLOURS = ("#4361ee", "#e07a1f", "#2a9d5c", "#c1121f", "#7b2cbf")


def line_plot(title: str, seconds: Sequence[float], series: dict[str, Sequence[float]]) -> str:
    """Several series over time, one axis, as an SVG document."""
    longest = max(*seconds, 1.0)
    highest = max((max(values, default=0.0) for values in series.values()), default=1.0) or 1.0
    body = [_axes(longest, highest)]
    for number, (name, values) in enumerate(series.items()):
        colour = _COLOURS[number % len(_COLOURS)]
        points = " ".join(
            f"{_x(at, longest):.1f},{_y(value, highest):.1f}"
            for at, value in zip(seconds, values, strict=True)
        )
        body.append(f'<polyline fill="none" stroke="{colour}" stroke-width="2" points="{points}"/>')
        body.append(
            f'<text x="{_MARGIN + number * 130}" y="{_HEIGHT - 8}" fill="{colour}">{escape(name)}</text>'
        )
    return _document(title, "".join(body), _HEIGHT)


def bar_plot(title: str, bars: dict[str, float], goals: dict[str, float]) -> str:
    """Bars that lie one beneath the other, each with its figure and, where it has one, a line at its goal."""
    highest = max(*bars.values(), *goals.values(), 0.0)
    start, row = 5 * _MARGIN, 30
    width = _WIDTH - start - _MARGIN
    body = []
    for number, (name, value) in enumerate(bars.items()):
        top, length = _MARGIN + number * row, value / highest * width
        colour = _COLOURS[name not in goals]
        body.append(
            f'<text x="{start - 8}" y="{top + 15}" text-anchor="end">{escape(name)}</text>'
            f'<rect x="{start}" y="{top}" width="{length:.1f}" height="20" fill="{colour}"/>'
            f'<text x="{start + length + 6:.1f}" y="{top + 15}">{value:.2f}</text>'
        )
        if name in goals:
            x = start + goals[name] / highest * width
            body.append(
                f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{top - 4}" y2="{top + 24}" stroke="#111" '
                f'stroke-width="2"/>'
            )
    return _document(title, "".join(body), 2 * _MARGIN + len(bars) * row)


def _document(title: str, body: str, height: int) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        f'font-family="sans-serif" font-size="13"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="white"/>'
        f'<text x="{_MARGIN}" y="24" font-size="16">{escape(title)}</text>{body}</svg>\n'
    )


def _x(at: float, longest: float) -> float:
    return _MARGIN + at / longest * (_WIDTH - 2 * _MARGIN)


def _y(value: float, highest: float) -> float:
    return _HEIGHT - _MARGIN - value / highest * (_HEIGHT - 2 * _MARGIN)


def _axes(longest: float, highest: float) -> str:
    lines = []
    for step in range(5):
        y, x = _y(highest * step / 4, highest), _x(longest * step / 4, longest)
        lines.append(
            f'<line x1="{_MARGIN}" x2="{_WIDTH - _MARGIN}" y1="{y:.1f}" y2="{y:.1f}" stroke="#ddd"/>'
            f'<text x="{_MARGIN - 8}" y="{y + 4:.1f}" text-anchor="end">{highest * step / 4:.0f}</text>'
            f'<text x="{x:.1f}" y="{_HEIGHT - _MARGIN + 20}" text-anchor="middle">'
            f"{longest * step / 4:.0f} s</text>"
        )
    return "".join(lines)
