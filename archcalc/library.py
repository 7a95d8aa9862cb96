"""Nets by name, by file, or as text."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from archcalc.builder import SYMBOLS_OF_INPUT, Built, architectures, build
from archcalc.builder.values import Value
from archcalc.files import MOST_BYTES, decode, specs
from archcalc.files import paper_files as paper_files
from archcalc.files import read_spec as read_spec
from archcalc.interval import Interval
from archcalc.lang.errors import Fault, SpecError, did_you_mean, in_order, quoted
from archcalc.lang.parser import parse, parse_call, parse_size
from archcalc.lang.printer import print_tree
from archcalc.lang.source import Source, Span
from archcalc.lang.syntax import Arch, Argument, Block, BlockCall, Body, Expect, Expr, Fact, Item, Let, Name, Use, parts
from archcalc.volume import Dim, Undecided

MOST_SYMBOLS = 20
BATCH = "N"  # the symbol of the images in a batch
_CALL = re.compile(r"[A-Za-z_]\w*\s*(\(.*\))?\s*", re.DOTALL)
_ARCH = re.compile(r"^\s*arch\s+([A-Za-z_]\w*)", re.MULTILINE)
_FILE_AND_NET = re.compile(r"(?P<file>.+?\.arch)(?::(?P<net>.*))?", re.DOTALL)


class Net(NamedTuple):
    """A net found, not yet built: its text, and which architecture of it with which arguments."""

    name: str
    source: Source
    tree: Body
    faults: tuple[Fault, ...]
    arch: Arch | None
    args: tuple[Argument, ...]
    folder: Path | None

    def build_free(self, free: tuple[str, ...], input: str | None = None) -> tuple[Built, Dim]:
        """As `build`, and the batch: the symbol N where N is free and is no argument, and no symbol of the input."""
        symbols = _Symbols()
        if len(free) > MOST_SYMBOLS:
            raise _refused(f"{len(free)} symbols; at most {MOST_SYMBOLS} can be free at once")
        params = {param.name for param in self.arch.params} if self.arch else set()
        others = tuple(name for name in free if name != BATCH or name in params)
        built = self._built(input, others, symbols)
        batch = BATCH in free and BATCH not in symbols.names
        return built, symbols.symbol(BATCH) if batch else 1

    def _not_free(self, name: str, free: tuple[str, ...], others: set[str]) -> Fault:
        """The fault of a name that nothing has which could become a symbol."""
        source = Source("--free", ",".join(free))
        start = source.text.index(name)
        params = [param.name for param in self.arch.params] if self.arch else []
        message = f"{quoted(self.name)} has no {quoted(name)} that could be free"
        if name in SYMBOLS_OF_INPUT and others:
            help = f"its input has symbols of its own: {', '.join(sorted(others))}"
        else:
            known = (*SYMBOLS_OF_INPUT, BATCH, *params)
            help = did_you_mean(name, known) or f"there are {', '.join(known)}"
        return Fault(message, Span(source, start, start + len(name)), help=help)

    def build(self, input: str | None = None, free: tuple[str, ...] = ()) -> Built:
        """The graph, on another input than its own if one is given.

        `free` names what becomes a symbol: H, W, C for the sides of the input, arguments of the net. Raises
        `SpecError`, also where the symbols have no values that the net can be built with.
        """
        return self._built(input, free, _Symbols())

    def attempt(self, size: Expr | None, unknowns: Mapping[str, Value]) -> Built:
        """As `build`, with values for the unknowns of the text and of the size: numbers, or bounds that meet no symbol.

        A fault that bounds leave open is `undecided`.
        """
        bounds = any(isinstance(value, Interval) for value in unknowns.values())
        symbols = None if bounds else _Symbols()
        uses, faults = _Families(self.folder), list(self.faults)
        return build(self.tree, faults, self.name, self.arch, self.args, size, uses.find, symbols, (), unknowns)

    def _built(self, input: str | None, free: tuple[str, ...], symbols: _Symbols) -> Built:
        size = read_size(input) if input is not None else None
        uses = _Families(self.folder)
        faults = list(self.faults)
        built = build(self.tree, faults, self.name, self.arch, self.args, size, uses.find, symbols, free)
        for name in free:
            if name not in symbols.names:
                raise SpecError([self._not_free(name, free, symbols.names - {*free})])
        symbols.check(built)
        return built


def load(arch: str) -> Net:
    """A net by what the command line calls ARCH: a name of the zoo with or without arguments, a file, `-`, or text.

    Raises `SpecError` where there is none of that name, or the file cannot be read.
    """
    text = arch.strip()
    if text == "-":
        return _from_text("<stdin>", _standard_input())
    if not text:
        raise _refused("no net is given")
    found = _FILE_AND_NET.fullmatch(text) if "\n" not in text and len(text) < 4096 else None
    if found and not re.search(r"[;{]", found["file"]):
        return _from_file(Path(found["file"]), found["net"])
    if _is_path(text):
        return _from_file(Path(text), None)
    if _CALL.fullmatch(text):
        return _from_zoo(text)
    if re.search(r"[\s;{]", text):
        return _from_text("<net>", arch)
    message = f"{quoted(text)} is neither a net of the zoo, a file nor the text of a net"
    raise SpecError([Fault(message, help=did_you_mean(text, zoo()))])


def load_all(arch: str) -> list[Net]:
    """As `load`, but all nets of a file: none where it only defines blocks.

    A net whose parameters have no defaults is a pattern for others, and left out.
    """
    path = Path(arch.strip())
    if not arch.strip().endswith(".arch") or not path.is_file():
        return [load(arch)]
    source = read_spec(path)
    tree, faults = parse(source)
    nets = architectures(tree)
    only_defines = tree.items and all(isinstance(item.statement, (Block, Let, Use, Fact)) for item in tree.items)
    if only_defines and not faults:
        return []
    whole = [net for net in nets.values() if all(param.default for param in net.params)]
    built = [Net(net.name.id, source, tree, tuple(faults), net, (), path.parent) for net in whole or nets.values()]
    return built or [load(arch)]


def names_in(path: Path) -> set[str]:
    """The names of the nets of a file, those that need arguments too. Raises `SpecError`."""
    return {*architectures(parse(read_spec(path))[0])}


def family(name: str) -> list[Net]:
    """The nets of a family of the zoo: `vgg`, or `vgg.arch`."""
    return [net for net in zoo_nets() if net.source.name.removesuffix(".arch") == name.removesuffix(".arch")]


def reformat(name: str, write: bool) -> bool:
    """Whether a file was not in canonical form, which it then is if `write`; `-` is standard input.

    Raises `SpecError` where the file cannot be read.
    """
    source = Source("<stdin>", _standard_input()) if name == "-" else read_spec(Path(name))
    tree, faults = parse(source)
    if faults:
        raise SpecError(in_order(faults))
    canonical = print_tree(tree)
    if name == "-" and write:
        sys.stdout.write(canonical)
        return False
    if canonical != source.text and write:
        try:
            Path(name).write_text(canonical, "utf-8")
        except OSError as error:
            raise _refused(f"cannot write {quoted(name, 200)}: {(error.strerror or str(error)).lower()}") from None
    return canonical != source.text


def reformat_all(names: tuple[str, ...], write: bool) -> tuple[list[str], list[Fault]]:
    """The files that were not in canonical form, and the faults of those that cannot be read; none stops the others."""
    changed: list[str] = []
    faults: list[Fault] = []
    for name in names:
        try:
            changed += [name] * reformat(name, write)
        except SpecError as error:
            faults += error.faults
    return changed, faults


def extract(net: Net) -> Body:
    """The tree of one net alone: its architecture, with what it was called with as defaults, and the blocks it uses.

    Raises `SpecError` with the faults of its text.
    """
    if net.faults:
        raise SpecError(in_order(net.faults))
    net.build()  # a net that does not hold together is refused, not shown
    if net.arch is None:
        return net.tree
    wanted = _called(net.arch)
    header, items = _headed(net.tree.items)
    kept: list[Item] = []
    for item in reversed(_with_used(items, _Families(net.folder))):
        if item.statement is net.arch:
            kept.append(item.replace(statement=_with_defaults(net.arch, net.args)))
        elif isinstance(item.statement, Block) and item.statement.name.id in wanted:
            wanted |= _called(item.statement)
            kept.append(item)
        elif isinstance(item.statement, (Let, Fact)):
            kept.append(item)
    first, *rest = reversed(kept)
    own = first.leading[1:] if first.leading[:1] == ("",) else first.leading
    return net.tree.replace(items=(first.replace(leading=(*header, *own), joined=False), *rest), tail=())


def _headed(items: tuple[Item, ...]) -> tuple[tuple[str, ...], tuple[Item, ...]]:
    """The comment that heads a file, up to its last empty line, and the items without it."""
    leading = items[0].leading
    end = len(leading) - leading[::-1].index("") if "" in leading else 0
    return leading[:end], (items[0].replace(leading=leading[end:]), *items[1:])


def _with_used(items: tuple[Item, ...], families: _Families) -> list[Item]:
    """The items with the blocks and names that each `use` brings in standing in its place."""
    found: list[Item] = []
    for item in items:
        if isinstance(item.statement, Use):
            _, used = _headed(families.find(item.statement.name).items)
            brought = _with_used(used, families)
            found += [each for each in brought if isinstance(each.statement, (Block, Let))]
        else:
            found.append(item)
    return found


def _called(part: object) -> set[str]:
    """The blocks that a part of a tree calls."""
    return {each.block.id for each in parts(part) if isinstance(each, BlockCall)}


def _with_defaults(arch: Arch, args: tuple[Argument, ...]) -> Arch:
    named = {arg.name or arch.params[at].name: arg.value for at, arg in enumerate(args)}
    if not named:
        return arch
    params = tuple(param.replace(default=named.get(param.name, param.default)) for param in arch.params)
    items = tuple(item for item in arch.body.items if not isinstance(item.statement, Expect))  # said of the defaults
    return arch.replace(params=params, body=arch.body.replace(items=items))


def zoo() -> dict[str, Path]:
    """The nets that come with archcalc, by name: the file that each stands in."""
    return {name: path for path in spec_files() for name in _ARCH.findall(path.read_text("utf-8"))}


def zoo_nets() -> Iterator[Net]:
    """All nets of the zoo, each file read once."""
    for path in spec_files():
        source, tree, faults = _read_zoo(path)
        for name, arch in architectures(tree).items():
            yield Net(name, source, tree, faults, arch, (), path.parent)


def spec_files() -> list[Path]:
    """The files of the zoo."""
    return sorted(specs().glob("*.arch"))


def read_size(text: str) -> Expr:
    """A size from the command line: `224x224x3`. Raises `SpecError`."""
    size, faults = parse_size(Source("--input", text))
    if faults or size is None:
        raise SpecError(faults)
    return size


@cache
def _read_zoo(path: Path) -> tuple[Source, Body, tuple[Fault, ...]]:
    """A file of the zoo, read once: the ten nets of `vgg.arch` all use `alexnet.arch`."""
    source = Source(path.name, path.read_text("utf-8"))
    tree, faults = parse(source)
    return source, tree, tuple(faults)


def _is_path(text: str) -> bool:
    if len(text) > 4096 or "\n" in text or "\0" in text:
        return False
    try:
        there = Path(text).exists()
    except OSError:  # a name longer than a file's may be: the text of a net, likely
        there = False
    return there or (("/" in text or "\\" in text) and not re.search(r"[\s;{(]", text))


def _from_text(name: str, text: str) -> Net:
    if len(text.encode("utf-8", "surrogateescape")) > MOST_BYTES:
        raise _refused(f"the text is larger than {MOST_BYTES:,} bytes")
    return _one_of(Source(name, text), "net", None, None)


def _from_file(path: Path, net: str | None) -> Net:
    return _one_of(read_spec(path), path.stem, net, path.parent)


def _from_zoo(text: str) -> Net:
    name, args, faults = parse_call(Source("<net>", text))
    if faults:
        raise SpecError(faults)
    nets = zoo()
    if name not in nets:
        help = did_you_mean(name, nets) or "`archcalc list` shows the zoo"
        raise SpecError([Fault(f"there is no net {quoted(name)} in the zoo", help=help)])
    path = nets[name]
    source, tree, found = _read_zoo(path)
    return Net(name, source, tree, found, architectures(tree)[name], args, path.parent)


def _one_of(source: Source, name: str, wanted: str | None, folder: Path | None) -> Net:
    """The net of a text that is meant: the one named, or the only one."""
    tree, faults = parse(source)
    nets = architectures(tree)
    args: tuple[Argument, ...] = ()
    if wanted is not None:
        name, args, call_faults = parse_call(Source("<net>", wanted))
        if call_faults:
            raise SpecError(call_faults)
        if name not in nets and (nets or name != Path(source.name).stem):
            help = did_you_mean(name, nets) or (
                f"it holds {_listed(nets)}" if nets else "it holds one net without a name"
            )
            raise SpecError([*faults, Fault(f"there is no net {quoted(name)} in {source.name}", help=help)])
    elif len(nets) > 1:
        names = list(nets)
        help = f"name one: `{source.name}:{names[0]}`"
        raise SpecError([*faults, Fault(f"{source.name} holds several nets: {_listed(nets)}", help=help)])
    elif nets:
        name = next(iter(nets))
    return Net(name, source, tree, tuple(faults), nets.get(name), args, folder)


def _listed(nets: dict[str, Arch]) -> str:
    names = [f"`{name}`" for name in nets]
    return ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")


class _Families:
    """Finds what `use` names: beside the file, or in the zoo."""

    def __init__(self, folder: Path | None) -> None:
        self.folders = [*([folder] if folder else []), specs()]

    def find(self, name: Name) -> Body:
        folders = self.folders[-1:] if _of_zoo(name.span.source) else self.folders
        for folder in folders:
            path = folder / f"{name.id}.arch"
            if path.is_file():
                tree, faults = _read_zoo(path)[1:] if folder == specs() else parse(read_spec(path))
                if faults:
                    raise SpecError(faults)
                return tree
        families = [path.stem for folder in folders for path in folder.glob("*.arch")]
        message = f"there is no family {quoted(name.id)}"
        raise SpecError([Fault(message, name.span, help=did_you_mean(name.id, families))])


def _of_zoo(source: Source) -> bool:
    """Whether a source is a file of the zoo: what it uses is there too, whatever lies about in the user's folder."""
    path = specs() / source.name
    return path.is_file() and _read_zoo(path)[0] is source


class _Symbols:
    """The door to sympy: opened only by a net that has symbols."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def symbol(self, name: str) -> Dim:
        from archcalc.symbolic import symbol

        self.names.add(name)
        return symbol(name)

    def holds(self, condition: Undecided, numbers: Mapping[str, int]) -> bool | None:
        from archcalc.symbolic import holds, symbols_of

        known = (symbols_of(condition.a) | symbols_of(condition.b)) <= numbers.keys()
        return holds(condition, numbers) if known else None

    def check(self, built: Built) -> None:
        """Raises `SpecError` where no values of the symbols meet all assumptions."""
        if built.assumptions:
            from archcalc.symbolic import refuse_impossible

            refuse_impossible(built.assumptions)


def _standard_input() -> str:
    if sys.stdin is None:  # the shell's `<&-`
        raise _refused("standard input is closed")
    return decode("<stdin>", sys.stdin.buffer.read(MOST_BYTES + 1))


def _refused(message: str, help: str = "") -> SpecError:
    return SpecError([Fault(message, help=help)])
