"""The command line: read, call one library function, show."""

from archcalc.cli.main import main

__all__ = ["main"]
