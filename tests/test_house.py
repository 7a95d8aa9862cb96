"""The floors and doors of the house: who may import whom, and what stays shut."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from inspect import getdoc
from pathlib import Path
from typing import NamedTuple

import click
import pytest

import archcalc
from archcalc.cli.entry import MODULES, TASKS, group

PACKAGE = Path(archcalc.__file__).parent
FLOORS = {
    "interval": 0,
    "record": 0,
    "units": 0,
    "volume": 0,
    "lang": 1,
    "files": 2,
    "ops": 2,
    "graph": 3,
    "builder": 4,
    "analyses": 4,
    "executor": 5,
    "frame": 5,
    "homework": 5,
    "library": 5,
    "lineup": 5,
    "notation": 5,
    "plots": 5,
    "render": 5,
    "search": 5,
    "solving": 5,
    "symbolic": 5,
    "verification": 5,
    "api": 6,
    "cli": 6,
    "__init__": 6,
    "__main__": 6,
}
SIDEWAYS = {  # within a floor; upwards there is nothing
    ("interval", "volume"),
    ("volume", "record"),
    ("lang", "record"),
    ("analyses", "builder"),
    ("lineup", "library"),
    ("render", "library"),
    ("render", "lineup"),
    ("render", "verification"),
    ("render", "search"),
    ("search", "library"),
    ("render", "symbolic"),
    ("executor", "symbolic"),
    ("render", "solving"),
    ("solving", "library"),
    ("symbolic", "solving"),
    ("verification", "library"),
    ("verification", "lineup"),
    ("verification", "executor"),
    ("library", "symbolic"),
    ("frame", "render"),
    ("homework", "frame"),
    ("homework", "library"),
    ("homework", "solving"),
    ("homework", "notation"),
    ("render", "notation"),
    ("render", "homework"),
    ("cli", "api"),
    ("__init__", "api"),
    ("__main__", "cli"),
}
CLOSED = {"lang": {"record"}, "ops": {"volume", "record"}}  # rooms that may not even use all floors below
DOORS = {"sympy": "symbolic", "numpy": "executor", "pandas": "frame", "matplotlib": "plots"}
HEAVY = {"symbolic", "executor", "frame", "plots"}
EXTRAS = {"PIL", "safetensors"}  # imported where a file asks for them


class Import(NamedTuple):
    """One module imported by another."""

    by: str  # cli/table.py
    room: str
    of: str  # archcalc.render.show
    late: bool
    line: int

    @property
    def where(self) -> str:
        return f"{self.by}:{self.line} imports {self.of}"


def imports() -> list[Import]:
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        by = path.relative_to(PACKAGE)
        room = by.parts[0].removesuffix(".py")
        tree = ast.parse(path.read_text("utf-8"))
        late = {id(part) for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for part in ast.walk(node)}
        skipped = {id(part) for node in ast.walk(tree) if typing_only(node) for part in ast.walk(node)}
        for node in ast.walk(tree):
            if id(node) not in skipped:
                found += [Import(str(by), room, of, id(node) in late, node.lineno) for of in imported(node)]
    return found


def typing_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    if isinstance(node, ast.ImportFrom):
        assert node.level == 0, "imports are absolute"
        modules = {alias.name for alias in node.names if is_module(f"{node.module}.{alias.name}")}
        yield from (f"{node.module}.{name}" for name in modules)
        if len(modules) < len(node.names):
            yield str(node.module)


def is_module(name: str) -> bool:
    path = PACKAGE.parent.joinpath(*name.split("."))
    return path.with_suffix(".py").is_file() or (path / "__init__.py").is_file()


IMPORTS = imports()
OWN = [each for each in IMPORTS if each.of.startswith("archcalc.")]


def target(each: Import) -> str:
    """The room that an import leads to."""
    return each.of.split(".")[1]


# ---------------------------------------------------------------- floors


def test_every_room_stands_on_a_floor() -> None:
    rooms = {path.name.removesuffix(".py") for path in PACKAGE.iterdir() if path.suffix == ".py" or path.is_dir()}
    assert rooms - {"__pycache__", "py.typed", "specs"} <= FLOORS.keys()


def test_nothing_is_imported_from_a_floor_above_or_across_but_where_it_is_said() -> None:
    wrong = [
        each.where
        for each in OWN
        if target(each) != each.room
        and (each.room, target(each)) not in SIDEWAYS
        and FLOORS[target(each)] >= FLOORS[each.room]
    ]
    assert not wrong


@pytest.mark.parametrize("room", CLOSED)
def test_the_grammar_knows_no_layer_and_a_layer_knows_no_text(room: str) -> None:
    wrong = [each.where for each in OWN if each.room == room and target(each) not in {room, *CLOSED[room]}]
    assert not wrong


def test_a_room_imports_itself_without_going_round() -> None:
    edges: dict[str, set[str]] = {}
    for each in OWN:
        if not each.late:
            name = "archcalc." + each.by.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
            edges.setdefault(name, set()).add(each.of)
    order: list[str] = []

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path, name))
        if name not in order:
            for inner in edges.get(name, ()):
                visit(inner, (*path, name))
            order.append(name)

    for name in list(edges):
        visit(name, ())


def test_what_is_imported_late_is_imported_by_a_command_by_an_exit_or_by_the_interface() -> None:
    late = [each for each in OWN if each.late and each.room not in ("cli", "render", "api", "__init__")]
    assert {(each.by, each.of) for each in late} == {
        ("homework/workbooks.py", "archcalc.frame"),
        ("library.py", "archcalc.symbolic"),
        ("verification.py", "archcalc.executor.examples"),
    }


# ---------------------------------------------------------------- doors


@pytest.mark.parametrize("name", DOORS)
def test_a_heavy_library_is_imported_in_one_room_at_the_top(name: str) -> None:
    found = [each for each in IMPORTS if each.of.split(".")[0] == name]
    assert {each.room for each in found} <= {DOORS[name]}
    assert not any(each.late for each in found)


def test_heavy_rooms_are_entered_late() -> None:
    wrong = [each.where for each in OWN if target(each) in HEAVY and each.room not in HEAVY and not each.late]
    assert not wrong


def test_libraries_of_extras_are_imported_late_in_the_room_of_numpy() -> None:
    found = [each for each in IMPORTS if each.of.split(".")[0] in EXTRAS]
    assert {each.room for each in found} == {"executor"}
    assert all(each.late for each in found)


def test_nothing_else_is_imported_but_the_standard_library_and_what_is_declared() -> None:
    declared = {"archcalc", "click", "rich", *DOORS, *EXTRAS}
    assert {each.of.split(".")[0] for each in IMPORTS} - sys.stdlib_module_names <= declared


@pytest.mark.parametrize(
    "words",
    [
        ["table", "vgg16"],
        ["table", "vgg16", "--format", "json"],
        ["table", "vgg16", "--format", "csv"],
        ["table", "resnet50", "--format", "md", "--depth", "1"],
        ["list"],
        ["show", "vgg16"],
        ["lint", "vgg16"],
        ["solve", "conv ?/4/0 96", "--in", "227", "--out", "55"],
        ["compare", "vgg16", "resnet50"],
        ["diff", "resnet50", "resnet50_v1"],
        ["layers"],
        ["--help"],
    ],
    ids=" ".join,
)
def test_the_doors_stay_shut(words: list[str]) -> None:
    code = (
        "import sys\n"
        "from archcalc.cli import main\n"
        f"sys.argv = ['archcalc', *{words}]\n"
        "try:\n"
        "    main()\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0, end.code\n"
        "print(*{'sympy', 'numpy', 'pandas', 'matplotlib', 'rich'} & set(sys.modules), file=sys.stderr)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr.strip()) == (0, "")
    assert done.stdout


# ---------------------------------------------------------------- names


def test_files_are_nouns_and_no_function_has_the_name_of_its_file() -> None:
    wrong = []
    for path in PACKAGE.rglob("*.py"):
        tree = ast.parse(path.read_text("utf-8"))
        names = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        wrong += [str(path.relative_to(PACKAGE))] * (path.stem in names)
    assert not wrong


def test_a_public_name_of_the_package_is_not_that_of_a_module() -> None:
    modules = {path.stem for path in PACKAGE.iterdir()}
    assert not modules & (set(archcalc.__all__) - {"__version__"})


def test_every_public_name_is_there() -> None:
    for name in archcalc.__all__:
        assert getattr(archcalc, name)
    with pytest.raises(AttributeError, match="no_such_name"):
        _ = archcalc.no_such_name  # type: ignore[attr-defined]


# ---------------------------------------------------------------- commands

COMMANDS = {  # what the contract promises; nothing on it is renamed
    *("list", "show", "table", "explain", "formula", "solve", "run", "count", "match", "memory", "fit", "receptive"),
    *("compare", "diff", "verify", "check", "quiz", "fmt", "lint", "layers", "draw", "roofline"),
}


def command_of(name: str) -> click.Command:
    command = group.get_command(click.Context(group), name)  # type: ignore[attr-defined]
    assert isinstance(command, click.Command)
    return command


def test_every_command_is_in_the_contract_and_under_a_task() -> None:
    assert set(MODULES) <= COMMANDS
    assert list(MODULES) == [name for names in TASKS.values() for name in names]


@pytest.mark.parametrize("name", MODULES)
def test_a_command_says_what_it_does_and_what_its_options_do(name: str) -> None:
    command = command_of(name)
    assert command.help
    assert command.name == name
    for option in command.params:
        assert not isinstance(option, click.Option) or option.help, option.name


@pytest.mark.parametrize("name", MODULES)
def test_a_command_is_a_skin_of_at_most_ten_statements(name: str) -> None:
    path = PACKAGE / "cli" / f"{MODULES[name]}.py"
    body = next(
        node.body
        for node in ast.parse(path.read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name == "command"
    )
    inside = [part for node in body[1:] for part in ast.walk(node) if isinstance(part, ast.stmt)]
    assert len([part for part in inside if not isinstance(part, (ast.ImportFrom, ast.Import))]) <= 10


def test_every_module_says_what_it_is() -> None:
    for path in PACKAGE.rglob("*.py"):
        assert ast.get_docstring(ast.parse(path.read_text("utf-8"))), path
    assert getdoc(archcalc)
