"""A table with a text in each row (CSV): find its texts, and give it back with columns added."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from classifier.core.errors import SheetError, TextError
from classifier.core.examples import guard_formula
from classifier.core.text import decode

# What a column of texts is called, the best names first; compared without case, blanks and underscores.
TEXT_COLUMNS = (
    "text blurb description summary synopsis abstract plot content body longdescription bookdescription excerpt".split()
)
_DELIMITERS = ",;\t"
_MAX_CELL = 10_000_000
# A table without a header, when its only column begins with so many words.
_PROSE_WORDS = 5


@dataclass(frozen=True)
class Sheet:
    """The rows of a table below its header, and which column holds the texts."""

    header: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    column: int

    @property
    def name(self) -> str:
        """What the column of texts is called."""
        return self.header[self.column] or f"column {self.column + 1}"

    def texts(self) -> list[str]:
        """Return the text of each row; '' where a row is too short to have one."""
        return [row[self.column] if self.column < len(row) else "" for row in self.rows]

    def with_columns(self, names: Sequence[str], cells: Iterable[Sequence[str]]) -> str:
        """Return the table as CSV, with the columns ``names`` at the end. No cell is a formula to a spreadsheet."""
        stream = io.StringIO(newline="")
        writer = csv.writer(stream, lineterminator="\r\n")
        width = max([len(self.header), *map(len, self.rows)])
        for row, added in zip([self.header, *self.rows], [names, *cells], strict=True):
            padded = [*row, *[""] * (width - len(row))]
            writer.writerow([guard_formula(cell) for cell in [*padded, *added]])
        return stream.getvalue()


def read_sheet(data: bytes, *, column: str = "", most_rows: int) -> Sheet:
    """Return the table in a CSV file, separated by commas, semicolons or tabs.

    Parameters
    ----------
    data : bytes
        Text in an encoding that ``decode`` knows.
    column : str, default=''
        The name or the number (from 1) of the column with the texts. '' finds it by its name, else it is the first.
    most_rows : int
        More are refused.

    Raises
    ------
    SheetError
        When it is no such table, or lacks the column. Says what to do.
    """
    try:
        content = decode(data)
    except TextError as error:
        raise SheetError("This file is no CSV table. Save the table as CSV (UTF-8) and choose it again.") from error
    csv.field_size_limit(_MAX_CELL)
    reader = csv.reader(io.StringIO(content, newline=""), delimiter=_delimiter(content), strict=False)
    rows: list[tuple[str, ...]] = []
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                # NUL, which no database stores and some spreadsheets write.
                rows.append(tuple(cell.replace("\x00", "") for cell in cells))
            if len(rows) > most_rows + 1:
                raise SheetError(
                    "This table has more than %(most)s rows. Divide it, and choose its parts one by one.",
                    most=most_rows,
                )
    except csv.Error as error:
        raise SheetError(
            "This file is no sound CSV: line %(line)s can't be read (%(why)s).", line=reader.line_num, why=str(error)
        ) from error
    if rows and len(rows[0]) == 1 and len(rows[0][0].split()) >= _PROSE_WORDS:
        rows.insert(0, ("text",))
    if len(rows) < 2:
        raise SheetError(
            "There are no rows in this table. Its first line names the columns, each further one holds a text."
        )
    return Sheet(rows[0], tuple(rows[1:]), _column(rows[0], column.strip()))


def _delimiter(content: str) -> str:
    first = next((line for line in content.splitlines() if line.strip()), "")
    # The first of equals: a comma where there is none of them.
    return max(_DELIMITERS, key=first.count)


def _column(header: Sequence[str], wanted: str) -> int:
    folded = [_folded(name) for name in header]
    if wanted:
        if _folded(wanted) in folded:
            return folded.index(_folded(wanted))
        if wanted.isascii() and wanted.isdigit() and 1 <= int(wanted) <= len(header):
            return int(wanted) - 1
        there = ", ".join(name[:40] for name in header[:20])
        raise SheetError(
            "There is no column “%(name)s” in this table. It has: %(there)s.", name=wanted[:40], there=there
        )
    return next((folded.index(name) for name in TEXT_COLUMNS if name in folded), 0)


def _folded(name: str) -> str:
    return "".join(name.lower().replace("_", " ").split())
