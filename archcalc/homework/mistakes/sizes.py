"""How heights, widths and depths come out wrong."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

from archcalc.analyses.terms import Letter, Quotient, Sum, Term, letters, parts_of
from archcalc.homework.mistakes.drafts import Draft, number
from archcalc.homework.mistakes.registry import SIDE, Slipped, slip
from archcalc.homework.mistakes.rewriting import (
    added,
    divided,
    has_letter,
    numbers,
    quotients,
    replaced,
    rewritten,
    with_letters,
)
from archcalc.homework.mistakes.scenes import Scene
from archcalc.units import exact
from archcalc.volume import Dim, footprint

ALONG = ("h", "w")
BEHIND = ("after", "bottom", "right")  # what letters of uneven padding are about
KNOWN = ("kernel", "stride", "dilation", "filters", "outputs", "groups")  # arguments that have slips of their own


# ---------------------------------------------------------------- the 1


@slip("+1 forgotten", 10, SIDE, "the 1 at the end of the size formula is left out", "(227 - 11)/4 = 54", True)
def no_one(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w + 2P - F)/S."""
    for found in changed(sizes, lambda n: renumbered(n, 1, 0)):
        yield Slipped(found, "the 1 for the first place of the window is missing")


@slip("+1 twice", 20, SIDE, "the 1 of the size formula is added twice", "(227 - 11)/4 + 2 = 56")
def two(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w + 2P - F)/S + 2."""
    for found in changed(sizes, lambda n: renumbered(n, 1, 2)):
        yield Slipped(found, "the 1 for the first place is there twice")


@slip("minus 1 in place of plus 1", 20, SIDE, "1 is taken away at the end", "(227 - 11)/4 - 1 = 53")
def one_less(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w + 2P - F)/S - 1."""
    for found in changed(sizes, lambda n: renumbered(n, 1, -1)):
        yield Slipped(found, "the first place of the window counts too: 1 is added")


