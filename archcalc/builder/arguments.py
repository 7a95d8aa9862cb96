"""Arguments of the text bound to the fields of a layer type, or to the parameters of a block."""

from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction
from typing import Any, NamedTuple

from archcalc.builder.values import Evaluator, Refused, Unknown, Value
from archcalc.interval import Interval
from archcalc.lang.errors import Fault, did_you_mean, quoted
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Span
from archcalc.lang.syntax import Argument, Between, Expr, Name, Param, Sizes, Slashed
from archcalc.ops.base import Op, shown
from archcalc.record import MISSING, Field

WORDS = ("half", "same", "full")


class Bound(NamedTuple):
    """A layer with its arguments: the op, where each argument stands, whose weights it shares."""

    op: Op
    spans: dict[str, Span]
    share: Name | None


class Usage(NamedTuple):
    """How the arguments of a layer type are written, read off its fields."""

    slots: tuple[tuple[Field, ...], ...]  # positional; those of one slot are parted by slashes
    flags: dict[str, tuple[str, bool]]  # word -> field, value
    text: str

    def help(self, type_: Name) -> str:
        """The usage, for a fault: under the name that was typed."""
        _, space, rest = self.text.partition(" ")
        return f"`{type_.id}{space}{rest}`" if rest else ""


_usages: dict[type[Op], Usage] = {}


def usage(cls: type[Op]) -> Usage:
    """How a layer type is written: `conv kernel/stride/padding filters [groups=] [dilation=] [nobias]`."""
    if cls not in _usages:
        slots: list[tuple[Field, ...]] = []
        flags: dict[str, tuple[str, bool]] = {}
        words = [cls.types[0]]
        for field in cls.fields.values():
            if field.kind == "Flag":
                flags |= {field.name: (field.name, True), f"no{field.name}": (field.name, False)}
                words.append(f"[{'no' if field.default else ''}{field.name}]")
            elif field.slash:
                slots[-1] += (field,)
                words[-1] += f"/{field.name}"
            elif field.named:
                words.append(f"[{field.name}=]")
            else:
                slots.append((field,))
                words.append(field.name if field.default is MISSING else f"[{field.name}]")
        _usages[cls] = Usage(tuple(slots), flags, " ".join(words))
    return _usages[cls]


def bind_layer(cls: type[Op], type_: Name, args: tuple[Argument, ...], evaluator: Evaluator) -> Bound:
    """The layer with its arguments; raises `Refused` with the first fault, `Unknown` where a value is unknown."""
    use = usage(cls)
    exprs: dict[str, Expr] = {}
    values: dict[str, Any] = {}
    spans: dict[str, Span] = {}
    share: Name | None = None
    slots = list(use.slots)
    for arg in args:
        flag = use.flags.get(arg.value.id) if isinstance(arg.value, Name) and arg.name is None else None
        if arg.name == "share":
            share, spans["share"] = _label(arg), arg.value.span
        elif flag:
            _once(values, flag[0], arg)
            values[flag[0]], spans[flag[0]] = flag[1], arg.span
        elif arg.name is not None:
            _named(cls, type_, arg)
            _once(exprs, arg.name, arg)
            exprs[arg.name], spans[arg.name] = arg.value, arg.span
        else:
            while slots and slots[0][0].name in exprs:
                slots.pop(0)
            if not slots:
                raise Refused(_extra(use, type_, arg, evaluator))
            for field, part in _parts(slots.pop(0), arg, use.help(type_)):
                _once(exprs, field.name, arg)
                exprs[field.name], spans[field.name] = part, part.span
    for name, expr in exprs.items():
        values[name] = _convert(cls.fields[name], expr, evaluator, tuple(use.flags))
    for field in cls.fields.values():
        if field.name not in values and field.default is MISSING:
            message = f"`{type_.id}` lacks its {field.name}: {field.about}"
            raise Refused(Fault(message, type_.span, help=use.help(type_)))
    _resolve_words(cls, values, spans)
    return Bound(cls(**values), spans, share)


