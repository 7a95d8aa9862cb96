"""What the shell offers where a net, a layer, a layer type or a rule is asked for."""

from __future__ import annotations

from collections.abc import Iterable

import click
from click.shell_completion import CompletionItem


def nets(ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
    """Names of the zoo, and files."""
    from archcalc.library import zoo

    return [_files(incomplete), *_starting(zoo(), incomplete)]


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


def _files(incomplete: str) -> CompletionItem:
    """That files are meant too. It comes first: click's script for bash forgets what stands before it."""
    return CompletionItem(incomplete, type="file")


def _starting(names: Iterable[str], incomplete: str) -> list[CompletionItem]:
    return [CompletionItem(name) for name in sorted(names) if name.startswith(incomplete)]
