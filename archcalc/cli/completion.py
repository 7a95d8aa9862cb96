"""What the shell offers where a net, a layer, a layer type, a rule or a column is asked for."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem

OF_THE_SHELL = "$SHELL"  # where none is named


def nets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the zoo, and files."""
    from archcalc.library import zoo

    return [_files(incomplete), *_starting(zoo(), incomplete)]


def claims(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Printed tables that come with archcalc, nets of the zoo, and files."""
    from archcalc.files import paper_files

    return [*nets(ctx, param, incomplete), *_starting([path.stem for path in paper_files()], incomplete)]


def layers(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Layers and groups of the net that stands before."""
    from archcalc.lang.errors import SpecError
    from archcalc.library import load

    arch = ctx.params.get("arch")
    if not arch or arch.strip() == "-":  # standard input is the terminal's
        return []
    try:
        built = load(arch).build()
    except SpecError:
        return []
    groups = (".".join(node.group[:depth]) for node in built.graph.nodes for depth in range(1, len(node.group) + 1))
    return _starting(dict.fromkeys((*(node.name for node in built.graph.nodes), *groups)), incomplete)


def types(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of layer types."""
    from archcalc.ops import REGISTRY

    return _starting(REGISTRY, incomplete)


def rules(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Rules of counting that come with archcalc, and files."""
    from archcalc.analyses.rules import shipped

    return [_files(incomplete), *_starting(shipped(), incomplete)]


def columns(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Columns of the layer table, for the last of those that are named."""
    from archcalc.render.costs import KEYS

    before, comma, last = incomplete.rpartition(",")
    named = before.split(",")
    return [CompletionItem(f"{before}{comma}{key}") for key in KEYS if key.startswith(last) and key not in named]


# ---------------------------------------------------------------- installing it


def _install(ctx: click.Context, param: click.Parameter, shell: str | None) -> None:
    """Installs it where that is asked for."""
    if shell is not None and not ctx.resilient_parsing:
        from archcalc.cli.installation import install

        install(ctx, None if shell == OF_THE_SHELL else shell)


option = click.option(
    "--install-completion",
    metavar="[SHELL]",
    is_flag=False,
    flag_value=OF_THE_SHELL,
    is_eager=True,
    expose_value=False,
    callback=_install,
    help="Make bash, zsh or fish complete commands, nets, layers and rules; without SHELL the one in use.",
)


def _files(incomplete: str) -> CompletionItem:
    """That files are meant too. It comes first: click's script for bash forgets what stands before it."""
    return CompletionItem(incomplete, type="file")


def _starting(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
