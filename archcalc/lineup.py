"""Several nets to be set side by side: found, built and measured, and told apart by name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import NamedTuple

from archcalc.analyses.costs import Report, measure
from archcalc.analyses.counting import recounted
from archcalc.analyses.rules import Rule
from archcalc.builder import Built
from archcalc.lang.errors import Fault, SpecError, quoted
from archcalc.lang.printer import print_expr
from archcalc.library import Net, load

Tell = Callable[[str, int, int], None]


class Entrant(NamedTuple):
    """A net under the name that it goes by here."""

    name: str
    net: Net
    built: Built
    report: Report

    @property
    def measured(self) -> tuple[str, Report, Built]:
        """What it is compared by."""
        return self.name, self.report, self.built


def gather(
    archs: Sequence[str], size: str | None = None, tell: Tell | None = None, rule: Rule | None = None
) -> tuple[Entrant, ...]:
    """The nets, on another input than their own if one is given; where names are the same, by where they are from.

    With a rule, parameters, MACs and FLOPs are counted by it.
    `tell` is told which net comes next, its number and how many there are. Raises `SpecError` with the faults of all of
    them, and for a net whose sizes are no numbers.
    """
    found: list[Entrant] = []
    faults: list[Fault] = []
    for at, arch in enumerate(archs):
        if tell:
            tell(arch, at, len(archs))
        try:
            net = load(arch)
            built = net.build(size)
            report = refuse_symbols(called(net), built, measure(built.graph, built.assumptions))
            found.append(Entrant(called(net), net, built, recounted(report, rule) if rule else report))
        except SpecError as error:
            faults += error.faults
    if faults:
        raise SpecError(dict.fromkeys(faults))
    times = Counter(each.name for each in found)
    return tuple(
        each._replace(name=_whence(arch, each.net)) if times[each.name] > 1 else each
        for arch, each in zip(archs, found, strict=True)
    )


def refuse_twins(entrants: tuple[Entrant, ...]) -> tuple[Entrant, ...]:
    """The nets, if no two are called the same. Raises `SpecError`."""
    faults = []
    for name, times in Counter(each.name for each in entrants).items():
        if times > 1:
            twin = next(each.net for each in entrants if each.name == name)
            count = "twice" if times == 2 else f"{times} times"
            help = (
                f"leave one out, or give it other arguments: `archcalc show {twin.name}` has them"
                if twin.folder
                else 'give each a name of its own: "arch first; input 32x32x3; conv 3 8"'
            )
            faults.append(Fault(f"there is a net {quoted(name)} {count}", help=help))
    if faults:
        raise SpecError(faults)
    return entrants


def refuse_symbols(name: str, built: Built, report: Report) -> Report:
    """The report, if its sizes are numbers. Raises `SpecError`."""
    if not all(isinstance(n, int) for n in report.total()) or built.assumptions:
        sizes = " and ".join(str(row.output) for row in report.rows if not row.inputs)
        message = f"{quoted(name)} has symbols in its input {sizes}: only numbers can be compared"
        raise SpecError([Fault(message, help="give it one in numbers: `--input 224x224x3`")])
    return report


def called(net: Net) -> str:
    """What a net is called, with the arguments that it was given."""
    given = ", ".join(f"{arg.name}={print_expr(arg.value)}" if arg.name else print_expr(arg.value) for arg in net.args)
    return f"{net.name}({given})" if given else net.name


def _whence(arch: str, net: Net) -> str:
    """A net of a file by what was typed, one from standard input by that; a text has no more than its name."""
    if net.folder:
        return arch.strip()
    return net.name if net.source.name == "<net>" else net.source.name
