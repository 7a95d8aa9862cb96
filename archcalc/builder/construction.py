"""A tree run as a program: each statement takes the volume that arrives and hands one on."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple

from archcalc.builder.arguments import Bound, bind_call, bind_layer
from archcalc.builder.explanations import (
    misfit,
    nothing_arrives,
    place_of,
    unknown_block,
    unknown_layer,
    unlike_weights,
)
from archcalc.builder.values import (
    LARGEST,
    SIZE_NAMES,
    Evaluator,
    Refused,
    Scope,
    Symbols,
    Unknown,
    Value,
    names_in,
)
from archcalc.graph import Graph, Node
from archcalc.interval import Interval
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.parser import DEEPEST
from archcalc.lang.printer import print_expr
from archcalc.lang.source import Span
from archcalc.lang.syntax import (
    Arch,
    Argument,
    Block,
    BlockCall,
    Body,
    Broken,
    Expect,
    Expr,
    Fact,
    From,
    If,
    Input,
    Item,
    Layer,
    Let,
    Merge,
    Name,
    Output,
    Param,
    Repeat,
    Sizes,
    Statement,
    Use,
    parts,
)
from archcalc.ops import REGISTRY, Op, reshape
from archcalc.ops.base import shown
from archcalc.volume import Dim, Undecided, Volume

MOST_LAYERS = 100_000
MOST_STEPS = 300_000  # three for each of the most layers
MOST_FAULTS = 1000
MOST_FORMULAS = 1000
MOST_NOTES = 3
UNKNOWN = -1  # a volume whose fault is reported: nothing more is said of what follows from it

_END = re.compile(r"[\n;|}]")  # of a statement
_DEFINITION = re.compile(r"(block|let)\s+([A-Za-z_]\w*)")
Flow = int | None  # index of the node whose volume arrives; None before the first
Uses = Callable[[Name], Body]
SYMBOLS_OF_INPUT = ("H", "W", "C")


class Assumption(NamedTuple):
    """A condition on symbols that the sizes of a net rest on: what a layer needs, or the branch that was taken."""

    condition: Undecided
    about: str  # the layer, or the expression in the text
    span: Span
    branch: bool = False

    def __str__(self) -> str:
        return f"{self.condition.text} (`{self.about}`)"


class Built(NamedTuple):
    """A net as its text has it: the graph, and what the text says about it."""

    graph: Graph
    title: str
    facts: dict[str, str]  # source, year, note
    expects: tuple[tuple[Expect, tuple[str, ...]], ...]  # with the group that each stands in
    assumptions: tuple[Assumption, ...]
    args: dict[str, Value | None]
    as_written: bool  # no argument and no input were given from outside
    numbers: dict[str, int]  # what the symbols of `free` stand in place of

    @property
    def claimed(self) -> tuple[tuple[Expect, tuple[str, ...]], ...]:
        """The `expect` lines that hold of this graph: they speak of the net as written."""
        return self.expects if self.as_written else ()


class _Stop(Exception):
    """A limit is passed: building ends here."""


class Caller(NamedTuple):
    """A call or a repeat that is being carried out; `number` of the copy where there are several."""

    name: str
    span: Span
    number: int = 0

    def __str__(self) -> str:
        copy = f", copy {self.number:,}" if self.number else ""
        called = "called " if self.name != "repeat" else ""
        name = f"`{self.name}(…)`" if called else "`repeat`"
        return f"in {name}{copy}, {called}at {self.span.source.name}:{self.span.line}"


class Place:
    """Where layers get their names: the labels and repeat numbers around, and what is taken there."""

    def __init__(self, path: tuple[str, ...], reserved: frozenset[str]) -> None:
        self.path = path
        self.prefix = "".join(f"{part}." for part in path)
        self.reserved = reserved
        self.counts: dict[str, int] = {}

    def inside(self, label: str, reserved: frozenset[str]) -> Place:
        """The place within a labelled call or a numbered repeat."""
        return Place((*self.path, label), reserved)

    def numbered(self, type_: str, taken: Container[str]) -> str:
        """The type and its next running number that no label has."""
        while True:
            number = self.counts[type_] = self.counts.get(type_, 0) + 1
            name = f"{self.prefix}{type_}{number}"
            if f"{type_}{number}" not in self.reserved and name not in taken:
                return name

    def next_repeat(self) -> str:
        """The number of the next copy of something repeated here, from 1."""
        self.counts[""] = self.counts.get("", 0) + 1
        return str(self.counts[""])


def architectures(tree: Body) -> dict[str, Arch]:
    """The architectures that a file holds, by name."""
    return {item.statement.name.id: item.statement for item in tree.items if isinstance(item.statement, Arch)}


def build(
    tree: Body,
    faults: list[Fault],
    name: str,
    arch: Arch | None,
    args: tuple[Argument, ...] = (),
    size: Expr | None = None,
    uses: Uses | None = None,
    symbols: Symbols | None = None,
    free: tuple[str, ...] = (),
    unknowns: Mapping[str, Value] | None = None,
) -> Built:
    """The graph of one architecture of a tree, or of the tree itself where it has none.

    `faults` are those of the parser; `free` names what becomes a symbol: H, W, C of the input, arguments of the net;
    `unknowns` are the values of what is sought, by name: `?f`. Raises `SpecError` with all faults.
    """
    builder = _Builder(faults, uses, symbols, size, free, unknowns or {})
    built = builder.run(tree, name, arch, args)
    if builder.faults:
        raise SpecError(in_order(builder.faults.values()))
    assert all(index != UNKNOWN for _, index in built.graph.outputs), "an unknown volume without a fault"
    return built


class _Builder:
    def __init__(
        self,
        faults: list[Fault],
        uses: Uses | None,
        symbols: Symbols | None,
        size: Expr | None,
        free: tuple[str, ...],
        unknowns: Mapping[str, Value],
    ) -> None:
        self.unread = faults  # of the text itself
        self.faults: dict[object, Fault] = dict(enumerate(faults))
        self.uses = uses
        self.symbols = symbols
        self.size = size  # from outside; takes the place of the first input
        self.free = free
        self.unknowns = unknowns
        self.numbers: dict[str, int] = {}
        self.nodes: list[Node] = []
        self.outs: list[Volume] = []
        self.names: dict[str, int] = {}  # volumes by full name
        self.lines: dict[str, tuple[Span, tuple[Caller, ...]]] = {}  # where each label stands, and how one came there
        self.outputs: list[tuple[str, int]] = []
        self.expects: list[tuple[Expect, tuple[str, ...]]] = []
        self.facts: dict[str, str] = {}
        self.assumptions: list[Assumption] = []
        self.used: list[tuple[str, str]] = []  # the files that are being read, name and text, the net's own first
        self.below: set[str] = set()  # blocks that are called above their definition
        self.gaps = False  # something is left out that any name may stand in; its fault is reported
        self.calls: list[Caller] = []
        self.depth = 0
        self.steps = 0
        self.formulas = 0  # layers whose size is a formula that none had before
        self.bound: dict[object, Bound] = {}  # by statement and the values of the names in it
        self.named: dict[int, tuple[str, ...]] = {}  # the names in the arguments of a statement
        self.merges: dict[str, Op] = {}
        self.known: dict[tuple[int, tuple[Volume, ...]], Volume] = {}  # sizes already worked out, by op
        self.labels: dict[int, frozenset[str]] = {}
        self.rules: dict[type[Statement], Callable[[Item, Flow, Scope, Place], Flow]] = {
            Layer: self.layer,
            BlockCall: self.call,
            Merge: self.merge,
            Repeat: self.repeat,
            If: self.if_,
            From: self.from_,
            Input: self.input,
            Output: self.output,
            Let: self.let,
            Fact: self.fact,
            Block: self.block,
            Use: self.use,
            Expect: self.expect,
            Broken: self.broken,
            Arch: self.arch,
        }

    # ------------------------------------------------------------ the whole

    def run(self, tree: Body, name: str, arch: Arch | None, args: tuple[Argument, ...]) -> Built:
        scope = Scope(names=dict(self.unknowns), text=tree)
        scope.decide, scope.assume = self.decide, self.assume
        self.used.append((tree.span.source.name, tree.span.source.text))
        values: dict[str, Value | None] = {}
        as_written = not args and self.size is None and not self.free and not self.unknowns
        flow: Flow = None
        try:
            if arch is None:
                if args:
                    self.fault(f"`{name}` takes no arguments", args[0].span)
                place = Place((), self.labels_of(tree, scope))
                flow = self.body(tree, self.given_input(tree, scope, place), scope, place)
            else:
                self.family(tree, scope, arch)
                inner = Scope(scope)
                self.arguments(arch, args, scope, inner)
                values = dict(inner.names)
                place = Place((), self.labels_of(arch.body, scope))
                flow = self.body(arch.body, self.given_input(tree, inner, place), inner, place)
            self.finish(flow, arch.name.span if arch else tree.span)
        except _Stop:
            pass
        outputs = (("output", flow if flow is not None else UNKNOWN), *self.outputs)
        graph = Graph(name, tuple(self.nodes), outputs, self.names)
        title = arch.title if arch else ""
        facts, assumptions = self.facts, tuple(dict.fromkeys(self.assumptions))
        return Built(graph, title, facts, tuple(self.expects), assumptions, values, as_written, self.numbers)

    def family(self, tree: Body, scope: Scope, arch: Arch) -> None:
        """What stands above and around the architectures of a file: blocks, names, facts."""
        first: dict[str, Name] = {}
        for name in (item.statement.name for item in tree.items if isinstance(item.statement, Arch)):
            if first.setdefault(name.id, name) is not name:
                at = place_of(first[name.id].span, name.span)
                self.fault(f"architecture `{name.id}` is already defined at {at}", name.span)
        above = True
        for item in tree.items:
            above = above and item.statement is not arch
            if not isinstance(item.statement, (Block, Let, Fact, Use, Arch, Broken)):
                help = "only `block`, `let`, `use` and facts are shared by them"
                help = "write it within the braces of its net" if isinstance(item.statement, Expect) else help
                self.fault("this stands outside the architectures of the file", item.statement.span, help=help)
            elif above:
                self.statement(item, None, scope, Place((), frozenset()))

    def given_input(self, tree: Body, scope: Scope, place: Place) -> Flow:
        """The input from outside, for a text that has none of its own."""
        if self.size is None or any(isinstance(each, Input) for each in parts(tree)):
            return None
        statement = Input(self.size.span, self.size)
        try:
            return self.input(Item(self.size.span, None, statement), None, scope, place)
        except Refused as refused:
            self.add(refused.fault)
            return UNKNOWN

    def arguments(self, arch: Arch, args: tuple[Argument, ...], scope: Scope, inner: Scope) -> None:
        outer = Evaluator(scope, None)
        try:
            bind_call(arch.name.id, arch.params, args, outer, Evaluator(inner, None), arch.name.span, self.freed)
        except Refused as refused:
            self.add(refused.fault)
        except Unknown:
            pass
        for param in arch.params:
            inner.names.setdefault(param.name, None)

    def freed(self, param: Param, value: Value) -> Value:
        """A symbol in place of an argument that is to be free; else its value."""
        name = param.name
        if name not in self.free or self.symbols is None:
            return value
        if type(value) is not int or value < 1:
            message = f"`{name}` cannot be free: a symbol stands for a whole number of at least 1, not {value}"
            raise Refused(Fault(message, param.span))
        self.numbers[name] = value
        return self.symbols.symbol(name)

    def assume(self, condition: Undecided, expr: Expr) -> None:
        """A condition on symbols that a layer rests on."""
        self.assumptions.append(Assumption(condition, print_expr(expr), expr.span))

    def decide(self, condition: Undecided, expr: Expr) -> bool | None:
        """A condition on symbols taken as it is for the numbers that they stand in place of: an assumption."""
        found = self.symbols.holds(condition, self.numbers) if self.symbols else None
        if found is not None:
            taken = condition if found else condition.opposite
            self.assumptions.append(Assumption(taken, print_expr(expr), expr.span, branch=True))
        return found

    def finish(self, flow: Flow, span: Span) -> None:
        """The net has an end, and nothing was computed in vain."""
        if self.faults:
            return
        if flow is None:
            self.fault("the net has no layers", span, help="start with `input 224x224x3`")
            return
        taken = {flow, *(index for _, index in self.outputs)}
        for node in self.nodes:
            taken.update(node.inputs)
        for index, node in enumerate(self.nodes):
            if index not in taken:
                help = f"merge it with `add` or `concat`, or make it an output: `output NAME from {node.name}`"
                what = "computed" if node.inputs else "given"
                self.fault(f"`{node.name}` is {what} and never used", node.span, help=help if node.inputs else "")

    # ------------------------------------------------------------ faults and limits

    def add(self, fault: Fault, calls: Sequence[Caller] | None = None) -> None:
        """Keeps a fault, the first at its place, with the calls that led there."""
        notes = [str(caller) for caller in reversed(self.calls if calls is None else calls)]
        if len(notes) > MOST_NOTES:
            notes = [*notes[: MOST_NOTES - 1], f"… {len(notes) - MOST_NOTES} more …", notes[-1]]
        self.faults.setdefault(fault.span, fault._replace(notes=(*fault.notes, *notes)))
        if len(self.faults) > MOST_FAULTS:
            self.faults[None] = Fault(f"more than {MOST_FAULTS:,} faults: the net is built no further", fault.span)
            raise _Stop

    def fault(self, message: str, span: Span, label: str = "", help: str = "", notes: tuple[str, ...] = ()) -> None:
        self.add(Fault(message, span, label, help, notes))

    def deeper(self, span: Span) -> None:
        self.depth += 1
        if self.depth > DEEPEST:
            self.fault(f"nested more than {DEEPEST} deep", span)
            raise _Stop

    # ------------------------------------------------------------ bodies and names

    def body(self, body: Body, flow: Flow, scope: Scope, place: Place) -> Flow:
        for item in body.items:
            flow = self.statement(item, flow, scope, place)
        return flow

    def step(self, span: Span) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            self.fault(f"the net takes more than {MOST_STEPS:,} steps to build", span)
            raise _Stop

    def statement(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        self.step(item.statement.span)
        try:
            return self.rules[type(item.statement)](item, flow, scope, place)
        except Refused as refused:
            if not self.partly_read(item):
                self.add(refused.fault)
        except Unknown:
            pass
        except SpecError as error:  # the arithmetic of symbols refuses, and does not know where
            self.add(error.faults[0]._replace(span=item.statement.span))
            raise _Stop from None
        self.name(item, UNKNOWN, place)
        return UNKNOWN

    def partly_read(self, item: Item) -> bool:
        """Whether a character in a statement could not be read: what it lacks may be there, and is not told."""
        if not isinstance(item.statement, (Layer, BlockCall, Input)):
            return False
        source, start = item.span.source, item.span.start
        end = _END.search(source.text, item.span.end)
        spans = (fault.span for fault in self.unread if fault.span is not None)
        return any(span.source is source and start <= span.start < (end.start() if end else span.end) for span in spans)

    def broken(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        """What could not be read gives an unknown volume, or defines a name whose value is unknown."""
        text = item.span.source.text
        found = _DEFINITION.match(text, item.statement.span.start)
        if found:
            known = scope.names if found[1] == "let" else scope.broken
            known[found[2]] = None
            return flow
        if item.label is None:
            self.gaps = True
        self.name(item, UNKNOWN, place)
        return UNKNOWN

    def name(self, item: Item, flow: Flow, place: Place) -> None:
        """Lets the label of a statement stand for the volume after it."""
        if item.label is None:
            return
        full, span = place.prefix + item.label.id, item.label.span
        if full in self.lines:
            self.given_twice(full, span, place)
        elif self.names.get(full, UNKNOWN) not in (UNKNOWN, flow):
            at = place_of(self.nodes[self.names[full]].span, span)
            self.fault(f"`{full}` is already the name of the layer at {at}", span, help="label that layer too")
        if flow is None:
            self.unlabelled(item)
            flow = UNKNOWN
        self.lines.setdefault(full, (span, tuple(self.calls)))
        self.names[full] = flow

    def given_twice(self, label: str, span: Span, place: Place) -> None:
        """A label stands twice in the text, or its block is called twice, which is told at the second call."""
        first_span, before = self.lines[label]
        if any(".".join(place.path[:length]) in self.lines for length in range(1, len(place.path) + 1)):
            return  # it is in a group whose own label comes twice: told there
        if first_span != span:
            help = "label the call that it stands in" if self.calls else ""
            self.fault(f"the label `{label}` is already given at {place_of(first_span, span)}", span, help=help)
            return
        at = next(at for at, (a, b) in enumerate(zip(before, self.calls, strict=False)) if a != b)
        first, second = before[at], self.calls[at]
        at_first = place_of(first.span, second.span)
        message = f"`{second.name}` is called here and at {at_first}: `{label}` would come twice"
        help = f"label the calls: `LABEL: {second.name}(…)`"
        self.add(Fault(message, second.span, help=help), self.calls[:at])

    def labels_of(self, body: Body, scope: Scope) -> frozenset[str]:
        """The labels that land in one place: those of a body, and of the blocks that it calls without a label."""
        if id(body) in self.labels:
            return self.labels[id(body)]
        self.labels[id(body)] = frozenset()  # a block that calls itself is refused elsewhere
        found: set[str] = set()
        here = Scope(scope)
        for item in body.items:
            statement = item.statement
            if item.label:
                found.add(item.label.id)
            elif isinstance(statement, BlockCall) and statement.times is None:
                block = here.block(statement.block.id)
                found |= self.labels_of(block[0].body, block[1]) if block else set()
            if isinstance(statement, Block):  # at once, so that a long chain of calls is never followed down
                here.blocks.setdefault(statement.name.id, (statement, here))
                self.labels_of(statement.body, here)
            elif isinstance(statement, Merge):
                for branch in statement.branches:
                    found |= self.labels_of(branch, here)
            elif isinstance(statement, If):
                found |= self.labels_of(statement.then, here)
                found |= self.labels_of(statement.orelse, here) if statement.orelse else set()
        self.labels[id(body)] = frozenset(found)
        return self.labels[id(body)]

    def find(self, name: Name, place: Place) -> int:
        """The volume of a name, looked for in the groups around, the innermost first."""
        for length in range(len(place.path), -1, -1):
            full = ".".join((*place.path[:length], name.id))
            if full in self.names:
                return self.names[full]
        if self.gaps:
            raise Unknown
        known = [full.removeprefix(place.prefix) for full in self.names]
        raise Refused(Fault(f"no volume is called {quoted(name.id)}", name.span, help=did_you_mean(name.id, known)))

    def evaluator(self, scope: Scope, flow: Flow) -> Evaluator:
        volume = self.outs[flow] if flow is not None and flow != UNKNOWN else None
        return Evaluator(scope, volume, flow == UNKNOWN)

    # ------------------------------------------------------------ layers

    def layer(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, Layer)
        name = self.name_for(item, statement.type.id, place)
        try:
            bound = self.bind(statement, flow, scope)
            share = self.shared(bound, place) if bound.share else None
            if flow is None:
                raise Refused(nothing_arrives(statement.type))
            if flow == UNKNOWN:
                raise Unknown
            index = self.node(name, bound.op, (flow,), place, statement.type.span, bound.spans, share)
        except (Refused, Unknown):
            self.names.setdefault(name, UNKNOWN)  # who asks for it by its name is not told that there is none
            raise
        return self.named_layer(item, name, index, place)

    def name_for(self, item: Item, type_: str, place: Place) -> str:
        """The name of a layer to come: its label, or its type and a number."""
        return place.prefix + item.label.id if item.label else place.numbered(type_, self.names)

    def named_layer(self, item: Item, name: str, index: int, place: Place) -> int:
        if item.label:
            self.name(item, index, place)
        else:
            self.names[name] = index
        return index

    def bind(self, statement: Layer, flow: Flow, scope: Scope) -> Bound:
        """The layer with its arguments; the same one again where the names in them have the same values again."""
        names = self.named.get(id(statement))
        if names is None:
            names = self.named[id(statement)] = names_in(statement.args)
        evaluator = self.evaluator(scope, flow) if names else None
        key = (id(statement), *[evaluator.seen(name) for name in names]) if evaluator else id(statement)
        bound = self.bound.get(key)
        if bound is None:
            evaluator = evaluator or self.evaluator(scope, flow)
            cls = REGISTRY.get(statement.type.id)
            if cls is None:
                raise Refused(unknown_layer(statement, scope))
            bound = self.bound[key] = bind_layer(cls, statement.type, statement.args, evaluator)
        return bound

    def shared(self, bound: Bound, place: Place) -> int:
        """The node whose weights a layer uses."""
        assert bound.share is not None
        index = self.find(bound.share, place)
        if index == UNKNOWN:
            raise Unknown
        owner = self.nodes[index]
        return owner.share if owner.share is not None else index

    def node(
        self,
        name: str,
        op: Op,
        inputs: tuple[int, ...],
        place: Place,
        span: Span,
        spans: dict[str, Span] | None = None,
        share: int | None = None,
        meeting: tuple[str, ...] = (),
    ) -> int:
        """Adds a layer, its needs checked; gives its index."""
        x = tuple([self.outs[i] for i in inputs])
        key = (id(op), x)  # the node keeps the op, so no other op will have this `id`
        y = self.known.get(key)
        if y is None:
            self.check(op, inputs, name, span, spans or {}, meeting)
            y = self.known[key] = self.sized(op.out(*x), span)
        if share is not None:
            owner = self.nodes[share]
            own = owner.op.weights(*(self.outs[i] for i in owner.inputs))
            if not own or own != op.weights(*x):
                raise Refused(unlike_weights(name, op.weights(*x), owner.name, own, (spans or {}).get("share", span)))
        if len(self.nodes) >= MOST_LAYERS and inputs:
            self.layers_left(span)
        self.nodes.append(Node(name, op, inputs, place.path, share, span))
        self.outs.append(y)
        return len(self.nodes) - 1

    def layers_left(self, span: Span) -> None:
        if sum(1 for node in self.nodes if node.inputs) >= MOST_LAYERS:
            self.fault(f"the net has more than {MOST_LAYERS:,} layers", span)
            raise _Stop

    def check(
        self, op: Op, inputs: tuple[int, ...], name: str, span: Span, spans: dict[str, Span], meeting: tuple[str, ...]
    ) -> None:
        for need in op.needs(*(self.outs[i] for i in inputs)):
            if need.condition is True:
                continue
            if isinstance(need.condition, Undecided):
                self.assumptions.append(Assumption(need.condition, name, span))
            elif need.volumes:
                raise Refused(misfit(need, meeting, inputs, self.nodes, self.outs, span))
            else:
                raise Refused(Fault(need.message, spans.get(need.field, span), need.label, need.help))

    def sized(self, y: Volume, span: Span) -> Volume:
        """The volume, refused where it is too large, or one formula too many."""
        if not all(isinstance(n, int) for n in y):
            self.formulas += 1
            if self.formulas > MOST_FORMULAS:
                self.fault(
                    f"more than {MOST_FORMULAS:,} different sizes in symbols", span, help="give the input in numbers"
                )
                raise _Stop
        for n in y:
            if isinstance(n, int) and not 1 <= n <= LARGEST:
                what = f"larger than {LARGEST:,}" if n > 0 else "not at least 1"
                raise Refused(Fault(f"the output {y} has a size that is {what}", span))
        return y

    def merge(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, Merge)
        if statement.branches:
            inputs = self.branches(statement, flow, scope, place)
            meeting = [f"branch {at}{'' if i != flow else ' (empty)'}" for at, i in enumerate(inputs, 1)]
        else:
            names = statement.names
            inputs = [self.find(name, place) for name in names]
            meeting = [f"`{name.id}`" for name in names]
            if len(inputs) == 1:  # `add shortcut`: with the volume that arrives
                if flow is None:
                    raise Refused(Fault(f"`{statement.type.id}` needs two volumes", statement.type.span))
                inputs, meeting = [flow, *inputs], ["the volume that arrives", *meeting]
        if UNKNOWN in inputs:
            raise Unknown
        op = self.merges.setdefault(statement.type.id, REGISTRY[statement.type.id]())
        name = self.name_for(item, statement.type.id, place)
        index = self.node(name, op, tuple(inputs), place, statement.type.span, meeting=tuple(meeting))
        return self.named_layer(item, name, index, place)

    def branches(self, statement: Merge, flow: Flow, scope: Scope, place: Place) -> list[int]:
        if flow is None:
            raise Refused(nothing_arrives(statement.type))
        self.deeper(statement.type.span)
        inputs = [self.body(branch, flow, Scope(scope), place) for branch in statement.branches]
        self.depth -= 1
        if len(inputs) < 2:
            help = f"part them with `|`; an empty one is the identity: `{statement.type.id} {{ … | }}`"
            raise Refused(Fault(f"`{statement.type.id}` needs at least two branches", statement.type.span, help=help))
        return [UNKNOWN if index is None else index for index in inputs]

    # ------------------------------------------------------------ calls, repeats, conditions

    def call(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, BlockCall)
        try:
            block, home = self.called(statement, scope)
        except (Refused, Unknown):
            self.gaps = True
            raise
        evaluator = self.evaluator(scope, flow)
        inside = Scope(home)
        bind_call(block.name.id, block.params, statement.args, evaluator, Evaluator(inside, None), statement.block.span)
        times = 1 if statement.times is None else self.count(statement.times, evaluator)
        place_inside = place.inside(item.label.id, self.labels_of(block.body, home)) if item.label else place
        self.deeper(statement.block.span)
        caller = Caller(block.name.id, statement.block.span)
        if statement.times is None:
            self.calls.append(caller)
            flow = self.body(block.body, flow, inside, place_inside)
            self.calls.pop()
        else:
            for number in range(times):
                copy = Scope(home, dict(inside.names))
                flow = self.copy(block.body, flow, copy, place_inside, caller._replace(number=number + 1))
        self.depth -= 1
        self.name(item, flow, place)
        return flow

    def called(self, statement: BlockCall, scope: Scope) -> tuple[Block, Scope]:
        name, span = statement.block.id, statement.block.span
        found = scope.block(name)
        if found is None:
            if scope.is_broken(name) or self.gaps:
                raise Unknown
            raise Refused(unknown_block(statement, scope))
        block = found[0]
        if span.source is block.span.source and block.span.start < span.start < self.end_of(block.body):
            raise Refused(Fault(f"block `{name}` calls itself", span, help="a block may call blocks defined above it"))
        if span.source is block.span.source and span.start < block.span.start:
            if name in self.below:  # told once, not at each call
                raise Unknown
            self.below.add(name)
            raise Refused(
                Fault(f"block `{name}` is defined below, at line {block.span.line}", span, help="define it first")
            )
        return found

    @staticmethod
    def end_of(body: Body) -> int:
        return body.items[-1].span.end if body.items else body.span.end

    def copy(self, body: Body, flow: Flow, scope: Scope, place: Place, caller: Caller) -> Flow:
        """One of the numbered copies of something repeated."""
        self.step(caller.span)
        self.calls.append(caller)
        number = place.next_repeat()
        flow = self.body(body, flow, scope, place.inside(number, self.labels_of(body, scope)))
        self.calls.pop()
        if flow is not None:
            self.names[place.prefix + number] = flow
        return flow

    def count(self, expr: Expr, evaluator: Evaluator) -> int:
        found = evaluator.number(expr)
        if not isinstance(found, int):
            raise Refused(Fault(f"the count of a repeat must be a whole number, not {shown(found)}", expr.span))
        if found < 0:
            raise Refused(Fault(f"the count of a repeat must not be negative: {found}", expr.span))
        if found > MOST_LAYERS:
            raise Refused(Fault(f"repeated {found:,} times; at most {MOST_LAYERS:,}", expr.span))
        return found

    def repeat(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, Repeat)
        times = self.count(statement.count, self.evaluator(scope, flow))
        within = place.inside(item.label.id, frozenset()) if item.label else place
        self.deeper(statement.span)
        for number in range(times):
            names: dict[str, Value | None] = {statement.index.id: number} if statement.index else {}
            caller = Caller("repeat", statement.span, number + 1)
            flow = self.copy(statement.body, flow, Scope(scope, names), within, caller)
        self.depth -= 1
        self.name(item, flow, place)
        return flow

    def if_(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, If)
        chosen = statement.then if self.evaluator(scope, flow).truth(statement.condition) else statement.orelse
        if chosen is not None:
            self.deeper(statement.span)
            flow = self.body(chosen, flow, Scope(scope), place)
            self.depth -= 1
        if item.label:
            self.name(item, flow, place)
        return flow

    # ------------------------------------------------------------ volumes by name

    def from_(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, From)
        found = self.find(statement.name, place)
        self.name(item, found, place)
        return found

    def input(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, Input)
        size, self.size = self.size or statement.size, None
        volume = self.volume(size, scope)
        name = self.name_for(item, "input", place)
        if not item.label and name == f"{place.prefix}input1":
            name = f"{place.prefix}input"
        index = self.node(name, reshape.Input(size=volume), (), place, statement.span)
        return self.named_layer(item, name, index, place)

    def volume(self, size: Expr, scope: Scope) -> Volume:
        """A size as written: H x W x C, or the length of a vector."""
        parts = size.parts if isinstance(size, Sizes) else (size,)
        if len(parts) not in (1, 3):
            written = print_expr(size)
            help = f"a single channel is `{written}x1`" if len(parts) == 2 else ""
            message = f"{quoted(written)} has {len(parts)} sizes: an input is height x width x depth, or one number"
            raise Refused(Fault(message, size.span, help=help))
        dims = [
            self.free_dim(name, self.dim(part, scope))
            for name, part in zip(SYMBOLS_OF_INPUT[-len(parts) :], parts, strict=True)
        ]
        return Volume(*dims) if len(dims) == 3 else Volume(1, 1, dims[0])

    def free_dim(self, name: str, n: Dim) -> Dim:
        """A symbol in place of a side of an input that is to be free; of other inputs, where it is as long."""
        if name not in self.free or self.symbols is None or not isinstance(n, int):
            return n
        return self.symbols.symbol(name) if self.numbers.setdefault(name, n) == n else n

    def dim(self, part: Expr, scope: Scope) -> Dim:
        if isinstance(part, Name) and part.id[:1].isupper() and not scope.find(part.id):
            if self.symbols is None:
                raise Refused(Fault(f"`{part.id}` is a symbol; a number is wanted here", part.span))
            return self.symbols.symbol(part.id)
        if isinstance(part, Name) and part.id.startswith("?"):
            return self.unknown_dim(part, scope)
        if isinstance(part, Name) and not scope.find(part.id):
            help = did_you_mean(part.id, scope.all_names()) or "a size is written `224x224x3`, a symbol in capitals"
            raise Refused(Fault(f"{quoted(part.id)} is not a size", part.span, help=help))
        found = Evaluator(scope, None).number(part)
        if not isinstance(found, int) or found < 1:
            raise Refused(Fault(f"a size must be a whole number of at least 1, not {shown(found)}", part.span))
        return found

    def unknown_dim(self, part: Name, scope: Scope) -> Dim:
        """A side that is sought: a number, or its bounds."""
        found = Evaluator(scope, None).value(part)
        assert isinstance(found, (int, Interval)), "an unknown stands for whole numbers"
        if isinstance(found, int) and found < 1:
            raise Refused(Fault(f"a size must be at least 1, not {found}", part.span))
        return found

    def output(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, Output)
        self.unlabelled(item)
        start = self.find(statement.origin, place) if statement.origin else flow
        if start is None:
            raise Refused(Fault(f"no volume arrives at the output `{statement.name.id}`", statement.span))
        end: Flow = start
        if statement.body:
            self.deeper(statement.span)
            inside = place.inside(statement.name.id, self.labels_of(statement.body, scope))
            end = self.body(statement.body, start, Scope(scope), inside)
            self.depth -= 1
        full, span = place.prefix + statement.name.id, statement.name.span
        if full in self.lines:
            self.fault(f"the name `{full}` is already given at {place_of(self.lines[full][0], span)}", span)
        self.lines.setdefault(full, (span, tuple(self.calls)))
        self.names[full] = end if end is not None else UNKNOWN
        self.outputs.append((full, self.names[full]))
        return flow

    # ------------------------------------------------------------ definitions

    def let(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, Let)
        name = statement.name
        self.unlabelled(item)
        if name.id in SIZE_NAMES:
            self.fault(f"`{name.id}` is the {name.id} of the volume that arrives: choose another name", name.span)
            return flow
        if name.id in scope.names:
            self.fault(f"`{name.id}` is already defined", name.span, help="names do not change: choose another")
            return flow
        try:
            scope.names[name.id] = self.evaluator(scope, flow).value(statement.value)
        except Unknown:
            scope.names[name.id] = None
        except Refused as refused:
            scope.names[name.id] = None
            self.add(refused.fault)
        return flow

    def fact(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, Fact)
        self.unlabelled(item)
        before = self.facts.get(statement.key) if statement.key == "note" else None
        self.facts[statement.key] = f"{before} {statement.value}" if before else statement.value
        return flow

    def block(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, Block)
        self.unlabelled(item)
        name = statement.name
        if name.id in REGISTRY:
            self.fault(f"`{name.id}` is a layer type and cannot be the name of a block", name.span)
        elif name.id in scope.blocks:
            at = place_of(scope.blocks[name.id][0].span, name.span)
            self.fault(f"block `{name.id}` is already defined at {at}", name.span)
        scope.blocks.setdefault(name.id, (statement, scope))
        self.labels_of(statement.body, scope)
        return flow

    def arch(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        """Another architecture of the file."""
        self.unlabelled(item)
        return flow

    def use(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        """Brings in the blocks and names of another family; its architectures and layers stay there."""
        statement = item.statement
        assert isinstance(statement, Use)
        self.unlabelled(item)
        name = statement.name
        if self.uses is None:
            self.fault("`use` is not possible here", statement.span)
        else:
            try:
                self.bring_in(self.uses(name), name, scope, place)
            except SpecError as error:
                self.gaps = True
                for fault in error.faults:
                    elsewhere = fault.span is not None and fault.span.source is not name.span.source
                    note = f"in the family that {name.span.source.name}:{name.span.line} uses"
                    self.add(fault._replace(notes=(*fault.notes, note)) if elsewhere else fault)
        return flow

    def bring_in(self, tree: Body, name: Name, scope: Scope, place: Place) -> None:
        """The definitions of another file, once a scope; two files of one name are told apart by what they say."""
        family = (tree.span.source.name, tree.span.source.text)
        if family in self.used:
            names = [PurePath(file).stem for file, _ in self.used[self.used.index(family) :]]
            circle = ", ".join(f"`{each}`" for each in (*names, name.id))
            self.fault(f"families use one another in a circle: {circle}", name.span)
        elif family not in scope.families:
            scope.families.add(family)
            self.used.append(family)
            for used in tree.items:
                if isinstance(used.statement, (Block, Let, Use, Broken)):
                    self.statement(used, None, scope, place)
            self.used.pop()

    def expect(self, item: Item, flow: Flow, scope: Scope, place: Place) -> Flow:
        statement = item.statement
        assert isinstance(statement, Expect)
        self.unlabelled(item)
        self.expects.append((statement, place.path))
        return flow

    def unlabelled(self, item: Item) -> None:
        if item.label:
            self.fault(f"the label `{item.label.id}` stands before something that has no volume", item.label.span)
