"""What `solve` is asked, read from the words of a command line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeGuard

from archcalc.analyses.quantities import part_of, quantity
from archcalc.builder.values import LARGEST, Refused, number
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.parser import parse_expect, parse_size
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Source, Span
from archcalc.lang.syntax import Expect, Expr, Input, Layer, Name, Number, Sizes, parts
from archcalc.library import Net, load
from archcalc.solving.conditions import (
    Condition,
    NumberCondition,
    SizeCondition,
    Trial,
    number_condition,
    size_condition,
)
from archcalc.solving.unknowns import ANY_SIDE, Extent, Unknown, numbered, sought_in, unknowns_of
from archcalc.volume import Volume

IMAGE_DEPTH = "3"
SYMBOL = "H"  # the side of an input of any size
WRITTEN = "a size is written as `227`, `227x227` or `227x227x3`"
NO_SYMBOLS = "the input has no symbols: `--in H` is an input of any size"
ANY_SIZE = ("receptive", "layers", "weighted_layers", "depth")  # quantities for which the size of the input is nothing


class Like(NamedTuple):
    """The net that is to be replaced by one that sees and gives as much."""

    text: str
    trial: Trial


class Question(NamedTuple):
    """A net with unknowns, and what is wanted of it."""

    arch: str
    net: Net
    size: Expr | None  # of the input; None is the net's own
    unknowns: tuple[Unknown, ...]
    conditions: tuple[Condition, ...]
    padded: frozenset[Span] = frozenset()  # the layers whose padding is sought within its natural bounds
    like: Like | None = None
    met: bool = False  # every value of the unknowns meets what the layers need

    @property
    def own_input(self) -> Input | None:
        """The (first) input as the text has it."""
        return next(iter(_inputs(self.net)), None)

    @property
    def input_size(self) -> Expr | None:
        """The size of the (first) input: as it is asked, or else as the text has it."""
        return self.size or (self.own_input.size if self.own_input else None)

    @property
    def symbolic(self) -> bool:
        """Whether the input has symbols: then only single values can be tried."""
        return any(map(_is_symbol, parts(self.input_size)))

    @property
    def layers(self) -> frozenset[Span]:
        """Where the layers stand that have an unknown."""
        layers = (each for each in parts(self.net.tree) if isinstance(each, Layer))
        return frozenset(layer.type.span for layer in layers if any(sought_in(layer.args)))

    @property
    def of_sides(self) -> bool:
        """Whether nothing but height and width of the only input is sought."""
        inputs = _inputs(self.net)
        apart = len(list(sought_in((self.net.tree, self.net.args)))) == len(list(sought_in(inputs)))
        return apart and len(inputs) < 2 and all(each.side and not each.shapes for each in self.unknowns)

    @property
    def of_inputs(self) -> bool:
        """Whether nothing but height and width of the input is sought, and nothing but sizes is wanted."""
        sides = self.size.parts if isinstance(self.size, Sizes) else ()
        only = len(sides) == 3 and all(any(sought_in(side)) for side in sides[:2]) and not any(sought_in(sides[2]))
        return only and not any(sought_in((self.net.tree, self.net.args))) and all(map(_is_of_sizes, self.conditions))


def ask(
    arch: str,
    size: str | None = None,
    out: str | None = None,
    at: str | None = None,
    such_that: Sequence[str] = (),
    like: str | None = None,
    no_drops: bool = False,
) -> Question:
    """The question that some words ask; `archcalc solve --help` explains them. Raises `SpecError`."""
    _refuse_contradictions(out, at, such_that, like, no_drops)
    net, model = load(arch), load(like) if like is not None else None
    faults = [*net.faults, *(model.faults if model else ())]
    if faults:
        raise SpecError(in_order(faults))
    said = [(_expect("--such-that", text), text) for text in such_that]
    conditions = [number_condition(expect, text) for expect, text in said if not expect.target.id.startswith("?")]
    if out is not None:
        conditions.insert(0, _out_condition(out, at))
    if no_drops:
        conditions.append(number_condition(_expect("--no-drops", "dropped = 0"), "no row is dropped"))
    net, input_ = numbered(net, _input(net, size, conditions, model))
    question = Question(arch.strip(), net, input_, (), tuple(conditions))
    _refuse_unknown_names(question)
    return _bounded(_liken(question, like, model), [expect for expect, _ in said])


def _refuse_contradictions(
    out: str | None, at: str | None, such_that: Sequence[str], like: str | None, no_drops: bool
) -> None:
    if at is not None and out is None:
        raise _refused("`--at` says where `--out` is wanted, and there is none", "such as `--at conv5_x --out 7x7`")
    if like is not None and out is not None:
        raise _refused("`--like` wants a size already: leave `--out` away")
    if out is None and like is None and not such_that and not no_drops:
        help = 'say what with `--out`, `--such-that "params <= 8M"`, `--no-drops` or `--like`'
        raise _refused("nothing is asked", help)


def _refused(message: str, help: str = "") -> SpecError:
    return SpecError([Fault(message, help=help)])


def _expect(option: str, text: str) -> Expect:
    """A condition of the command line. Raises `SpecError`."""
    found, faults = parse_expect(Source(option, text))
    if faults or found is None:
        raise SpecError(faults)
    return found


def _out_condition(text: str, at: str | None) -> SizeCondition:
    """`55`, `55x55`, `55x55x96`, or `same` as the input. Raises `SpecError`."""
    source = Source("--at", at) if at else Source("--out", text)
    span = Span(source, 0, len(source.text))
    if text.strip() == "same":
        return SizeCondition(at or "", (), True, f"{at or 'output'} as high and wide as the input", span)
    size = _size("--out", text)
    if any(sought_in(size)):
        raise SpecError([Fault("an unknown cannot stand here: `--out` says what is wanted", size.span)])
    said = print_expr(size, tight=True)
    said = said if isinstance(size, Sizes) else f"{said}x{said}"
    return size_condition(at or "", size, f"{at or 'output'} {said}")._replace(span=span)


def _size(option: str, text: str) -> Expr:
    """A size of the command line. Raises `SpecError`."""
    size, faults = parse_size(Source(option, text))
    if faults or size is None:
        raise SpecError(fault._replace(help=fault.help or WRITTEN) for fault in faults)
    return size


def _refuse_unknown_names(question: Question) -> None:
    """Raises `SpecError` where a wanted size names what is no symbol of the input."""
    symbols = dict.fromkeys(each.id for each in parts(question.input_size) if _is_symbol(each))
    some = f"the symbols of the input are {', '.join(symbols)}" if symbols else NO_SYMBOLS
    sides = [side for each in question.conditions if isinstance(each, SizeCondition) for side in each.sides]
    names = (each for side in sides for each in parts(side) if isinstance(each, Name) and each.id not in symbols)
    faults = [Fault(f"unknown name {quoted(each.id)}", each.span, help=some) for each in names]
    if faults:
        raise SpecError(in_order(faults))


def _is_symbol(part: object) -> TypeGuard[Name]:
    return isinstance(part, Name) and part.id[:1].isupper()


def _is_of_sizes(condition: Condition) -> bool:
    """Whether a size in numbers is wanted, or that no row is dropped anywhere."""
    if isinstance(condition, SizeCondition):
        return not condition.same
    return condition.title == "dropped" and condition.most == 0


# ---------------------------------------------------------------- the input


def _inputs(net: Net) -> tuple[Input, ...]:
    return tuple(each for each in parts(net.arch.body if net.arch else net.tree) if isinstance(each, Input))


def _input(net: Net, text: str | None, conditions: Sequence[Condition], model: Net | None) -> Expr | None:
    """The size of the input: as it is said, or with sides that are sought; None: the net's own. Raises `SpecError`."""
    own = next(iter(_inputs(net)), None)
    span = Span(Source("--in", text or "?"), 0, len(text or "?"))
    depth = own.size.parts[2] if own and isinstance(own.size, Sizes) and len(own.size.parts) == 3 else None
    if text is not None:
        return _given(text, depth or Number(span, IMAGE_DEPTH), vector=own is not None and depth is None)
    if not any(sought_in((net.tree, net.args))):
        side = Name(span, "?")
        oblong = any(isinstance(each, SizeCondition) and each.oblong for each in conditions)
        return Sizes(span, (side, Name(span, "?") if oblong else side, depth or Number(span, IMAGE_DEPTH)))
    if own:
        return None
    if model is None and not all(_needs_no_size(condition) for condition in conditions):
        raise _refused("no input is given", "`--in 227`, `--in 227x227x3`, or `--in H` for an input of any size")
    return _of_any_size(model, span)


