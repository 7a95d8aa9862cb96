"""What is legal in a net but odd: data never seen, parameters without effect, names never used."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from archcalc.analyses.costs import Report, Row
from archcalc.lang.errors import Fault
from archcalc.lang.syntax import Arch, Block, BlockCall, Body, Let, Name
from archcalc.record import Record

LARGEST_SHARE = 2  # a layer with more than half of all parameters is worth a word


def odd(report: Report, tree: Body, arch: Arch | None) -> list[Fault]:
    """All findings about one net, each where it stands in the text, in the order of the text."""
    found: dict[object, Fault] = {}
    for rule in (_dropped, _of_ops, _dead_biases, _repeated, _heaviest):
        for finding in rule(report):
            key = (finding.span, rule)
            if key in found:
                found[key] = _again(found[key])
            else:
                found[key] = finding
    return [*found.values(), *_unused(tree, arch)]


def _again(first: Fault) -> Fault:
    """The same place once more, in another copy of a block: counted, not repeated."""
    count = int(first.notes[0].split()[1]) + 1 if first.notes else 1
    return first._replace(notes=(f"and {count} times more where this is used",))


def _dropped(report: Report) -> Iterator[Fault]:
    for row in report.rows:
        rows, columns = row.cost.dropped or (0, 0)
        if rows or columns:
            arrives = f"{row.inputs[0].h}x{row.inputs[0].w}"
            parts = [f"{n} {what}{'s' * (n != 1)}" for n, what in ((rows, "row"), (columns, "column")) if n]
            message = f"`{row.node.name}` never sees {' and '.join(parts)} of its {arrives} input"
            yield Fault(message, row.node.span)


def _of_ops(report: Report) -> Iterator[Fault]:
    for row in report.rows:
        if all(isinstance(n, int) for x in row.inputs for n in x):
            for text in row.node.op.odd(*row.inputs):
                yield Fault(f"`{row.node.name}`: {text}", row.node.span)


def _dead_biases(report: Report) -> Iterator[Fault]:
    """Biases that the mean of the next layer takes away again."""
    readers: dict[int, list[Row]] = {}
    for row in report.rows:
        for index in row.node.inputs:
            readers.setdefault(index, []).append(row)
    for index, row in enumerate(report.rows):
        following = readers.get(index, [])
        centred = following and all("mean" in each.node.op.weights(*each.inputs) for each in following)
        if row.cost.macs != 0 and row.cost.biases != 0 and centred:
            message = (
                f"the {row.cost.biases} biases of `{row.node.name}` have no effect: batch normalization takes them away"
            )
            yield Fault(message, row.node.span, help="add `nobias`")


def _repeated(report: Report) -> Iterator[Fault]:
    """A function of each value right after the same function."""
    for row in report.rows:
        if row.node.op.inplace and row.node.inputs:
            before = report.rows[row.node.inputs[0]]
            if before.node.op == row.node.op and row.cost.flops != 0:
                yield Fault(f"`{row.node.name}` follows `{before.node.name}`, which does the same", row.node.span)


def _heaviest(report: Report) -> Iterator[Fault]:
    params = report.total().params
    for row in report.rows:
        own = row.cost.params
        if not isinstance(params, int) or not isinstance(own, int) or len(report.rows) <= 4:
            return
        if LARGEST_SHARE * own > params:
            yield Fault(f"`{row.node.name}` holds {own:,} of all {params:,} parameters", row.node.span)


# ---------------------------------------------------------------- names


def _unused(tree: Body, arch: Arch | None) -> Iterator[Fault]:
    """Blocks never called, parameters and names never read."""
    called = set(_each(tree, BlockCall, lambda call: call.block.id))
    for item in tree.items:
        statement = item.statement
        if isinstance(statement, Block) and statement.name.id not in called and arch is not None:
            yield Fault(f"block `{statement.name.id}` is never called", statement.name.span)
        if isinstance(statement, Let) and statement.name.id not in set(_each(tree, Name, _id, skip=statement.name)):
            yield Fault(f"`{statement.name.id}` is never used", statement.name.span)
        if isinstance(statement, Block) or statement is arch:
            assert isinstance(statement, (Block, Arch))
            inside = set(_each(statement.body, Name, _id)) | set(_each(statement.params, Name, _id))
            for param in statement.params:
                if param.name not in inside:
                    yield Fault(f"parameter `{param.name}` of `{statement.name.id}` is never used", param.span)


def _id(name: Name) -> str:
    return name.id


def _each(part: object, kind: type, pick: Callable[..., str], skip: object = None) -> Iterator[str]:
    """What `pick` says of every record of a kind within a tree."""
    if isinstance(part, tuple):
        for each in part:
            yield from _each(each, kind, pick, skip)
    elif isinstance(part, Record) and part is not skip:
        if isinstance(part, kind):
            yield pick(part)
        for name in part.fields:
            if name not in ("span", "label"):
                yield from _each(getattr(part, name), kind, pick, skip)