def bind_call(
    name: str,
    params: tuple[Param, ...],
    args: tuple[Argument, ...],
    outer: Evaluator,
    inner: Evaluator,
    span: Span,
    freed: Callable[[Param, Value], Value] = lambda _, value: value,
) -> None:
    """Puts the arguments of a call, or the defaults, into the scope of `inner`, as `freed` hands them on."""
    names = [param.name for param in params]
    if len(set(names)) < len(names):
        raise Unknown  # told where the parameters stand
    given: dict[str, Argument] = {}
    for at, arg in enumerate(args):
        if arg.name is None and at >= len(params):
            count = f"{len(params)} argument{'s' * (len(params) != 1)}, not {len(args)}" if params else "no arguments"
            raise Refused(Fault(f"`{name}` takes {count}", arg.span, help=_signature(name, params) if params else ""))
        key = arg.name or names[at]
        if key not in names:
            message = f"`{name}` has no parameter {quoted(key)}"
            raise Refused(Fault(message, _key(arg), help=did_you_mean(key, names) or _signature(name, params)))
        _once(given, key, arg)
        given[key] = arg
    for param in params:
        expr = given[param.name].value if param.name in given else param.default
        if expr is None:
            raise Refused(Fault(f"`{name}` lacks its argument `{param.name}`", span, help=_signature(name, params)))
        try:
            inner.scope.names[param.name] = freed(param, (outer if param.name in given else inner).value(expr))
        except Unknown:
            inner.scope.names[param.name] = None


def _signature(name: str, params: tuple[Param, ...]) -> str:
    return f"`{name}({', '.join(p.name if p.default is None else f'{p.name}=…' for p in params)})`"


def _once(given: dict[str, Any], name: str, arg: Argument) -> None:
    if name in given:
        raise Refused(Fault(f"`{name}` is given twice", arg.span))


def _key(arg: Argument) -> Span:
    """The name of an argument in the text."""
    return arg.span._replace(end=arg.span.start + len(arg.name or ""))


def _named(cls: type[Op], type_: Name, arg: Argument) -> None:
    if arg.name not in cls.fields:
        help = did_you_mean(arg.name or "", (*cls.fields, "share")) or usage(cls).help(type_)
        raise Refused(Fault(f"`{type_.id}` has no argument {quoted(arg.name or '')}", _key(arg), help=help))


def _label(arg: Argument) -> Name:
    """The layer whose weights are shared."""
    if not isinstance(arg.value, Name):
        raise Refused(Fault("`share` takes the label of a layer", arg.value.span))
    return arg.value


def _extra(use: Usage, type_: Name, arg: Argument, evaluator: Evaluator) -> Fault:
    if isinstance(arg.value, Name) and not evaluator.scope.find(arg.value.id):
        help = did_you_mean(arg.value.id, use.flags) or use.help(type_)
        return Fault(f"`{type_.id}` knows no word {quoted(arg.value.id)}", arg.span, help=help)
    more = "more " if use.slots else ""
    return Fault(f"`{type_.id}` takes no {more}arguments", arg.span, help=use.help(type_))


def _parts(slot: tuple[Field, ...], arg: Argument, help: str) -> list[tuple[Field, Expr]]:
    """The parts that slashes make of an argument, each with its field."""
    parts = arg.value.parts if isinstance(arg.value, Slashed) else (arg.value,)
    if len(parts) > len(slot):
        surplus = parts[len(slot)].span.to(parts[-1].span)
        if len(slot) == 1:
            message, help = f"{slot[0].name} has no second part", "to divide, write `//`"
        else:
            message = (
                f"{quoted(print_expr(arg.value))} has {len(parts)} parts, not {'/'.join(field.name for field in slot)}"
            )
        raise Refused(Fault(message, surplus, help=help))
    return list(zip(slot, parts, strict=False))


# ---------------------------------------------------------------- kinds of argument


