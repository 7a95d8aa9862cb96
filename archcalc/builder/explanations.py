"""What is said of a fault that takes looking around: at what else is known, at the paths that led to a volume."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from archcalc.builder.arguments import usage
from archcalc.builder.values import Scope
from archcalc.graph import Node
from archcalc.lang.errors import Fault, did_you_mean, nearest, quoted
from archcalc.lang.parser import KEYWORDS
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Span
from archcalc.lang.syntax import Argument, BlockCall, Layer, Name
from archcalc.ops import REGISTRY, Need
from archcalc.volume import Shape, Volume

INNER_WORDS = ("else", "and", "or", "not", "as")  # of the language, that start no statement
MOST_STEPS_OF_A_PATH = 3


def place_of(span: Span, beside: Span) -> str:
    """Where something stands, for a fault that stands elsewhere: its line, and its file if that is another.

    >>> from archcalc.lang.source import Source
    >>> mine, other = Source("mine.arch", "relu"), Source("other.arch", "tanh")
    >>> place_of(Span(mine, 0, 4), Span(mine, 2, 4)), place_of(Span(other, 0, 4), Span(mine, 2, 4))
    ('line 1', 'other.arch:1')
    """
    return f"line {span.line}" if span.source is beside.source else f"{span.source.name}:{span.line}"


def unknown_layer(statement: Layer, scope: Scope) -> Fault:
    """A word that is no layer type: a block that is not called, a name from elsewhere, a slip of the pen."""
    word, span = statement.type.id, statement.type.span
    if scope.block(word):
        return Fault(f"`{word}` is a block", span, help=f"call it: `{word}({_listed(statement.args, ', ')})`")
    foreign = {name: cls.types[0] for cls in REGISTRY.values() for name in cls.known_as}
    starts = (word for word in KEYWORDS if word not in INNER_WORDS)
    near = nearest(word.lower(), (*REGISTRY, *starts, *scope.all_blocks(), *foreign))
    help = f"did you mean `{near}`?" if near else ""
    if word.lower() in foreign:
        help = f"it is called `{foreign[word.lower()]}` here"
    elif near in foreign:
        help = f"did you mean `{foreign[near]}`?"
    return Fault(f"{quoted(word)} is not a layer type", span, help=help)


def unknown_block(statement: BlockCall, scope: Scope) -> Fault:
    """A word with brackets that is no block."""
    word, span = statement.block.id, statement.block.span
    if word in REGISTRY:
        help = f"write `{' '.join([word, *_as_layer(word, statement.args)])}`, without brackets"
        return Fault(f"`{word}` is a layer type, not a block", span, help=help)
    help = did_you_mean(word, (*scope.all_blocks(), *REGISTRY))
    return Fault(f"no block is called {quoted(word)}", span, help=help)


def _listed(args: tuple[Argument, ...], between: str) -> str:
    named = (f"{arg.name}=" if arg.name else "" for arg in args)
    return between.join(name + print_expr(arg.value, tight=True) for name, arg in zip(named, args, strict=True))


def nothing_arrives(layer: Name) -> Fault:
    """A layer before any input."""
    help = "start the net with `input 224x224x3`, or give `--input`"
    return Fault(f"no volume arrives at `{layer.id}`", layer.span, help=help)


def unlike_weights(name: str, wanted: dict[str, Shape], owner: str, found: dict[str, Shape], span: Span) -> Fault:
    """A layer that is to share the weights of another, and cannot."""
    if not wanted or not found:
        return Fault(f"`{owner if wanted else name}` has no weights that could be shared", span)
    message = f"`{name}` cannot share the weights of `{owner}`: their shapes differ"
    return Fault(message, span, f"`{name}` has {_shapes(wanted)}, `{owner}` has {_shapes(found)}")


def _shapes(weights: dict[str, Shape]) -> str:
    return " and ".join("x".join(str(n) for n in shape) for shape in weights.values())


def misfit(
    need: Need, meeting: Sequence[str], inputs: Sequence[int], nodes: Sequence[Node], outs: Sequence[Volume], span: Span
) -> Fault:
    """Volumes that meet and do not fit: the sizes of both, and how each came to be since their paths parted.

    `meeting` says what each of them is, `inputs` are the indices of their nodes.
    """
    ends = [inputs[i] for i in need.volumes]
    ways = [_way(end, nodes) for end in ends]
    parting = max(set(ways[0]).intersection(*ways), default=UNSHARED)
    told, notes = [], []
    for i, end, way in zip(need.volumes, ends, ways, strict=True):
        made = nodes[end].span
        where = f" ({place_of(made, span)})" if made.line != span.line or made.source is not span.source else ""
        told.append(f"{meeting[i]} is {outs[end]}{where}")
        steps = [index for index in way if index > parting]
        path = list(_path(steps, parting, nodes, outs))
        if len(path) > 1:
            notes.append(f"{meeting[i]}: {' -> '.join(path)}")
    return Fault(need.message, span, ", ".join(told), need.help, tuple(notes))


UNSHARED = -1  # two inputs: the paths never were one


def _way(index: int, nodes: Sequence[Node]) -> list[int]:
    """The layers from an input to one of them, by the first of the volumes that arrive at each."""
    way = [index]
    while nodes[way[-1]].inputs:
        way.append(nodes[way[-1]].inputs[0])
    return way[::-1]


def _path(steps: list[int], parting: int, nodes: Sequence[Node], outs: Sequence[Volume]) -> Iterator[str]:
    """The sizes along a path and the layers that change them, the last few."""
    if parting == UNSHARED:
        parting, *steps = steps
    changing = [index for index in steps if outs[index] != outs[nodes[index].inputs[0]]]
    yield str(outs[parting])
    if len(changing) > MOST_STEPS_OF_A_PATH:
        yield "…"
    for index in changing[-MOST_STEPS_OF_A_PATH:]:
        yield nodes[index].op.text()
        yield str(outs[index])


def _as_layer(word: str, args: tuple[Argument, ...]) -> list[str]:
    """The arguments of a call as its layer takes them: `(3, 1, 1, 16)` of a `conv` as `3/1/1 16`."""
    texts = [_listed((arg,), "") for arg in args]
    plain = [text for arg, text in zip(args, texts, strict=True) if arg.name is None]
    named = [text for arg, text in zip(args, texts, strict=True) if arg.name is not None]
    slots = usage(REGISTRY[word]).slots
    first = max(1, len(plain) - len(slots) + 1) if slots else len(plain)
    return ["/".join(plain[:first]), *plain[first:], *named] if plain else named
