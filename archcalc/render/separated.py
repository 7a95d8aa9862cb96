"""Tables as CSV: every figure exact, no sums, nothing but the cells."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator

from archcalc.render.table import Share, Table


def lines(table: Table) -> Iterator[str]:
    """The lines of a table, the keys of the columns first."""
    columns = [i for i, column in enumerate(table.columns) if column.kind != "share"]
    yield _line([table.columns[i].key for i in columns])
    for row in table.rows:
        yield _line(["" if row.cells[i] is None or isinstance(row.cells[i], Share) else row.cells[i] for i in columns])


def _line(cells: list[object]) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="").writerow(cells)
    return buffer.getvalue()
