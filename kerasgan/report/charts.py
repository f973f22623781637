"""Line charts as SVG text, so that the page needs no plotting library and no script."""

import html
import math

WIDTH, HEIGHT = 720, 240
LEFT, RIGHT, TOP, BOTTOM = 52, 12, 12, 34
COLOURS = 8  # Of lines, in the style of the pages.
LARGEST = 1e39  # Greatest value that is drawn, just above those of float32.


def line_chart(series, marks=(), label="", low=None, high=None, guide=None, tall=HEIGHT):
    """Return an SVG chart.

    Args:
        series: `{name: [(x, y), ...]}`. Points that are not finite, or beyond float32, leave a gap
            in the line.
        marks: Vertical lines, each `(x, kind, text)`. The kind is a CSS class, the text a tooltip.
        label: What the chart shows, for screen readers.
        low: The lowest y; by default that of the data.
        high: The highest y; by default that of the data.
        guide: The y of a dashed line, or None.
        tall: Height of the chart, where its width is 720.
    """
    points = [p for line in series.values() for p in line if _is_drawn(p)]
    if not points:
        return '<p class="none">Nothing was recorded.</p>'
    x0, x1 = _apart(min(p[0] for p in points), max(p[0] for p in points))
    ys = [p[1] for p in points]
    y0 = min(ys) if low is None else low
    y1 = max(ys) if high is None else max(high, *ys)
    y0, y1 = _apart(y0, y1)

    def place(x, y):
        across = LEFT + (x - x0) / (x1 - x0) * (WIDTH - LEFT - RIGHT)
        return across, TOP + (y1 - y) / (y1 - y0) * (tall - TOP - BOTTOM)

    parts = [
        f'<svg class="chart" viewBox="0 0 {WIDTH} {tall}" role="img" '
        f'aria-label="{html.escape(label)}">'
    ]
    for y in ticks(y0, y1):
        _, down = place(x0, y)
        parts.append(
            f'<line class="grid" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down:.1f}" y2="{down:.1f}"/>'
            f'<text x="{LEFT - 6}" y="{down + 4:.1f}" text-anchor="end">{y:g}</text>'
        )
    for x in ticks(x0, x1, whole=True):
        across, _ = place(x, y0)
        parts.append(f'<text x="{across:.1f}" y="{tall - 12}" text-anchor="middle">{x:g}</text>')
    if guide is not None and y0 <= guide <= y1:
        _, down = place(x0, guide)
        parts.append(
            f'<line class="guide" x1="{LEFT}" x2="{WIDTH - RIGHT}" y1="{down:.1f}" '
            f'y2="{down:.1f}"/>'
        )
    for x, kind, text in marks:
        across, _ = place(min(max(x, x0), x1), y0)
        parts.append(
            f'<g class="mark {kind}"><line x1="{across:.1f}" x2="{across:.1f}" y1="{TOP}" '
            f'y2="{tall - BOTTOM}"/><title>{html.escape(text)}</title></g>'
        )
    for number, line in enumerate(series.values()):
        for part in _runs(line):
            path = " ".join("{:.1f},{:.1f}".format(*place(*p)) for p in part)
            parts.append(f'<polyline class="line line{number % COLOURS}" points="{path}"/>')
            if len(part) == 1:
                across, down = place(*part[0])
                parts.append(
                    f'<circle class="dot{number % COLOURS}" cx="{across:.1f}" '
                    f'cy="{down:.1f}" r="3"/>'
                )
    parts.append("</svg>")
    if len(series) > 1:
        names = "".join(
            f'<span class="key{number % COLOURS}">{html.escape(name)}</span>'
            for number, name in enumerate(series)
        )
        parts.append(f'<p class="legend">{names}</p>')
    return "".join(parts)


def ticks(low, high, whole=False, about=6):
    """Return about `about` round numbers between `low` and `high`."""
    rough = (high - low) / about
    size = 10.0 ** math.floor(math.log10(rough))
    step = next(size * k for k in (1, 2, 5, 10) if size * k >= rough)
    if whole:
        step = max(1.0, step)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _is_drawn(point):
    return abs(point[1]) <= LARGEST


def _apart(low, high):
    """Return the ends of an axis, moved apart if floats can hardly tell them from each other."""
    size = max(abs(low), abs(high))
    if high - low > max(1e-12 * size, 1e-300):
        return low, high
    return low - max(0.5, 1e-6 * size), high + max(0.5, 1e-6 * size)


def _runs(line):
    part = []
    for point in line:
        if _is_drawn(point):
            part.append(point)
        elif part:
            yield part
            part = []
    if part:
        yield part