def _given(text: str, depth: Expr, vector: bool) -> Expr:
    """`227`, `227x227`, `227x227x3`; `?` for what is sought, a capital letter for any size. Raises `SpecError`."""
    size = _size("--in", text)
    if isinstance(size, Sizes) and len(size.parts) == 2:
        return Sizes(size.span, (*size.parts, depth))
    return size if isinstance(size, Sizes) or vector else Sizes(size.span, (size, size, depth))


def _needs_no_size(condition: Condition) -> bool:
    if isinstance(condition, SizeCondition):
        return condition.same or any(isinstance(each, Name) for side in condition.sides for each in parts(side))
    return condition.title in ANY_SIZE


def _of_any_size(model: Net | None, span: Span) -> Expr:
    """HxHx3; or HxHxC with as many channels as the net has that is to be replaced, so that it stands inside a net."""
    side, depth = Name(span, SYMBOL), Number(span, IMAGE_DEPTH)
    size = Sizes(span, (side, side, depth))
    if model is None:
        return size
    if _inputs(model):
        return _inputs(model)[0].size
    leaving = Trial(model.attempt(size, {})).size("", span).c
    return size.replace(parts=(side, side, Number(span, str(leaving))))


def _longer_side(size: Expr | None) -> int | None:
    """Of an input in numbers."""
    return max(_numbers(size.parts[:2] if isinstance(size, Sizes) else (size,)), default=None)


