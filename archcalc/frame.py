"""Tables as DataFrames. The only file that imports pandas."""

from __future__ import annotations

import io
import warnings
from itertools import islice
from typing import Any

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


def open_worksheets(data: bytes, formulas: bool, rows: int, columns: int) -> dict[str, dict[tuple[int, int], Any]]:
    """The cells of each worksheet of an .xlsx workbook that is not hidden, by row and column, both from 1.

    Of a formula there is the value that was last worked out, None where the file holds none; or its text, if
    `formulas` are asked for. One row and one column beyond the first so many are read, to tell that there are more.
    Raises `ImportError` where openpyxl is missing, and whatever openpyxl raises for a broken file.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # openpyxl tells of styles and extensions that it leaves out
        options = {"data_only": not formulas}
        with pd.ExcelFile(io.BytesIO(data), engine="openpyxl", engine_kwargs=options) as workbook:
            return {
                sheet.title: {
                    (row, column): value
                    for row, values in enumerate(sheet.iter_rows(max_row=rows + 1, values_only=True), 1)
                    for column, value in enumerate(islice(values, columns + 1), 1)
                    if value is not None
                }
                for sheet in workbook.book.worksheets
                if sheet.sheet_state == "visible"
            }