def _convert(field: Field, expr: Expr, evaluator: Evaluator, words: tuple[str, ...]) -> Any:
    kind = field.kind.removesuffix(" | None")

    def whole(part: Expr, least: int = 1) -> Value:
        found = evaluator.value(part, also=words)
        if isinstance(found, bool) or not (kind == "Count" or isinstance(found, (int, Fraction, Interval))):
            found = evaluator.number(part)  # refuses it
        if isinstance(found, Fraction):
            message = f"{field.name} must be a whole number, not {shown(found)}"
            raise Refused(Fault(message, part.span, help="`round`, `floor` or `ceil` it"))
        if isinstance(found, int) and found < least:
            raise Refused(Fault(f"{field.name} must be at least {least}, not {found}", part.span))
        return found if isinstance(found, int) else evaluator.symbolic(found, least, part, field.name)

    return _KINDS[kind](field, expr, whole, evaluator)


_Whole = Callable[..., Any]


def _two(expr: Expr, field: Field) -> tuple[Expr, Expr]:
    """Height and width: `h x w`, or one for both."""
    if isinstance(expr, Sizes):
        if len(expr.parts) != 2:
            message = f"{quoted(print_expr(expr))} has {len(expr.parts)} sizes: {field.name} is height x width"
            raise Refused(Fault(message, expr.span))
        return expr.parts[0], expr.parts[1]
    return expr, expr


def _pair(field: Field, expr: Expr, whole: _Whole, _: Evaluator) -> tuple[Any, Any]:
    if isinstance(expr, Name) and expr.id in WORDS:
        help = "padding is the third part, `f/S/P`" if field.slash else ""
        raise Refused(Fault(f"`{expr.id}` is a padding and cannot be the {field.name}", expr.span, help=help))
    least = 0 if field.default == (0, 0) else 1
    h, w = _two(expr, field)
    first = whole(h, least)
    return first, first if w is h else whole(w, least)


def _padding(field: Field, expr: Expr, whole: _Whole, evaluator: Evaluator) -> Any:
    if isinstance(expr, Name) and expr.id in WORDS and not evaluator.scope.find(expr.id):
        return expr.id

    def ends(part: Expr) -> tuple[Any, Any]:
        if isinstance(part, Between):
            return whole(part.before, 0), whole(part.after, 0)
        both = whole(part, 0)
        return both, both

    if not isinstance(expr, (Sizes, Between)):
        evaluator.value(expr, also=WORDS)  # a misspelt word is told from a name
    h, w = _two(expr, field)
    first = ends(h)
    return first, first if w is h else ends(w)


def _range(field: Field, expr: Expr, whole: _Whole, _: Evaluator) -> tuple[Any, Any]:
    if not isinstance(expr, Between):
        raise Refused(Fault(f"{field.name} are written `first:last`", expr.span))
    return whole(expr.before, 0), whole(expr.after, 0)


def _real(field: Field, expr: Expr, _: _Whole, evaluator: Evaluator) -> Fraction:
    found = evaluator.number(expr)
    if found < 0:
        raise Refused(Fault(f"{field.name} must not be negative: {shown(found)}", expr.span))
    return Fraction(found)


_KINDS: dict[str, Callable[[Field, Expr, _Whole, Evaluator], Any]] = {
    "Pair": _pair,
    "Padding": _padding,
    "Count": lambda field, expr, whole, _: whole(expr),
    "Whole": lambda field, expr, whole, _: whole(expr, 0),
    "Range": _range,
    "Real": _real,
    "Flag": lambda field, expr, _, evaluator: evaluator.truth(expr),
}


def _resolve_words(cls: type[Op], values: dict[str, Any], spans: dict[str, Span]) -> None:
    """`half` and `full` in numbers; they follow from the kernel. `same` stays: it follows from the input."""
    for name, field in cls.fields.items():
        word = values.get(name)
        if field.kind != "Padding" or not isinstance(word, str):
            continue
        if "kernel" not in values:
            raise Refused(Fault(f"`{word}` padding follows from a window, and `{cls.types[0]}` has none", spans[name]))
        kernel = values["kernel"]
        if word == "half":
            if any(k % 2 == 0 for k in kernel):
                size = "x".join(str(k) for k in dict.fromkeys(kernel))
                raise Refused(
                    Fault(
                        f"`half` needs an odd kernel, not {size}", spans[name], help="write `same`, or `before:after`"
                    )
                )
            values[name] = tuple(((k - 1) // 2, (k - 1) // 2) for k in kernel)
        elif word == "full":
            values[name] = tuple((k - 1, k - 1) for k in kernel)