@slip(
    "-1 forgotten",
    20,
    SIDE,
    "the 1 that the formula takes away is not",
    "7*2 - 2*1 + 4 = 16 for (7 - 1)*2 - 2*1 + 4 = 14",
)
def no_less(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """S*w + F - 2P."""
    for found in changed(sizes, lambda n: renumbered(n, -1, 0)):
        yield Slipped(found, "the 1 that is taken away is missing")


# ---------------------------------------------------------------- padding


@slip("P once instead of twice", 10, SIDE, "the padding is added on one side only", "(27 + 2 - 5)/1 + 1 = 25", True)
def one_side(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w + P - F)/S + 1."""
    behind = [letter for letter in scene.padding if letter.about.endswith(BEHIND)]

    def once(n: Dim) -> Dim:
        if behind:
            return with_letters(n, dict.fromkeys(behind, 0))
        return _times(n, scene.padding, lambda k: k // 2 if k % 2 == 0 else k)

    for found in changed(sizes, once):
        yield Slipped(found, f"the padding of {_worth(scene.padding)} is on both sides")


@slip("P ignored", 15, SIDE, "the padding is left out", "(27 - 5)/1 + 1 = 23", True)
def no_padding(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w - F)/S + 1."""
    for found in changed(sizes, lambda n: _times(n, scene.padding, lambda k: 0)):
        yield Slipped(found, f"the padding of {_worth(scene.padding)} is missing")


@slip(
    "minus instead of plus", 10, SIDE, "2P is taken away: w-2P-F in place of w+2P-F", "(27 - 2*2 - 5)/1 + 1 = 19", True
)
def minus(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w - 2P - F)/S + 1."""
    if _adds(sizes, scene.padding):
        for found in changed(sizes, lambda n: _times(n, scene.padding, lambda k: -k)):
            yield Slipped(found, "the padding makes the input larger: it is added")


@slip("plus instead of minus", 10, SIDE, "2P is added where it is cut off", "(14 - 1)*2 + 2*1 + 4 = 32 for 28")
def plus(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w - 1)*S + F + 2P."""
    if not _adds(sizes, scene.padding):
        for found in changed(sizes, lambda n: _times(n, scene.padding, lambda k: -k)):
            yield Slipped(found, "the padding is cut off the output here")


@slip("padding halved", 25, SIDE, "P is taken for both sides together", "(27 + 2*1 - 5)/1 + 1 = 25 for P = 2")
def half_padding(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """P/2 on each side."""
    halves: dict[Letter, Dim] = {each: number(numbers(each) // 2) for each in scene.padding if numbers(each) > 1}
    for found in changed(sizes, lambda n: with_letters(n, halves)):
        yield Slipped(found, f"the padding of {_worth(scene.padding)} is that of each side")


# ---------------------------------------------------------------- the window


@slip("window not subtracted", 20, SIDE, "F is left out of the size formula", "227/4 + 1 = 57")
def no_window(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w + 2P)/S + 1."""
    window = scene.letters_of("kernel")
    for found in changed(sizes, lambda n: _times(n, window, lambda k: 0)):
        yield Slipped(found, f"the window of {_worth(window)} is missing")


@slip("window added", 30, SIDE, "F is added in place of taken away", "(227 + 11)/4 + 1 = 60")
def window_added(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w + 2P + F)/S + 1."""
    window = scene.letters_of("kernel")
    for found in changed(sizes, lambda n: _times(n, window, lambda k: -k)):
        yield Slipped(found, f"the window of {_worth(window)} has the wrong sign")


@slip("dilation ignored", 15, SIDE, "a dilated window is taken for a plain one", "(32 - 3)/1 + 1 = 30 for D = 2", True)
def no_dilation(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """D = 1."""
    spread = scene.letters_of("dilation")
    for found in changed(sizes, lambda n: with_letters(n, dict.fromkeys(spread, 1))):
        yield Slipped(found, f"the cells under the window lie {_worth(spread)} apart")


@slip(
    "D*F for the dilated window",
    25,
    SIDE,
    "a dilated window is taken for D*F cells, not D*(F - 1) + 1",
    "2*3 = 6 for 5",
)
def whole_dilation(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """D*F in place of D*(F - 1) + 1."""
    for found in changed(sizes, lambda n: rewritten(n, lambda part: _undilated(scene, part))):
        yield Slipped(found, "from the first to the last cell of the window it is D*(F - 1) + 1")


def _undilated(scene: Scene, part: Term) -> Dim | None:
    spread = scene.letters_of("dilation")
    sides = tuple(dict.fromkeys(letters(part)))
    if isinstance(part, Sum) and part.number == 1 and len(part.parts) == 1 and len(sides) == 2 and sides[0] in spread:
        return sides[0] * sides[1]
    return None


# ---------------------------------------------------------------- the stride, and rounding


@slip("stride ignored", 15, SIDE, "the division by the stride is left out", "(227 - 11) + 1 = 217", True)
def no_stride(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """(w + 2P - F) + 1."""
    strides = scene.letters_of("stride") or scene.letters_of("kernel")

    def whole(n: Dim) -> Dim:
        if any(True for _ in quotients(n)):
            return rewritten(n, _undivided)
        return with_letters(n, dict.fromkeys(scene.letters_of("stride"), 1))

    for found in changed(sizes, whole):
        yield Slipped(found, f"the stride of {_worth(strides)} is missing")


@slip("only divided by the stride", 20, SIDE, "window and padding are left out: w/S", "224/4 = 56 for (224 - 11)/4 + 1")
def only_stride(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """w/S, rounded down; rounded up."""
    if len(scene.x) == 1:
        x = dict(zip("hwc", scene.x[0], strict=True))
        for extra, up in ((0, False), (5, True)):
            made = [part._replace(term=_only_divided(part.term, x[part.role], up)) for part in sizes.parts]
            if Draft(tuple(made)).values != sizes.values:
                yield Slipped(Draft(tuple(made)), "window and padding count too", extra)


@slip(
    "ceil for floor",
    10,
    SIDE,
    "a size that is not whole is rounded up",
    "(224 - 11)/4 + 1 = 54.25 rounded up: 55",
    True,
)
def up(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """Rounded up."""
    for found in changed(sizes, lambda n: _rounded(n, lambda part: "ceil")):
        yield Slipped(found, f"{_rest(sizes)} is rounded down, also where the larger number is nearer")


@slip(
    "floor for ceil", 10, SIDE, "a size is rounded down where the layer rounds up", "(112 - 3)/2 + 1 = 55.5: 55", True
)
def down(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """Rounded down."""
    for found in changed(sizes, lambda n: _rounded(n, lambda part: "floor")):
        yield Slipped(found, f"{_rest(sizes)} is rounded up, as the layer is told to")


@slip("size kept", 25, SIDE, "the output is taken to be as large as the input", "227 for (227 - 11)/4 + 1")
def kept(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """Height and width of the input."""
    for volume in scene.x[:1]:
        sides = {"h": volume.h, "w": volume.w}
        made = Draft(tuple(part._replace(term=sides.get(part.role, part.term)) for part in sizes.parts))
        if made.values != sizes.values:
            yield Slipped(made, "the layer changes height and width")


@slip(
    "stride the other way", 20, SIDE, "divided by the stride where it multiplies, or the reverse", "14/2 = 7 for 14*2"
)
def turned(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """The size that the reverse layer makes: (w + 2P - F)/S + 1 for (w - 1)*S + F - 2P."""
    op: Any = scene.lettered
    if len(scene.x) != 1 or not scene.letters_of("kernel") or not scene.letters_of("stride") or not _has_sides(op):
        return
    terms = []
    for n, y, k, s, p, d in zip(scene.x[0], scene.y, op.kernel, op.stride, op.padding, _spread(op), strict=False):
        wide = footprint(k, d)
        slides = any(True for _ in quotients(y))
        terms.append((n - 1) * s + wide - p[0] - p[1] if slides else divided(n + p[0] + p[1] - wide, s, "floor") + 1)
    parts = [part._replace(term=new) for part, new in zip(sizes.parts, (*terms, scene.y.c), strict=True)]
    if Draft(tuple(parts)).values != sizes.values:
        yield Slipped(Draft(tuple(parts)), "the layer works the other way")


@slip(
    "argument forgotten",
    20,
    SIDE,
    "an argument that changes the size is left out",
    "(7 - 1)*2 - 2*1 + 3 = 13 without extra=1",
)
def no_argument(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """Without what is added, cut off or multiplied besides."""
    for name, field in scene.op.fields.items():
        chosen = scene.letters_of(name)
        if name in KNOWN or field.kind == "Padding" or not chosen:
            continue
        nothing = 0 if all(_is_summand(part.term, chosen) for part in sizes.parts) else 1
        new: dict[Letter, Dim] = dict.fromkeys(chosen, nothing)
        for found in changed(sizes, lambda n: with_letters(n, new), (*ALONG, "c")):  # noqa: B023  # used at once
            yield Slipped(found, f"{name} {_worth(chosen)} is missing")


# ---------------------------------------------------------------- depth


@slip("filters forgotten", 10, SIDE, "the depth that arrives is kept", "55x55x3 behind 96 filters")
def depth_kept(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """C in place of N."""
    if len(scene.x) == 1 and scene.op.weights(*scene.inputs):
        yield from _deep(sizes, scene.x[0].c, f"each of the {_count(scene.output.c)} filters makes a slice")


@slip("not flattened", 15, SIDE, "the depth alone, where height and width go into it", "512 for 7*7*512 = 25,088")
def depth_alone(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """C in place of H*W*C."""
    if len(scene.x) == 1 and has_letter(scene.y.c, scene.sides("h").__contains__):
        yield from _deep(sizes, scene.x[0].c, "all positions go into the depth")


@slip(
    "branches not added", 10, SIDE, "the depth of one of the branches, where depths add up", "64 for 64 + 128 + 32 + 32"
)
def one_branch(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """One of the depths that arrive."""
    if len(scene.x) > 1:
        for volume in scene.x:
            yield from _deep(sizes, volume.c, "the depths of all branches add up")


@slip("a branch forgotten", 10, SIDE, "the depth without one of the branches", "128 + 32 + 32 for 64 + 128 + 32 + 32")
def fewer_branches(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """The sum of all depths but one."""
    if len(scene.x) > 2 and isinstance(scene.y.c, Sum):
        for gone in range(len(scene.x)):
            rest = added([(1, x.c) for at, x in enumerate(scene.x) if at != gone])
            yield from _deep(sizes, rest, f"the depth of branch {gone + 1} is missing")


@slip("branches added", 10, SIDE, "depths added up where values are", "256 + 256 = 512 for the sum of two volumes")
def all_branches(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """The sum of the depths that arrive."""
    if len(scene.x) > 1:
        yield from _deep(sizes, added([(1, x.c) for x in scene.x]), "values are merged here: depths do not add up")


@slip("depth pooled", 15, SIDE, "the depth goes through the formula of height and width", "(96 - 3)/2 + 1 = 47")
def pooled(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """The formula of the height with the depth in place of H: the depth that arrives, or that leaves; C/S."""
    if len(scene.x) == 1 and not isinstance(scene.y.h, Letter):
        for depth in dict.fromkeys((scene.x[0].c, scene.out.c)):
            sides: dict[Letter, Dim] = dict.fromkeys(scene.sides("h"), depth)
            note = "windows slide along height and width alone"
            yield from _deep(sizes, with_letters(scene.y.h, sides), note)
            yield from _deep(sizes, _only_divided(scene.y.h, depth, False), note, 5)
        for stride in sorted(scene.letters_of("stride"), key=numbers)[:1]:
            yield from _deep(sizes, divided(scene.out.c, stride, "floor"), "windows slide along height and width alone")


@slip("groups multiplied", 25, SIDE, "the depth is taken times the groups", "256*2 = 512")
def more_groups(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """N*G."""
    for group in scene.letters_of("groups"):
        yield from _deep(sizes, scene.y.c * group, "the groups share the filters among them")


@slip("depth divided by the groups", 25, SIDE, "the depth of one group", "256/2 = 128")
def one_group(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """N/G."""
    for group in scene.letters_of("groups"):
        yield from _deep(sizes, divided(scene.y.c, group, "exact"), "the groups' depths add up")


@slip("depth times filters", 25, SIDE, "the depth that arrives times the filters", "3*96 = 288")
def multiplied_depth(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """C*N."""
    if len(scene.x) == 1 and scene.letters_of("filters"):
        yield from _deep(sizes, scene.x[0].c * scene.y.c, "a filter goes through the whole depth and makes one slice")


@slip("depth of the wrong layer", 20, SIDE, "the depth of another layer", "384 for 256")
def other_depth(scene: Scene, sizes: Draft) -> Iterator[Slipped]:
    """The depth of a layer near by, then further off."""
    for extra, at in enumerate(scene.net.nearest(scene.at, "c"), 1):
        depth = numbers(scene.net.volumes[at].c)
        note = f"{exact(depth)} is the depth of {scene.net.report.rows[at].name}"
        yield from _deep(sizes, number(depth), note, 2 * extra)


# ---------------------------------------------------------------- changes of formulas


def changed(sizes: Draft, change: Callable[[Dim], Dim], axes: tuple[str, ...] = ALONG) -> Iterator[Draft]:
    """The sizes with a change of their formulas, if it changes one."""
    found = sizes.change(axes, change)
    if found.values != sizes.values:
        yield found


def renumbered(n: Dim, wanted: int, new: int) -> Dim:
    """A formula with another number in place of the one that the outermost such sum in it adds."""
    sums = (part for part in parts_of(n) if isinstance(part, Sum) and part.number == wanted)
    found = next(sums, None)
    return n if found is None else replaced(n, found, added(found.parts, new))


def _times(n: Dim, chosen: Collection[Letter], change: Callable[[int], int]) -> Dim:
    """A formula in whose sums some letters, or what is made of them, are taken another number of times."""

    def renewed(part: Term) -> Dim | None:
        if not isinstance(part, Sum) or not any(_made_of(inner, chosen) for _, inner in part.parts):
            return None
        return added([(change(k) if _made_of(inner, chosen) else k, inner) for k, inner in part.parts], part.number)

    return rewritten(n, renewed)


def _made_of(n: Term, chosen: Collection[Letter]) -> bool:
    """Whether a summand is one of some letters, or a dilated window of them."""
    return n in chosen if isinstance(n, Letter) else not isinstance(n, Quotient) and has_letter(n, chosen.__contains__)


def _adds(sizes: Draft, padding: Collection[Letter]) -> bool:
    """Whether the padding makes sizes larger."""
    sums = [part for side in sizes.parts for part in parts_of(side.term) if isinstance(part, Sum)]
    return any(times > 0 and inner in padding for part in sums for times, inner in part.parts)


def _is_summand(n: Dim, chosen: Collection[Letter]) -> bool:
    """Whether letters are only added or taken away in a formula."""
    return not any(has_letter(part, chosen.__contains__) for part in parts_of(n) if not isinstance(part, (Sum, Letter)))


def _undivided(part: Term) -> Dim | None:
    return part.over if isinstance(part, Quotient) and part.rounding != "exact" else None


def _rounded(n: Dim, rounding: Callable[[Quotient], Any]) -> Dim:
    def renewed(part: Term) -> Dim | None:
        if not isinstance(part, Quotient) or part.rounding == "exact":
            return None
        return divided(part.over, part.under, rounding(part))

    return rewritten(n, renewed)


def _only_divided(n: Dim, side: Dim, up: bool) -> Dim:
    found = next(quotients(n), None)
    return n if found is None else divided(side, found.under, "ceil" if up else "floor")


def _has_sides(op: Any) -> bool:
    return isinstance(getattr(op, "padding", None), tuple)


def _spread(op: Any) -> tuple[Dim, Dim]:
    spread: tuple[Dim, Dim] = op.spread if hasattr(op, "spread") else (1, 1)
    return spread


def _deep(sizes: Draft, depth: Dim, note: str, extra: int = 0) -> Iterator[Slipped]:
    for found in changed(sizes, lambda _: depth, ("c",)):
        yield Slipped(found, note, extra)


# ---------------------------------------------------------------- words


def _worth(chosen: Collection[Letter]) -> str:
    """The values of some letters."""
    return " and ".join(map(exact, sorted({numbers(letter) for letter in chosen})))


def _count(n: Dim) -> str:
    return exact(numbers(n))


def _rest(sizes: Draft) -> str:
    """The first division that does not come out, as a decimal number."""
    for part in sizes.parts:
        for found in quotients(part.term):
            over, under = numbers(found.over), numbers(found.under)
            if over % under:
                return f"{exact(over)}/{exact(under)} = {over / under:.4g}"
    return "the size"
