"""The group of commands. A command's module is imported when the command is called."""

from __future__ import annotations

import gc
import os
import re
import sys
from collections.abc import Collection
from importlib import import_module
from typing import Any

import click
from click.shell_completion import CompletionItem

from archcalc import __version__
from archcalc.cli import completion
from archcalc.lang.errors import SpecError, github_line, nearest, quoted, show_all

TASKS = {
    "Look at nets": {"list": "listing", "show": "showing", "draw": "drawing", "layers": "reference"},
    "Analyze": {"table": "table", "explain": "explaining", "formula": "formulas", "receptive": "receptive"},
    "Count as others do": {"count": "counting", "match": "matching"},
    "Set side by side": {"compare": "comparison", "diff": "difference"},
    "Bound the time": {"roofline": "roofline"},
    "Memory": {"memory": "ledger", "fit": "fitting"},
    "Ask backwards": {"solve": "solving"},
    "Check": {"run": "running", "verify": "verification"},
    "Teach": {"check": "checking", "quiz": "quizzing"},
    "Write nets": {"fmt": "formatting", "lint": "linting"},
}
MODULES = {name: module for commands in TASKS.values() for name, module in commands.items()}
_NET = re.compile(r"[A-Za-z_]\w*\s*\(.*\)|.*[\s;].*|.*\.arch(:.*)?|-", re.DOTALL)


class Commands(click.Group):
    """Commands by task; a net in place of a command means `table`."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return list(MODULES)

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        """A command, its module imported now."""
        if name not in MODULES:
            return None
        command: click.Command = import_module(f"archcalc.cli.{MODULES[name]}").command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """The command that the first word names, or `table` if it is a net."""
        word = args[0]
        if word not in MODULES and (_NET.fullmatch(word) or word in _zoo()):
            return super().resolve_command(ctx, ["table", *args])
        if word not in MODULES and not word.startswith("-"):
            near = nearest(word, (*MODULES, *_zoo()))
            ctx.fail(f"there is no command {quoted(word)}" + (f"; did you mean `{near}`?" if near else ""))
        return super().resolve_command(ctx, args)

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        """Commands; and nets, which mean `table`."""
        nets = [CompletionItem(name) for name in sorted(_zoo()) if name.startswith(incomplete)]
        return [*super().shell_complete(ctx, incomplete), *nets]

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The commands by task, in the help."""
        for task, names in TASKS.items():
            with formatter.section(task):
                rows = [(name, self._short(ctx, name)) for name in names]
                formatter.write_dl(rows)

    def _short(self, ctx: click.Context, name: str) -> str:
        command = self.get_command(ctx, name)
        return command.get_short_help_str(70) if command else ""


def _zoo() -> Collection[str]:
    from archcalc.library import zoo

    return zoo()


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, "-V", "--version", message="archcalc %(version)s")
@completion.option
def group() -> None:
    """Shapes, memory, parameters and FLOPs of neural networks, exactly.

    ARCH is a net of the zoo (vgg16, "densenet121(k=24)"), a file (my.arch, my.arch:name), - for standard input, or
    the text of a net: "input 32x32x3; conv 5/1/2 10; pool 2; fc 10".
    """


def main() -> None:
    """Runs a command; faults go to standard error, and the exit code is 2."""
    gc.set_threshold(100_000)  # looking for cycles at every 700 objects takes 2 of the 80 ms of `table`
    try:
        result: Any = group(standalone_mode=False)
    except SpecError as error:
        report(error)
        result = 2
    except click.ClickException as error:
        error.show()
        result = error.exit_code
    except (click.Abort, KeyboardInterrupt):
        result = 130
    gc.freeze()  # the end comes anyway: looking for cycles in all that is left takes another 6 ms
    sys.exit(result if isinstance(result, int) else 0)


def report(error: SpecError) -> None:
    """Faults on standard error."""
    if sys.stderr is not None:  # the shell's `2>&-`
        sys.stderr.write(show_all(error.faults) + "\n")
        if os.environ.get("GITHUB_ACTIONS") == "true":
            sys.stderr.writelines(github_line(fault) + "\n" for fault in error.faults)
