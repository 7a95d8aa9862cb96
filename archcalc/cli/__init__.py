"""The command line: read, call one library function, show."""

from archcalc.cli.entry import main

__all__ = ["main"]
