"""What is legal in a net but odd: data never seen, parameters without effect, names never used."""

from __future__ import annotations

from collections.abc import Iterator

from archcalc.analyses.costs import Report, Row
from archcalc.lang.errors import Fault
from archcalc.lang.syntax import Arch, Block, BlockCall, Body, Let, Name, parts
from archcalc.units import rows_and_columns

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
        unseen = rows_and_columns(*(row.cost.dropped or (0, 0)))
        if unseen:
            arrives = f"{row.inputs[0].h}x{row.inputs[0].w}"
            yield Fault(f"`{row.node.name}` never sees {unseen} of its {arrives} input", row.node.span)


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
    called = {each.block.id for each in parts(tree) if isinstance(each, BlockCall)}
    for item in tree.items:
        statement = item.statement
        if isinstance(statement, Block) and statement.name.id not in called and arch is not None:
            yield Fault(f"block `{statement.name.id}` is never called", statement.name.span)
        if isinstance(statement, Let) and all(
            name is statement.name or name.id != statement.name.id for name in _read(tree)
        ):
            yield Fault(f"`{statement.name.id}` is never used", statement.name.span)
        if isinstance(statement, Block) or statement is arch:
            assert isinstance(statement, (Block, Arch))
            inside = {name.id for name in _read((statement.body, statement.params))}
            for param in statement.params:
                if param.name not in inside:
                    yield Fault(f"parameter `{param.name}` of `{statement.name.id}` is never used", param.span)


def _read(tree: object) -> list[Name]:
    """The names that stand in a part of a tree."""
    return [each for each in parts(tree) if isinstance(each, Name)]
