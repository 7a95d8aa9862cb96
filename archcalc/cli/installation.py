"""`archcalc --install-completion`: what makes a shell complete, written to where the shell looks for it."""

from __future__ import annotations

import os
from pathlib import Path

import click
from click.shell_completion import get_completion_class

from archcalc.lang.errors import Fault, SpecError, quoted

HINTS = {
    "bash": "new shells complete where the package bash-completion is; else put into ~/.bashrc: source {path}",
    "zsh": "put into ~/.zshrc: fpath=({folder} $fpath); autoload -Uz compinit && compinit",
    "fish": "new shells complete",
}


def install(ctx: click.Context, shell: str | None) -> None:
    """Writes the file of a shell, by default of the one in use, and ends. Raises `SpecError`."""
    shell = Path(os.environ.get("SHELL", "")).name if shell is None else shell
    found = get_completion_class(shell)
    if found is None or shell not in HINTS:
        what = f"the shell {quoted(shell)}" if shell else "a shell that `SHELL` does not name"
        help = f"there are {', '.join(HINTS)}: `archcalc --install-completion bash`"
        raise SpecError([Fault(f"no completion for {what}", help=help)])
    path = _place(shell)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(found(ctx.command, {}, "archcalc", "_ARCHCALC_COMPLETE").source(), "utf-8")
    except OSError as error:
        message = f"cannot write {quoted(str(path), 200)}: {(error.strerror or str(error)).lower()}"
        raise SpecError([Fault(message)]) from None
    click.echo(f"written: {path}\n{HINTS[shell].format(path=path, folder=path.parent)}")
    ctx.exit(0)


def _place(shell: str) -> Path:
    """The file that a shell reads when `archcalc` is first completed."""
    home = Path.home()
    data, config = (
        Path(os.environ.get(name) or home / place)
        for name, place in (("XDG_DATA_HOME", ".local/share"), ("XDG_CONFIG_HOME", ".config"))
    )
    return {
        "bash": data / "bash-completion" / "completions" / "archcalc",
        "zsh": home / ".zfunc" / "_archcalc",
        "fish": config / "fish" / "completions" / "archcalc.fish",
    }[shell]
