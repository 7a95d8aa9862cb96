"""Tables as DataFrames. The only file that imports pandas."""

from __future__ import annotations

import pandas as pd

from archcalc.render.table import Table


def to_frame(table: Table) -> pd.DataFrame:
    """The rows of a table, its keys as columns; shares are left out, for they follow from the figures.

    Figures are Python integers: they are exact at any size.
    """
    columns = [i for i, column in enumerate(table.columns) if column.kind != "share"]
    rows = [
        [row.cells[i] if table.columns[i].kind != "size" else str(row.cells[i]) for i in columns] for row in table.rows
    ]
    return pd.DataFrame(rows, columns=[table.columns[i].key for i in columns], dtype=object)