def _numbers(sides: Iterable[object]) -> Iterator[int]:
    """Those of some sides that are numbers. Raises `SpecError`."""
    try:
        yield from (int(number(side)) for side in sides if isinstance(side, Number))
    except Refused as refused:
        raise SpecError([refused.fault]) from None


# ---------------------------------------------------------------- the unknowns


def _bounded(question: Question, said: list[Expect]) -> Question:
    """The question with its unknowns, within natural bounds or those that are said. Raises `SpecError`."""
    side = _longer_side(question.input_size)
    wanted = [each for condition in question.conditions for each in _wanted_sides(condition)]
    unknowns = unknowns_of(question.net, question.size, Extent(side, max(wanted, default=0)))
    if not unknowns:
        raise _refused("nothing is sought", "put `?` in place of what is; without `--in` it is the input")
    if question.symbolic:  # each value has to be tried
        unknowns = tuple(
            each._replace(most=ANY_SIDE, bound="any input") if each.most > ANY_SIDE and not each.shapes else each
            for each in unknowns
        )
    said = [expect for expect in said if expect.target.id.startswith("?")]
    for expect in said:
        at = _named(unknowns, expect.target)
        unknowns = (*unknowns[:at], _within(unknowns[at], expect), *unknowns[at + 1 :])
    free = {unknowns[_named(unknowns, expect.target)].name for expect in said}
    padding = {unknown.name for unknown in unknowns if unknown.kind == "padding"} - free
    layers = [each for each in parts(question.net.tree) if isinstance(each, Layer)]
    padded = frozenset(each.type.span for each in layers if {name.id for name in sought_in(each.args)} & padding)
    return question._replace(unknowns=unknowns, padded=padded)


def _wanted_sides(condition: Condition) -> Iterator[int]:
    """Height and width that are wanted, where they are numbers. Raises `SpecError`."""
    sides = condition.sides[:2] if isinstance(condition, SizeCondition) else ()
    yield from _numbers(sides)
    yield from (side for side in sides if isinstance(side, int))


def _named(unknowns: tuple[Unknown, ...], name: Name) -> int:
    """Which of the unknowns a condition speaks of; `?` is the one without a name."""
    bare = [at for at, unknown in enumerate(unknowns) if not unknown.name[1:2].isalpha()]
    found = bare if name.id == "?" else [at for at, unknown in enumerate(unknowns) if unknown.name == name.id]
    if len(found) == 1:
        return found[0]
    if found:
        raise SpecError(
            [Fault(f"there are {len(found)} unknowns without a name", name.span, help="name them: `?f`, `?s`")]
        )
    names = [unknown.name if unknown.name[1:2].isalpha() else "?" for unknown in unknowns]
    sought = f"what is sought: {', '.join(dict.fromkeys(names))}"
    message = f"there is no unknown {quoted(name.id)}"
    raise SpecError([Fault(message, name.span, help=did_you_mean(name.id, names) or sought)])


def _within(unknown: Unknown, expect: Expect) -> Unknown:
    """An unknown with a bound that is said in place of its natural one."""
    condition = number_condition(expect, "")
    if not isinstance(condition, NumberCondition) or expect.relation == "~":
        raise SpecError(
            [Fault(f"{quoted(unknown.name)} is bounded by `<=`, `>=` or `=` and a number", expect.value.span)]
        )
    least = unknown.least if condition.least is None else -int(-condition.least // 1)
    most = unknown.most if condition.most is None else int(condition.most // 1)
    if condition.most is None and most < least:
        most = LARGEST
    if least > most or most > LARGEST:
        raise SpecError([Fault(f"no number is from {least:,} to {most:,}", expect.value.span)])
    return unknown._replace(least=least, most=most, bound="as said")


# ---------------------------------------------------------------- likeness


def _liken(question: Question, text: str | None, model: Net | None) -> Question:
    """The question with what `--like` wants: the size that another net gives, and its receptive field."""
    if text is None or model is None:
        return question
    size = question.input_size
    if any(sought_in(size)):
        raise _refused("`--like` compares on one input, and here it is sought", "put `?` into the net")
    trial = Trial(model.attempt(size, {}))
    span = Span(Source("--like", text), 0, len(text))
    volume: Volume = trial.size("", span)
    receptive = quantity(part_of(trial.report, None), "receptive")
    sees = _expect("--like", f"receptive = {receptive}")
    conditions = (
        SizeCondition("", tuple(volume), False, f"output {volume}", span),
        number_condition(sees, f"receptive = {receptive}"),
    )
    return question._replace(conditions=(*conditions, *question.conditions), like=Like(text.strip(), trial))
