"""Charts of the linkage report as inline SVG: no script, readable in print, each with its words and beside its table.

A chart is an image with a name and a description for those who do not see it; the table under it says the same.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from markupsafe import Markup, escape

_WIDTH, _LEFT, _RIGHT = 720, 40, 14


def waterfall(bars: Sequence[Mapping[str, Any]], total: float, lines: Mapping[str, float], name: str) -> Markup:
    """Bars from the starting weight to the total, with the lines of decision marked (linkage handbook 13)."""
    ends = [0.0]
    for bar in bars:
        ends.append(ends[-1] + float(bar["bits"]))
    marks = [*ends, *lines.values()]
    low, high = min(marks), max(marks)
    span = (high - low) or 1.0
    label_width, row = 250, 20
    room = _WIDTH - label_width - 70

    def at(bits: float) -> float:
        return label_width + room * (bits - low) / span

    height = row * (len(bars) + 1) + 26
    parts = [_line(at(0), 4, at(0), height - 22, "axis")]
    for kind, bits in lines.items():
        side, shift = ("start", 3) if bits == max(lines.values()) else ("end", -3)
        parts.append(_line(at(bits), 4, at(bits), height - 4, "limit"))
        parts.append(_text(at(bits) + shift, height - 4, kind, side))
    for place, (bar, (start, end)) in enumerate(zip(bars, pairwise(ends), strict=True)):
        y = 4 + row * place
        kind = "for" if end >= start else "against"
        parts.append(_text(label_width - 8, y + 14, _shortened(_label(bar)), "end"))
        parts.append(_bar(at(min(start, end)), y + 3, max(1.5, abs(at(end) - at(start))), row - 6, kind))
        parts.append(_text(at(max(start, end)) + 5, y + 14, f"{bar['bits']:+.2f}", "start"))
    y = 4 + row * len(bars)
    parts.append(_text(label_width - 8, y + 14, "total", "end"))
    parts.append(_bar(at(min(0.0, total)), y + 3, max(1.5, abs(at(total) - at(0))), row - 6, "total"))
    parts.append(_text(at(max(0.0, total)) + 5, y + 14, f"{total:+.2f}", "start"))
    told = "; ".join(f"{_label(bar)} {bar['bits']:+.2f}" for bar in bars)
    return _svg(height, parts, name, f"{told}; total {total:+.2f} bits; lines: {_told(lines)}")


def weights(rows: Sequence[Mapping[str, Any]], lines: Mapping[str, float], name: str) -> Markup:
    """How many pairs have which weight, by what was decided: linked, sent to review, rejected."""
    if not rows:
        return Markup()
    low, high = min(row["from"] for row in rows), max(row["to"] for row in rows)
    top = max(row["link"] + row["review"] + row["reject"] for row in rows) or 1
    height, floor_at = 236, 214
    step = (_WIDTH - _LEFT - _RIGHT) / max(1, high - low)

    def at(bits: float) -> float:
        return float(_LEFT + (bits - low) * step)

    parts = [_line(_LEFT, floor_at, _WIDTH - _RIGHT, floor_at, "axis"), _text(4, 16, f"{top:,}", "start")]
    for row in rows:
        y = float(floor_at)
        for kind, css in (("reject", "reject"), ("review", "review"), ("link", "for")):
            tall = 200 * row[kind] / top
            if row[kind]:
                tall = max(1.0, tall)
                y -= tall
                parts.append(_bar(at(row["from"]) + 0.5, y, max(1.0, (row["to"] - row["from"]) * step - 1), tall, css))
    for kind, bits in lines.items():
        if low <= bits <= high:
            side, shift = ("start", 3) if bits == max(lines.values()) else ("end", -3)
            parts += [_line(at(bits), 6, at(bits), floor_at, "limit"), _text(at(bits) + shift, 16, kind, side)]
    ticks = range(low - low % 10, high + 1, 10)
    parts += [_text(at(bits), floor_at + 15, str(bits), "middle") for bits in ticks if low <= bits <= high]
    linked, reviewed, rejected = (sum(row[kind] for row in rows) for kind in ("link", "review", "reject"))
    told = (
        f"{linked:,} linked pairs, {reviewed:,} for review, {rejected:,} rejected, by match weight from {low} "
        f"to {high} bits; lines: {_told(lines)}"
    )
    return _svg(height, parts, name, told)


def calibration(bands: Sequence[Mapping[str, Any]], name: str) -> Markup:
    """What the model claims beside what the hidden numbers say, band by band of weight, with 95 % intervals."""
    if not bands:
        return Markup()
    height, floor_at, tall = 260, 220, 200
    step = (_WIDTH - _LEFT - _RIGHT) / len(bands)

    def up(share: float) -> float:
        return floor_at - tall * share

    parts = [_line(_LEFT, up(n), _WIDTH - _RIGHT, up(n), "axis" if n == 0 else "grid") for n in (0, 0.25, 0.5, 0.75, 1)]
    parts += [_text(_LEFT - 5, up(n) + 4, f"{100 * n:.0f} %", "end") for n in (0, 0.5, 1)]
    centres = [_LEFT + step * (place + 0.5) for place in range(len(bands))]
    for (x, band), (following, after) in pairwise(zip(centres, bands, strict=True)):
        parts.append(_line(x, up(band["claimed"]), following, up(after["claimed"]), "claimed"))
    for x, band in zip(centres, bands, strict=True):
        true = band["true"]
        parts.append(_line(x, up(true["low"]), x, up(true["high"]), "interval"))
        parts.append(Markup('<circle class="true" cx="{:.1f}" cy="{:.1f}" r="5"/>').format(x, up(true["value"])))
        parts.append(_diamond(x, up(band["claimed"])))
        parts.append(_text(x, floor_at + 16, _short_band(band), "middle"))
    told = "; ".join(
        f"{band_name(band)} bits: claimed {100 * band['claimed']:.1f} %, true {100 * band['true']['value']:.1f} %"
        for band in bands
    )
    return _svg(height, parts, name, told)


def band_name(band: Mapping[str, Any]) -> str:
    """A band of weight in words."""
    if band["from"] is None:
        return f"below {band['to']}"
    return f"{band['from']} and above" if band["to"] is None else f"{band['from']} to {band['to']}"


def _short_band(band: Mapping[str, Any]) -> str:
    if band["from"] is None:
        return f"< {band['to']}"
    return f"≥ {band['from']}" if band["to"] is None else f"{band['from']} to {band['to']}"


def _label(bar: Mapping[str, Any]) -> str:
    part = str(bar["part"]).replace("_", " ")
    return f"{part}: {bar['level']}" if bar["level"] else part


def _shortened(text: str, most: int = 40) -> str:
    return text if len(text) <= most else text[: most - 1] + "…"


def _told(lines: Mapping[str, float]) -> str:
    return ", ".join(f"{kind} at {bits:g}" for kind, bits in lines.items())


def _svg(height: float, parts: Sequence[Markup], name: str, told: str) -> Markup:
    return Markup(
        '<svg class="chart" role="img" viewBox="0 0 {} {:.0f}" aria-label="{}"><title>{}</title><desc>{}</desc>{}</svg>'
    ).format(_WIDTH, height, f"{name}. {told}", name, told, Markup("").join(parts))


def _bar(x: float, y: float, width: float, height: float, kind: str) -> Markup:
    shape = '<rect class="{}" x="{:.1f}" y="{:.1f}" width="{:.1f}" height="{:.1f}"/>'
    return Markup(shape).format(kind, x, y, width, height)


def _line(x: float, y: float, to_x: float, to_y: float, kind: str) -> Markup:
    shape = '<line class="{}" x1="{:.1f}" y1="{:.1f}" x2="{:.1f}" y2="{:.1f}"/>'
    return Markup(shape).format(kind, x, y, to_x, to_y)


def _text(x: float, y: float, text: str, anchor: str) -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, escape(text))


def _diamond(x: float, y: float) -> Markup:
    points = f"{x:.1f},{y - 6:.1f} {x + 6:.1f},{y:.1f} {x:.1f},{y + 6:.1f} {x - 6:.1f},{y:.1f}"
    return Markup('<polygon class="claimed" points="{}"/>').format(points)
