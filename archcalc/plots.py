"""The picture of a comparison. The only file that imports matplotlib."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from archcalc.analyses.comparison import Comparison, Member, scale_text
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.units import BYTES_PER_VALUE, DECIMAL, binary

try:
    import matplotlib as mpl
    from matplotlib.axes import Axes
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.lines import Line2D
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter
except ImportError:
    raise SpecError([Fault("drawing needs matplotlib", help="pip install 'archcalc[plot]'")]) from None

GROUND = "#ffffff"
INK = "#1c2330"
LINES = "#d5dae2"
COLOURS = (  # dark enough for names to be written in them
    "#1f6fb2",
    "#b4560f",
    "#217a3c",
    "#c23434",
    "#7553b5",
    "#80601f",
    "#b03a86",
    "#137b82",
    "#5f6d10",
    "#55658c",
)
MARKERS = "osD^vPX"
DASHES = ("-", "--", ":", "-.")
STYLE: Any = {
    "font.family": ["DejaVu Sans"],  # it comes with matplotlib
    "font.size": 9,
    "figure.facecolor": GROUND,
    "axes.facecolor": GROUND,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "axes.titlecolor": INK,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": INK,
    "ytick.color": INK,
    "svg.hashsalt": "archcalc",  # identifiers that are the same every time
    "svg.fonttype": "path",
    "pdf.fonttype": 42,  # TrueType: journals refuse Type 3
}
FORMATS = {  # without the time of day: the same picture is the same bytes
    ".svg": {"Date": None, "Creator": "archcalc"},
    ".png": {"Software": None},
    ".pdf": {"CreationDate": None, "Creator": "archcalc"},
}
WIDTH, HEIGHT = 11.0, 5.6  # inches, the legend left out
LEFT = 0.07  # of the width
LEGEND_LINE = 0.175  # inches
SIZES_LINE = 0.5  # inches
LEGEND_COLUMNS = 5
LEGEND_LETTERS = 140  # that fit into a line
LARGEST = 2600.0  # area of the largest bubble, in square points
SMALLEST = 12.0
REACHES = (2, 8, 16, 28, 44, 64)  # points between a bubble and its label
GAP = 4  # points between labels
TURNS = 24  # directions in which a label may lie


class _Box(NamedTuple):
    """A rectangle in dots."""

    left: float
    bottom: float
    right: float
    top: float

    def overlap(self, other: _Box) -> float:
        """The area that both cover."""
        if self.right <= other.left or other.right <= self.left or self.top <= other.bottom or other.top <= self.bottom:
            return 0.0  # as most do not meet
        width = min(self.right, other.right) - max(self.left, other.left)
        height = min(self.top, other.top) - max(self.bottom, other.bottom)
        return width * height


class _Bubble(NamedTuple):
    """Where a net is drawn, in dots."""

    x: float
    y: float
    radius: float

    @property
    def box(self) -> _Box:
        return _Box(self.x - self.radius, self.y - self.radius, self.x + self.radius, self.y + self.radius)


class _Label(NamedTuple):
    """Where a label lies, and the point of it that is next to its bubble."""

    box: _Box
    reach: float
    angle: float


def draw(comparison: Comparison, path: str, batch: int = 1, dtype: str = "float32", unit: str = "MACs") -> None:
    """Parameters against MACs, each net a bubble of the area of its memory; and both by depth, as shares.

    `unit` is what a rule of counting calls that which it has in the place of MACs. Writes an `.svg`,
    `.png` or `.pdf` file, the same bytes every time. Raises `SpecError` where it cannot be written.
    """
    suffix = Path(path).suffix.lower()
    if suffix not in FORMATS:
        *names, last = (f"`nets{each}`" for each in FORMATS)
        help = f"name it {', '.join(names)} or {last}"
        raise SpecError([Fault(f"cannot draw {quoted(path, 200)}: it is no name of a picture", help=help)])
    buffer = io.BytesIO()
    with mpl.rc_context(), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of characters of a name that the font does not have
        mpl.rcdefaults()
        mpl.rcParams.update(STYLE)
        figure = _figure(comparison, batch, dtype, unit)
        figure.savefig(buffer, format=suffix[1:], dpi=200, metadata=FORMATS[suffix])
    try:
        Path(path).write_bytes(buffer.getvalue())
    except OSError as error:
        message = f"cannot write {quoted(path, 200)}: {(error.strerror or str(error)).lower()}"
        raise SpecError([Fault(message)]) from None


def _figure(comparison: Comparison, batch: int, dtype: str, unit: str) -> Figure:
    members = comparison.members
    legend = 0.2 + LEGEND_LINE * math.ceil(len(members) / _columns(members))
    height = HEIGHT + legend + SIZES_LINE
    figure = Figure(figsize=(WIDTH, height), dpi=100)
    canvas: Any = FigureCanvasAgg(figure)
    bottom = (legend + SIZES_LINE + 0.55) / height
    grid = figure.add_gridspec(2, 2, left=LEFT, right=0.985, bottom=bottom, top=0.95, wspace=0.16, hspace=0.42)
    costs = figure.add_subplot(grid[:, 0])
    circles = _bubbles(costs, members, batch, dtype, unit)
    for row, (what, key) in enumerate((("memory", "activations"), ("parameters", "params"))):
        _by_depth(figure.add_subplot(grid[row, 1]), comparison, what, key, last=row == 1)
    _legend(figure, members)
    _sizes(figure, max(member.number("activations") for member in members) * batch * BYTES_PER_VALUE[dtype], legend)
    canvas.draw()  # only now is it known how much room each text takes
    _set_apart(canvas, costs, circles)
    return figure


def _looks(members: Sequence[Member]) -> Iterator[tuple[Member, str, str, Any]]:
    """Colour, marker and dashes of each net; no two have the same three."""
    for at, member in enumerate(members):
        again = at // len(COLOURS)
        yield member, COLOURS[at % len(COLOURS)], MARKERS[at % len(MARKERS)], DASHES[again % len(DASHES)]


# ---------------------------------------------------------------- parameters against MACs


class _Circle(NamedTuple):
    """A net in the panel of costs: where its bubble is, in figures, and how large."""

    name: str
    params: int
    macs: int
    area: float
    colour: str


def _circles(members: Sequence[Member], batch: int) -> list[_Circle]:
    """The nets that have a place on logarithmic axes, those of the largest memory first."""
    most = max(member.number("activations") for member in members)
    found = [
        _Circle(
            member.name,
            member.number("params"),
            member.number("macs") * batch,
            max(SMALLEST, LARGEST * member.number("activations") / max(1, most)),
            colour,
        )
        for member, colour, _, _ in _looks(members)
        if _on_logs(member)
    ]
    return sorted(found, key=lambda circle: -circle.area)


def _bubbles(axes: Axes, members: Sequence[Member], batch: int, dtype: str, unit: str) -> list[_Circle]:
    circles = _circles(members, batch)
    for each in circles:
        axes.scatter([each.params], [each.macs], each.area, facecolor=each.colour, alpha=0.35, linewidth=0, zorder=2)
        axes.scatter([each.params], [each.macs], each.area, facecolor="none", edgecolor=each.colour, zorder=3)
    _log_axes(axes, [(each.params, each.macs) for each in circles])
    images = f" of {batch} images" if batch != 1 else ""
    most = max(member.number("activations") for member in members)
    size = binary(most * batch * BYTES_PER_VALUE[dtype])
    axes.set_xlabel("parameters")
    axes.set_ylabel(f"{unit}{images}")
    axes.set_title(f"cost; area is memory in {dtype}, at most {size}")
    missing = [member.name for member in members if not _on_logs(member)]
    if missing:
        said = f"without parameters or {unit}: {', '.join(missing)}"
        axes.text(0.02, 0.02, said, transform=axes.transAxes).set_parse_math(False)
    return circles


def _on_logs(member: Member) -> bool:
    return member.number("params") > 0 and member.number("macs") > 0


def _log_axes(axes: Axes, places: Sequence[tuple[int, int]]) -> None:
    """Logarithmic axes with room around the bubbles, and ticks at 1, 2, 5, 10 where a decade is wide."""
    axes.set_xscale("log")
    axes.set_yscale("log")
    for axis, values, limit in (
        (axes.xaxis, [x for x, _ in places], axes.set_xlim),
        (axes.yaxis, [y for _, y in places], axes.set_ylim),
    ):
        low, high = (math.log10(end) for end in (min(values, default=1), max(values, default=10)))
        room = 0.15 * (high - low) + 0.2
        limit(10 ** (low - room), 10 ** (high + room))
        axis.set_major_locator(LogLocator(subs=(1, 2, 5) if high - low < 2 else (1,)))
        axis.set_major_formatter(FuncFormatter(_tick))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(color=LINES, linewidth=0.6)
    axes.set_axisbelow(True)


def _tick(value: float, _: object = None) -> str:
    """A round number with its prefix: 2e7 as 20M."""
    prefix, unit = max((each for each in DECIMAL.items() if each[1] <= max(1, value)), key=lambda each: each[1])
    return f"{value / unit:g}{prefix}"


def _set_apart(canvas: Any, axes: Axes, circles: Sequence[_Circle]) -> None:
    """Writes a name beside each bubble where it covers no other, with a line to it where that is far."""
    dots = canvas.figure.dpi / 72  # a point
    frame = _Box(*axes.get_window_extent().extents)
    bubbles = [_bubble(axes, each, dots) for each in circles]
    placed: list[_Box] = []
    for circle, bubble in zip(circles, bubbles, strict=True):
        text = axes.text(0, 0, circle.name, color=circle.colour, fontsize=8.5, zorder=5)
        text.set_parse_math(False)
        extent = text.get_window_extent(canvas.get_renderer())
        label = _best(bubble, (extent.width, extent.height), dots, [frame, *placed], [each.box for each in bubbles])
        placed.append(_grown(label.box, GAP * dots))
        text.set(transform=axes.transAxes, verticalalignment="bottom")
        text.set_position(_fractions(axes, label.box.left, label.box.bottom))
        if label.reach > REACHES[1] * dots:
            _lead(axes, bubble, label, circle.colour)


def _bubble(axes: Axes, circle: _Circle, dots: float) -> _Bubble:
    x, y = axes.transData.transform((circle.params, circle.macs))
    return _Bubble(float(x), float(y), math.sqrt(circle.area / math.pi) * dots)


def _fractions(axes: Axes, x: float, y: float) -> tuple[float, float]:
    """A point in dots as fractions of the panel, which hold at any resolution."""
    right, up = axes.transAxes.inverted().transform((x, y))
    return float(right), float(up)


def _best(bubble: _Bubble, size: tuple[float, float], dots: float, taken: list[_Box], bubbles: list[_Box]) -> _Label:
    """The nearest place that is free; where none is, that which covers least. The first box taken is the frame."""
    frame, *placed = taken
    whole = size[0] * size[1]
    best: tuple[float, _Label] | None = None
    for label in _candidates(bubble, size, dots):  # nearer ones first
        far = 0.02 * whole * label.reach / dots
        if best is not None and best[0] <= far:
            break
        outside = whole - label.box.overlap(frame)
        covered = sum(label.box.overlap(each) for each in placed)
        crossed = sum(label.box.overlap(each) for each in bubbles)
        cost = 20 * outside + 10 * covered + crossed + far
        if best is None or cost < best[0]:
            best = cost, label
    assert best is not None
    return best[1]


def _grown(box: _Box, by: float) -> _Box:
    return _Box(box.left - by, box.bottom - by / 2, box.right + by, box.top + by / 2)


def _candidates(bubble: _Bubble, size: tuple[float, float], dots: float) -> Iterator[_Label]:
    """Places around a bubble, right of it first."""
    width, height = size
    for reach in (each * dots for each in REACHES):
        for turn in range(TURNS):
            angle = 2 * math.pi * turn / TURNS
            x = bubble.x + math.cos(angle) * (bubble.radius + reach + width / 2)
            y = bubble.y + math.sin(angle) * (bubble.radius + reach + height / 2)
            yield _Label(_Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2), reach, angle)


def _lead(axes: Axes, bubble: _Bubble, label: _Label, colour: str) -> None:
    """A thin line from a bubble to the nearest point of its label."""
    box = label.box
    end = min(max(bubble.x, box.left), box.right), min(max(bubble.y, box.bottom), box.top)
    away = math.dist(end, (bubble.x, bubble.y)) or 1.0
    start = [at + (to - at) * bubble.radius / away for at, to in zip((bubble.x, bubble.y), end, strict=True)]
    (left, bottom), (right, top) = _fractions(axes, start[0], start[1]), _fractions(axes, *end)
    axes.plot((left, right), (bottom, top), color=colour, linewidth=0.7, transform=axes.transAxes, zorder=4)


# ---------------------------------------------------------------- by depth


def _by_depth(axes: Axes, comparison: Comparison, what: str, key: str, last: bool) -> None:
    """The share of each stage in a quantity: a line a net, from the finest resolution to vectors."""
    places = {scale: at for at, scale in enumerate(comparison.scales)}
    for member, colour, marker, dashes in _looks(comparison.members):
        whole = member.number(key)
        if whole:
            x = [places[stage.scale] for stage in member.stages]
            y = [100 * stage.number(key) / whole for stage in member.stages]
            axes.plot(x, y, color=colour, marker=marker, linestyle=dashes, markersize=4, linewidth=1.4)
    axes.set_xticks(range(len(places)), [scale_text(scale) for scale in places])
    axes.set_ylim(-3, 103)
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}%"))
    axes.grid(color=LINES, linewidth=0.6)
    axes.set_title(f"{what}: where in the net")
    if last:
        axes.set_xlabel("height and width of a layer, beside those of the input")


def _legend(figure: Figure, members: Sequence[Member]) -> None:
    lines = [
        Line2D([], [], color=colour, marker=marker, linestyle=dashes, markersize=4, linewidth=1.4)
        for _, colour, marker, dashes in _looks(members)
    ]
    names = [f"\N{NO-BREAK SPACE}{member.name}" for member in members]  # matplotlib drops names that start with _
    legend = figure.legend(lines, names, loc="lower center", ncols=_columns(members), frameon=False, fontsize=8.5)
    for text in legend.get_texts():
        text.set_parse_math(False)


def _sizes(figure: Figure, most: int, above: float) -> None:
    """Bubbles of round sizes below the panel of costs, `above` inches above the lower edge."""
    exponent = max(0, most.bit_length() - 2)  # of the largest power of two that is no more than half of the most
    sizes = [2 ** (exponent - 2 * step) for step in range(3) if exponent >= 2 * step]
    areas = [LARGEST * each / most for each in sizes]
    bubbles = [
        Line2D([], [], linestyle="", marker="o", markersize=math.sqrt(area), markerfacecolor="none", color=INK)
        for area in areas
    ]
    names = [binary(each) for each in sizes]
    place: Any = {"loc": "lower left", "bbox_to_anchor": (LEFT, above / figure.get_figheight())}
    figure.legend(bubbles, names, **place, ncols=3, frameon=False, fontsize=8.5, handlelength=4.4)


def _columns(members: Sequence[Member]) -> int:
    """Of the legend: as many as the longest name has room for."""
    longest = max(len(member.name) for member in members) + 10
    return max(1, min(LEGEND_COLUMNS, len(members), LEGEND_LETTERS // longest))
