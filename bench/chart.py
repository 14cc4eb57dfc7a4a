"""Draws what a delivery costs against the number of subscribers.

    BENCH_FIGURES=figures.jsonl python -m bench.fanout --subscribers 1000,3000,10000,30000,100000
    python -m bench.chart figures.jsonl docs/fanout.svg

Were a delivery to cost more the more subscribers there are, the lines would rise. Of several runs
with as many subscribers the quickest is drawn, since whatever else runs only makes them slower.
"""

import argparse
import math
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from bench.figures import kept

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 70, 20, 90, 55
STEPS = 5
_SVG = """<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img"
  font-family="system-ui, sans-serif" font-size="14">
<title>{title}</title>
<style>
  .ground {{ fill: #ffffff }} text {{ fill: #24292f }} .grid {{ stroke: #d0d7de }}
  .hub {{ --c: #0969da }} .bare {{ --c: #bc4c00 }} .cpu {{ --c: #1a7f37 }}
  polyline {{ fill: none; stroke: var(--c); stroke-width: 2.5 }} circle {{ fill: var(--c) }}
  @media (prefers-color-scheme: dark) {{
    .ground {{ fill: #0d1117 }} text {{ fill: #e6edf3 }} .grid {{ stroke: #30363d }}
    .hub {{ --c: #58a6ff }} .bare {{ --c: #f0883e }} .cpu {{ --c: #3fb950 }}
  }}
</style>
<rect class="ground" width="{width}" height="{height}" rx="8"/>
<text x="{left}" y="30" font-size="17" font-weight="600">{title}</text>
{content}
</svg>
"""
_TITLE = "What one delivery costs, against the number of subscribers"

Point = tuple[float, float]
Scale = Callable[[float], float]


def draw(figures: Sequence[dict[str, float]]) -> str:
    """Returns the SVG of the lines that fan-out has kept."""
    slowest_first = sorted(figures, key=lambda one: one["seconds"], reverse=True)
    drawn = {one["subscribers"]: one for one in slowest_first}
    counts = sorted(drawn)
    series = (
        ("hub", "one worker: append to last delivery, per delivery", "seconds"),
        ("bare", "bare libcurl loop, per delivery", "bare_seconds"),
        ("cpu", "processor time of the worker, per delivery", "worker_cpu_s"),
    )
    lines = {
        name: [(count, drawn[count][field] / count * 1e6) for count in counts]
        for name, _, field in series
    }
    top_us = _round_up(max(us for line in lines.values() for _, us in line))
    x, y = _scales(counts, top_us)
    content = [*_axes(counts, top_us, x, y)]
    for number, (name, label, _) in enumerate(series):
        content += _legend(name, label, LEFT + 5, 50 + number * 18)
        content += _line(name, lines[name], x, y)
    return _SVG.format(
        width=WIDTH, height=HEIGHT, left=LEFT, title=_TITLE, content="\n".join(content)
    )


def _scales(counts: Sequence[float], top_us: float) -> tuple[Scale, Scale]:
    first, last = math.log10(counts[0]), math.log10(counts[-1])

    def x(count: float) -> float:
        part = (math.log10(count) - first) / (last - first or 1)
        return LEFT + 20 + part * (WIDTH - LEFT - RIGHT - 50)

    def y(us: float) -> float:
        return HEIGHT - BOTTOM - us / top_us * (HEIGHT - TOP - BOTTOM - 15)

    return x, y


def _axes(counts: Sequence[float], top_us: float, x: Scale, y: Scale) -> Iterator[str]:
    for step in range(STEPS + 1):
        us = top_us * step / STEPS
        yield f'<path class="grid" d="M{LEFT} {y(us):.1f}H{WIDTH - RIGHT}"/>'
        yield f'<text x="{LEFT - 8}" y="{y(us) + 5:.1f}" text-anchor="end">{us:g} µs</text>'
    for count in counts:
        place = f'x="{x(count):.1f}" y="{HEIGHT - BOTTOM + 22}" text-anchor="middle"'
        yield f"<text {place}>{count:,.0f}</text>"
    middle = (LEFT + WIDTH - RIGHT) / 2
    yield f'<text x="{middle}" y="{HEIGHT - 10}" text-anchor="middle">subscribers</text>'


def _legend(name: str, label: str, x: float, y: float) -> Iterator[str]:
    yield f'<g class="{name}"><circle cx="{x}" cy="{y}" r="5"/></g>'
    yield f'<text x="{x + 12}" y="{y + 5}">{label}</text>'


def _line(name: str, points: Sequence[Point], x: Scale, y: Scale) -> Iterator[str]:
    places = [(f"{x(count):.1f}", f"{y(us):.1f}") for count, us in points]
    yield f'<g class="{name}"><polyline points="{" ".join(",".join(p) for p in places)}"/>'
    yield from (f'<circle cx="{cx}" cy="{cy}" r="4"/>' for cx, cy in places)
    yield "</g>"


def _round_up(us: float) -> float:
    step = 10.0 ** math.floor(math.log10(us))
    return next(step * times for times in (1, 2, 2.5, 5, 10) if step * times >= us)


def main() -> None:
    """Writes the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("figures", type=Path)
    parser.add_argument("svg", type=Path)
    given = parser.parse_args()
    figures = [one for one in kept(given.figures, "fanout") if one["workers"] == 1]
    if not figures:
        raise SystemExit(f"There is no fan-out with one worker in {given.figures}.")
    given.svg.write_text(draw(figures))


if __name__ == "__main__":
    main()
