"""How parameters and operations come out wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archcalc.analyses.terms import Letter, Quotient, Term
from archcalc.homework.mistakes.drafts import PARAMETERS, Draft, Part, arrays, draft, number
from archcalc.homework.mistakes.registry import DONE, LEARNT, Slipped, slip
from archcalc.homework.mistakes.rewriting import (
    divided,
    has_letter,
    numbers,
    rewritten,
    with_letters,
    without_factor,
)
from archcalc.homework.mistakes.scenes import Scene
from archcalc.homework.mistakes.sizes import renumbered
from archcalc.units import exact
from archcalc.volume import Dim, Volume

COUNTED = (*LEARNT, *DONE)
COUNTS_OF_LAYER = ("weights", "biases")
MULTIPLIED = ("weights", "macs")  # roles of the parts that are products of window, depth and filters


# ---------------------------------------------------------------- biases


@slip("bias forgotten", 10, ("params", "flops"), "the biases are left out", "11*11*3*96 = 34,848 for 34,944")
def no_bias(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Without biases; without the additions of biases."""
    if count.has("weights") and count.has("biases") and scene.row.cost.macs != 0:
        missing = _many(numbers(count.of("biases")), "bias", "biases")
        yield Slipped(count.without("biases"), f"{missing} missing")
    if count.has("macs") and count.has("adds"):
        missing = _many(numbers(count.of("adds")), "addition of a bias", "additions of biases")
        yield Slipped(count.without("adds"), f"{missing} missing")


