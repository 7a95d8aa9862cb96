"""The tree of a text. Records compare by what they say: spans are carried for carets and not compared.

Layout that the canonical text keeps (comments, empty lines, what shares a line) is part of the tree, so that
`parse(print(tree)) == tree` says that nothing is lost.
"""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.lang.source import Span
from archcalc.record import Record

# ---------------------------------------------------------------- expressions


class Expr(Record, uncompared=("span",)):
    """A value to be worked out, or the part of an argument."""

    span: Span


class Number(Expr):
    """`60_965_224`, `0.5`, `62.4M`: the text as written."""

    text: str


class Name(Expr):
    """A name; dotted where a volume is meant: `conv2_x.1.conv2`. With a `?` before it, a number that is sought."""

    id: str


class Unary(Expr):
    """`-x`, `+x`, `not x`."""

    op: str
    operand: Expr


class Binary(Expr):
    """`left op right`, arithmetic, comparison, `and`, `or`."""

    op: str
    left: Expr
    right: Expr


class Call(Expr):
    """`min(a, b)`."""

    function: str
    args: tuple[Expr, ...]


class Sizes(Expr):
    """`h x w`, or `H x W x C`."""

    parts: tuple[Expr, ...]


class Between(Expr):
    """`before:after`."""

    before: Expr
    after: Expr


class Slashed(Expr):
    """`f/S/P`."""

    parts: tuple[Expr, ...]


class Argument(Record, uncompared=("span",)):
    """An argument of a layer or a block call."""

    span: Span
    name: str | None
    value: Expr


class Param(Record, uncompared=("span",)):
    """A parameter of a block or an architecture."""

    span: Span
    name: str
    default: Expr | None


# ---------------------------------------------------------------- statements


class Statement(Record, uncompared=("span",)):
    """One thing that a line says; `span` covers its first word."""

    span: Span


class Item(Record, uncompared=("span",)):
    """A statement in its place: label, comments, and what it shares a line with."""

    span: Span
    label: Name | None
    statement: Statement
    joined: bool = False  # follows `;` on the same line
    leading: tuple[str, ...] = ()  # comments on lines of their own above it; "" is an empty line
    trailing: str = ""  # the comment behind it


class Body(Record, uncompared=("span",)):
    """A run of statements between braces, bars, or the ends of the file."""

    span: Span
    items: tuple[Item, ...]
    inline: bool = False  # all on one line
    head: str = ""  # the comment behind the opening brace or bar
    tail: tuple[str, ...] = ()  # comments after the last statement


class Layer(Statement):
    """`conv 11/4/0 96`."""

    type: Name
    args: tuple[Argument, ...]


class BlockCall(Statement):
    """`bottleneck(64, 256) * 3`."""

    block: Name
    args: tuple[Argument, ...]
    times: Expr | None


class Merge(Statement):
    """`concat { a | b }`, or `add conv3, conv5` with names."""

    type: Name
    branches: tuple[Body, ...]
    names: tuple[Name, ...]


class Repeat(Statement):
    """`repeat 3 as i { … }`."""

    count: Expr
    index: Name | None
    body: Body


class If(Statement):
    """`if s != 1 { … } else { … }`."""

    condition: Expr
    then: Body
    orelse: Body | None


class From(Statement):
    """`from conv3`."""

    name: Name


class Input(Statement):
    """`input 227x227x3`."""

    size: Expr


class Output(Statement):
    """`output aux1 from inception4a { … }`."""

    name: Name
    origin: Name | None
    body: Body | None


class Let(Statement):
    """`let k = 32`."""

    name: Name
    value: Expr


class Fact(Statement):
    """`source "…"`, `note "…"`, `year 2012`."""

    key: str
    value: str


class Block(Statement):
    """`block cbr(f, n, s=1) { … }`."""

    name: Name
    params: tuple[Param, ...]
    body: Body


class Arch(Statement):
    """`arch resnet50(classes=1000) "title" { … }`; without braces it reaches to the next `arch`."""

    name: Name
    params: tuple[Param, ...]
    title: str
    body: Body
    braced: bool


class Use(Statement):
    """`use resnet`."""

    name: Name


class Expect(Statement):
    """`expect macs[torchvision] ~ 4.09G`."""

    target: Name
    rule: str
    relation: str
    value: Expr


class Broken(Statement):
    """A statement that could not be read; its fault is reported, and the volume after it is unknown."""


def parts(tree: object) -> Iterator[Record]:
    """All records of a tree in the order of the text, each before those within it.

    Labels are left out: they give a name, and do not read one.
    """
    if isinstance(tree, tuple):
        for each in tree:
            yield from parts(each)
    elif isinstance(tree, Record):
        yield tree
        for name in tree.fields:
            if name not in ("span", "label"):
                yield from parts(getattr(tree, name))