@slip("shift forgotten", 30, ("params",), "one number for each slice of depth where two are learnt", "64 for 2*64")
def no_shift(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """The scale alone."""
    if count.has("weights") and count.has("biases") and scene.row.cost.macs == 0:
        yield Slipped(count.without("biases"), f"{scene.row.name} learns a scale and a shift")


@slip("bias counted twice", 10, ("params", "biases"), "the biases are added twice", "11*11*3*96 + 2*96 = 35,040")
def two_biases(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Biases twice."""
    if count.has("biases") and scene.row.cost.macs != 0:
        twice = _many(numbers(count.of("biases")), "bias", "biases")
        yield Slipped(count.plus("biases", count.of("biases")), f"{twice} there twice")


@slip(
    "one bias for the layer",
    15,
    ("params", "biases"),
    "one bias in place of one for each filter",
    "34,848 + 1 = 34,849",
)
def single_bias(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """One bias."""
    if count.has("biases") and scene.row.cost.macs != 0:
        each = exact(numbers(count.of("biases")))
        yield Slipped(count.change("biases", lambda _: 1), f"there are {each} biases, one for each filter")


@slip("a bias for each slice", 20, ("params", "biases"), "a bias for each slice of a filter", "34,848 + 3*96 = 35,136")
def slice_biases(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """C*N biases; C biases."""
    if count.has("biases") and len(scene.x) == 1 and scene.row.cost.macs != 0:
        note = "a filter has one bias, whatever its depth"
        yield Slipped(count.change("biases", lambda n: scene.x[0].c * n), note)
        note = f"there are as many biases as filters, {exact(numbers(count.of('biases')))}, not as slices that arrive"
        yield from _renewed(count, "biases", lambda _: scene.x[0].c, note, 5, 1)


@slip("a bias for each weight", 35, ("params",), "as many biases as weights", "2*34,848 = 69,696")
def weight_biases(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Weights twice."""
    if count.has("weights") and count.has("biases") and scene.row.cost.macs != 0:
        many = count.of("weights")
        yield Slipped(count.change("biases", lambda _: many), "a filter has one bias, however many weights")


@slip("a bias for each output", 20, ("params", "biases"), "a bias at each position", "34,848 + 55*55*96 = 325,248")
def place_biases(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """h*w*N biases."""
    if count.has("biases") and scene.row.cost.macs != 0:
        note = "all positions share the bias of their filter"
        yield from _renewed(count, "biases", lambda _: scene.out.values, note)


@slip(
    "bias counted where there is none",
    10,
    ("params",),
    "a bias for each filter of a layer without",
    "9,408 + 64 = 9,472",
)
def added_bias(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """N more."""
    if scene.row.cost.macs != 0 and count.has("weights") and not count.has("biases"):
        yield Slipped(count.plus("biases", scene.out.c), f"{scene.row.name} has no biases")


@slip(
    "biases counted", 10, ("weights",), "biases are counted where weights alone are asked for", "34,848 + 96 = 34,944"
)
def with_biases(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Weights and biases."""
    biases = tuple(arrays(scene, ("biases",)))
    if count.has("weights") and biases and not count.has("biases"):
        yield Slipped(Draft((*count.parts, *biases)), f"{exact(Draft(biases).value)} of them are biases")


@slip(
    "bias adds counted", 15, ("macs",), "the additions of biases are counted as multiply-adds", "105,415,200 + 290,400"
)
def bias_adds(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """A multiply-add more for each output."""
    adds = draft(scene, "flops").of("adds")
    if count.has("macs") and numbers(adds):
        yield Slipped(count.plus("adds", adds), "the bias comes with no multiplication: it is no multiply-add")


# ---------------------------------------------------------------- factors


@slip("HxW counted in the parameters", 10, LEARNT, "weights for each position", "55*55 * 11*11*3*96 = 105,415,200")
def at_each_place(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Times the area of the output, or of the input; weights alone, or biases too."""
    for volume, extra in ((scene.out, 0), *((x, 5) for x in scene.x[:1])):
        if numbers(volume.area) > 1:
            note = f"all {_area(volume)} positions share the weights"
            forms = ((("weights",), count), (COUNTS_OF_LAYER, count), (("weights",), count.without("biases")))
            for way, (roles, basis) in enumerate(forms, 10 if extra else 0):
                yield from _renewed(basis, roles, lambda n: volume.area * n, note, extra, way)  # noqa: B023  # used at once


@slip("kernel once", 15, COUNTED, "one side of the window in place of its area", "11*3*96 + 96 = 3,264")
def one_side_of_window(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """F in place of F*F."""
    window = scene.letters_of("kernel")
    note = "a window has a height and a width"
    yield from _renewed(count, MULTIPLIED, lambda n: without_factor(n, window.__contains__, 1), note)


@slip("kernel forgotten", 20, COUNTED, "the window is left out", "3*96 + 96 = 384")
def no_window(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Without F*F."""
    window = scene.letters_of("kernel")
    note = "each cell of the window has a weight"
    yield from _renewed(count, MULTIPLIED, lambda n: without_factor(n, window.__contains__), note)


@slip(
    "depth forgotten",
    10,
    COUNTED,
    "filters taken for flat: the depth that arrives is left out",
    "11*11*96 + 96 = 11,712",
)
def flat(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Without C."""
    depths = scene.sides("c")
    if scene.inputs:
        note = f"filters go through the whole depth of {exact(numbers(scene.inputs[0].c))}"
        yield from _renewed(count, MULTIPLIED, lambda n: without_factor(n, depths.__contains__), note)


@slip("filters forgotten", 15, COUNTED, "one filter in place of all", "11*11*3 + 1 = 364")
def one_filter(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Without N; the biases all the same."""
    deep = {side for side in (scene.y.c, scene.out.c) if isinstance(side, Letter)}
    if scene.op.weights(*scene.inputs):
        note = f"there are {exact(numbers(scene.output.c))} filters"
        for roles, extra in (((*MULTIPLIED, "biases", "adds"), 0), (MULTIPLIED, 1)):
            yield from _renewed(count, roles, lambda n: without_factor(n, deep.__contains__), note, extra, extra)


@slip("not flattened", 15, COUNTED, "a volume enters a fully connected layer by its depth alone", "256*4096 + 4096")
def only_depth(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """C*N in place of H*W*C*N; H*C*N."""
    for sides, extra in ((scene.sides("h") | scene.sides("w"), 0), (scene.sides("w"), 10)):
        note = "all positions of the volume enter, height times width"
        yield from _renewed(count, MULTIPLIED, lambda n: without_factor(n, sides.__contains__), note, extra, extra)  # noqa: B023


@slip("groups ignored", 10, COUNTED, "each filter goes through the whole depth", "5*5*96*256 + 256 for 2 groups")
def no_groups(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """C in place of C/G; all filters over the whole depth where each slice has its own."""
    groups = scene.letters_of("groups")
    note = f"a filter sees one of {' and '.join(exact(numbers(letter)) for letter in groups)} groups of the depth"
    yield from _renewed(count, MULTIPLIED, lambda n: rewritten(n, lambda part: _undivided(part, groups)), note)
    if len(scene.x) == 1 and scene.letters_of("kernel") and has_letter(scene.y.c, scene.sides("c").__contains__):
        note = "each slice of depth has filters of its own, one slice deep"
        yield from _renewed(count, MULTIPLIED, lambda n: n * scene.x[0].c, note)


@slip("groups multiplied", 25, COUNTED, "the groups are taken times in place of shared out", "5*5*96*2*256 + 256")
def times_groups(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """C*G in place of C/G."""
    groups = scene.letters_of("groups")

    def renewed(part: Term) -> Dim | None:
        found = _undivided(part, groups)
        return found * part.under if found is not None and isinstance(part, Quotient) else None

    yield from _renewed(count, MULTIPLIED, lambda n: rewritten(n, renewed), "groups make filters less deep")


@slip(
    "groups divided twice", 25, COUNTED, "depth and filters are both shared out among the groups", "5*5*(96/2)*(256/2)"
)
def fewer_filters(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """(C/G)*(N/G)."""
    for group in scene.letters_of("groups"):
        note = "that is one group: there are as many weights again for each"
        yield from _renewed(count, MULTIPLIED, lambda n: divided(n, group, "exact"), note)  # noqa: B023  # used at once


@slip("-1 forgotten", 15, ("flops",), "F*F operations for F*F values, where one less does", "27*27*96 * 3*3")
def all_compares(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """F*F in place of F*F - 1."""
    note = "the first value has nothing to be compared with or added to"
    yield from _renewed(count, count.roles, lambda n: renumbered(n, -1, 0), note)


# ---------------------------------------------------------------- areas


@slip(
    "input area for output area",
    10,
    DONE,
    "counted at the positions of the input: the stride is ignored",
    "227*227*96 * 11*11*3",
)
def input_area(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """H*W in place of h*w, with the additions of biases or without."""
    for volume in scene.x[:1]:
        sides = _mapped(scene.out, volume)
        note = f"a filter works at {_area(scene.output)} positions, one for each output"
        yield from _renewed(count, MULTIPLIED, lambda n: with_letters(n, sides), note)  # noqa: B023  # used at once
        yield from _renewed(count, count.roles, lambda n: with_letters(n, sides), note, 0, 1)  # noqa: B023


@slip("output area for input area", 10, DONE, "counted at the positions of the output", "28*28 for 14*14")
def output_area(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """h*w in place of H*W."""
    for volume in scene.x[:1]:
        sides = _mapped(volume, scene.out)
        note = f"the work is done at {_area(scene.inputs[0])} positions, one for each cell that arrives"
        if not any(has_letter(part.term, set(scene.out[:2]).__contains__) for part in count.parts):
            yield from _renewed(count, count.roles, lambda n: with_letters(n, sides), note)  # noqa: B023  # used at once


@slip("positions forgotten", 10, DONE, "one application of the filters, as many as weights", "11*11*3*96 = 34,848")
def one_place(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Without h*w."""
    area = {side for side in scene.out[:2] if isinstance(side, Letter)}
    note = f"that is done at {_area(scene.output)} positions"
    yield from _renewed(count, count.roles, lambda n: without_factor(n, area.__contains__), note)


@slip("positions once", 20, DONE, "height in place of height times width", "55*96 * 11*11*3")
def one_row(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """h in place of h*w."""
    width = {side for side in scene.out[1:2] if isinstance(side, Letter)}
    note = f"that is done at {_area(scene.output)} positions"
    yield from _renewed(count, count.roles, lambda n: without_factor(n, width.__contains__), note)


# ---------------------------------------------------------------- what counts as an operation


@slip("FLOPs for MACs", 10, ("macs",), "two operations for each multiply-add", "2*105,415,200 = 210,830,400")
def doubled(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """2*MACs; all FLOPs."""
    note = "a multiply-add is counted once"
    yield from _renewed(count, "macs", lambda n: 2 * n, note)
    if count == draft(scene, "macs"):
        flops = draft(scene, "flops")
        if flops.value != count.value:
            yield Slipped(flops, note, 0, 1)


@slip("MACs for FLOPs", 10, ("flops",), "a multiply-add counted as one operation", "105,415,200 for 2*105,415,200")
def halved(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """MACs alone; with the other operations."""
    if count.has("macs") and numbers(count.of("macs")) % 2 == 0:
        once = _half(count.of("macs"))
        yield Slipped(Draft((Part("macs", once),)), "a multiply-add is two operations")
        yield Slipped(count.change("macs", lambda _: once), "a multiply-add is two operations", 5, 1)
    elif count.value and not count.has("macs"):
        yield Slipped(Draft(()), f"{exact(count.value)} operations are no multiply-adds")


@slip("only 2 a multiply-add", 10, ("flops",), "all operations but multiply-adds are left out", "2*105,415,200")
def only_macs(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """2*MACs; nothing where there are none."""
    rest = count.without("macs")
    if rest.value:
        only = Draft(tuple(part for part in count.parts if part.role == "macs"))
        yield Slipped(only, f"{exact(rest.value)} other operations are missing")


# ---------------------------------------------------------------- what counts as a parameter


@slip(
    "BN buffers counted", 10, ("params",), "mean and variance are counted, which are not learnt", "4*64 = 256 for 2*64"
)
def with_buffers(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Buffers too."""
    buffers = tuple(arrays(scene, ("buffers",)))
    if buffers and scene.row.node.share is None and not count.has("buffers"):
        total = exact(Draft(buffers).value)
        yield Slipped(Draft((*count.parts, *buffers)), f"{total} of them are kept, not learnt")


@slip("BN forgotten", 10, ("params",), "scale and shift of batch normalization are left out", "0 for 2*64 = 128")
def no_norm(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """None."""
    if count.value and any(arrays(scene, ("buffers",))):
        yield Slipped(Draft(()), f"{exact(count.value)} numbers are learnt")


@slip(
    "shared weights counted twice", 10, LEARNT, "weights counted again where they are used again", "conv … share=conv1"
)
def shared(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """Its arrays, though another layer owns them."""
    if scene.row.node.share is not None and not count.parts:
        owner = scene.net.report.graph.nodes[scene.row.node.share].name
        yield Slipped(Draft(tuple(arrays(scene, PARAMETERS["params"]))), f"the weights are those of {owner}")


@slip("parameters where there are none", 10, LEARNT, "a pooling window taken for weights", "3*3*96 = 864")
def of_pooling(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """F*F*C, F*F, F*F*C + C, F*F*C*C, F*F*C*C + C."""
    window = getattr(scene.lettered, "kernel", None)
    if window is None or len(scene.x) != 1 or scene.op.weights(*scene.inputs):
        return
    area, depth = window[0] * window[1], scene.x[0].c
    note = f"a {scene.op.type} layer has nothing to learn"
    for extra, (weights, biases) in enumerate(
        ((area * depth, 0), (area, 0), (area * depth, depth), (area * depth * depth, 0), (area * depth * depth, depth))
    ):
        yield Slipped(Draft((Part("weights", weights), Part("biases", biases))), note, extra, extra)


@slip(
    "next layer counted too",
    30,
    ("params", *DONE),
    "the layers behind it that a drawing puts into its box",
    "9,408 + 128",
)
def with_next(scene: Scene, count: Draft) -> Iterator[Slipped]:
    """And what follows before the next that multiplies and adds, one layer more at a time."""
    quantity = "macs" if count.roles == ("macs",) else "flops" if count.has("macs") else "params"
    names: list[str] = []
    for row in scene.net.report.rows[scene.at + 1 :] if count.has("weights") or count.has("macs") else ():
        if row.cost.macs != 0:
            return
        more = getattr(row.cost, quantity)
        if more:
            names.append(row.name)
            count = count.plus("next", number(more, row.name))
            yield Slipped(count, f"{' and '.join(names)} counted with it", len(names))


# ---------------------------------------------------------------- changes of formulas


def _renewed(
    count: Draft, roles: str | tuple[str, ...], change: Callable[[Dim], Dim], note: str, extra: int = 0, way: int = 0
) -> Iterator[Slipped]:
    """The count with a change of the parts of some roles, if it changes one."""
    found = count.change(roles, change)
    if found.value != count.value:
        yield Slipped(found, note, extra, way)


def _undivided(part: Term, groups: frozenset[Letter]) -> Dim | None:
    """What is shared out among groups."""
    return part.over if isinstance(part, Quotient) and part.under in groups else None


def _half(n: Dim) -> Dim:
    """Half of a formula that is even: without its factor 2, if it has one."""
    factors = getattr(n, "factors", ())
    if 2 in factors:
        at = factors.index(2)
        rest: Dim = 1
        for factor in (*factors[:at], *factors[at + 1 :]):
            rest = rest * factor
        return rest
    return divided(n, 2, "exact")


def _mapped(old: Volume, new: Volume) -> dict[Letter, Dim]:
    """The height and width of one volume for those of another."""
    return {a: b for a, b in zip(old[:2], new[:2], strict=True) if isinstance(a, Letter)}


# ---------------------------------------------------------------- words


def _area(volume: Volume) -> str:
    return f"{exact(numbers(volume.h))}x{exact(numbers(volume.w))}"


def _many(count: int, one: str, more: str) -> str:
    return f"the {one} is" if count == 1 else f"the {exact(count)} {more} are"
