"""How a text table is written: its separator, header and encoding, found in the first lines."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from rednd_core.config import ColumnNames
from rednd_core.data.layouts.headerless import content_roles, known_columns
from rednd_core.data.layouts.roles import is_known
from rednd_core.data.layouts.source import SourceFile
from rednd_core.data.tables import shorten
from rednd_core.errors import DataError

SEPARATORS = {
    "::": "double colons",
    "\t": "tabs",
    ";": "semicolons",
    "|": "bars",
    ",": "commas",
    " ": "spaces",
}
_FIRST = {".inter": "\t", ".item": "\t", ".user": "\t", ".tsv": "\t", ".csv": ","}
_QUOTED = (",", ";", "|")
_SAMPLE = 200
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")


@dataclass(frozen=True)
class Form:
    """How a text table is written.

    Attributes:
        skipped: bytes before the header or the first row: a byte order mark, lines that begin with ``#``.
        escape: what stands before a quote inside a quoted cell, where quotes are not doubled.
        roles: role -> column, where there is no header to say it.
    """

    separator: str
    encoding: str
    skipped: int
    names: tuple[str, ...]
    has_header: bool
    escape: str | None = None
    roles: dict[str, str] = field(default_factory=dict)

    @property
    def quoted(self) -> bool:
        """Whether double quotes may enclose a cell; else they are characters as any other."""
        return self.separator in _QUOTED


def sample_lines(file: SourceFile) -> tuple[list[str], str, int]:
    """The first lines that say something, the encoding, and the bytes before them.

    Raises:
        DataError: nothing in it, or no text.
    """
    head = file.head()
    if not head:
        raise DataError(
            expected=f"data in {file.name}", found="an empty file", remedy="export it again"
        )
    if b"\0" in head:
        raise DataError(
            expected=f"{file.name} as UTF-8 text",
            found="binary data or another encoding",
            remedy="export it again as UTF-8 text",
        )
    skipped = 3 if head.startswith(b"\xef\xbb\xbf") else 0
    try:
        text = head[skipped:].decode()
        encoding = "utf-8"
    except UnicodeDecodeError as error:
        cut = len(head) - skipped - error.start < 4  # a letter that the sample cuts in two
        encoding = "utf-8" if cut else "latin-1"
        text = head[skipped:].decode(encoding, errors="ignore")
    whole = list(io.StringIO(text, newline=""))
    if len(head) == 1 << 16 and len(whole) > 1:
        whole.pop()
    while len(whole) > 1 and (whole[0].startswith("#") or not whole[0].strip()):
        if whole[0].startswith("#") and _is_header_comment(whole[0], whole[1]):
            whole[0] = whole[0].lstrip("# ")
            skipped = head.index(whole[0].encode(encoding), skipped)
            break
        skipped += len(whole.pop(0).encode(encoding))
    lines = [line.rstrip("\r\n") for line in whole if line.strip()]
    if not lines:
        raise DataError(
            expected=f"a table in {file.name}", found="blank lines", remedy="export it again"
        )
    return lines[:_SAMPLE], encoding, skipped


def _is_header_comment(comment: str, row: str) -> bool:
    """Whether ``# user<TAB>item`` names the columns of the rows below it."""
    return any(
        comment.count(separator) == row.count(separator) > 0 and is_known(cell)
        for separator in SEPARATORS
        for cell in comment.lstrip("# ").strip().split(separator)
    )


def find_form(file: SourceFile, names: ColumnNames | None = None, layout: str = "auto") -> Form:
    """How a text table is written, from its first lines.

    Args:
        layout: ``table`` has a header, ``headerless`` has none, ``beside`` has one unless the rows deny it,
            and for ``auto`` the rows must tell.

    Raises:
        DataError: no text, or a first line of which one cannot tell whether it is a header.
    """
    lines, encoding, skipped = sample_lines(file)
    separator = _separator(lines, file)
    escape = "\\" if separator in _QUOTED and any('\\"' in line for line in lines) else None
    rows = [cells(line, separator, escape) for line in lines]
    form = Form(separator, encoding, skipped, (), False, escape)
    given = known_columns(file.name, len(rows[0]))
    if given is not None and not any(is_known(cell) for cell in rows[0]):
        return replace(form, names=given)
    if layout == "table" or (layout != "headerless" and _is_header(rows, names, file, layout)):
        return replace(form, names=tuple(rows[0]), has_header=True)
    numbered = tuple(f"column {k + 1}" for k in range(len(rows[0])))
    return replace(form, names=numbered, roles=content_roles(rows))


def cells(line: str, separator: str, escape: str | None = None) -> list[str]:
    """One line cut at its separators; quotes enclose cells where the separator allows them."""
    if separator not in _QUOTED:
        return line.split(separator)
    return next(
        csv.reader([line], delimiter=separator, escapechar=escape, doublequote=escape is None)
    )


def _separator(lines: Sequence[str], file: SourceFile) -> str:
    """What cuts the lines into equally many cells, at least two."""
    preferred = _FIRST.get(file.suffix)
    candidates = sorted(SEPARATORS, key=lambda each: each != preferred)
    for separator in candidates:
        widths = Counter(len(cells(line, separator)) for line in lines)
        width = len(cells(lines[0], separator))
        if width > 1 and (separator == preferred or 10 * widths[width] >= 9 * len(lines)):
            return separator
    for separator in candidates:  # no even table: the header decides, and its rows will be named
        if len(cells(lines[0], separator)) > 1:
            return separator
    return preferred or ","


def _is_header(
    rows: Sequence[Sequence[str]], names: ColumnNames | None, file: SourceFile, layout: str
) -> bool:
    """Whether the first row names the columns; nothing is lost by taking a row for names."""
    first, below = rows[0], [row for row in rows[1:] if len(row) == len(rows[0])]
    asked = set() if names is None else set(names.model_dump(exclude_defaults=True).values())
    if asked & set(first) or any(is_known(cell) for cell in first) or file.suffix == ".inter":
        return True
    if len(set(first)) < len(first) or not all(cell.strip() for cell in first):
        return False
    if any(NUMBER.fullmatch(cell) for cell in first):
        return False
    columns = list(zip(*below, strict=True)) or [() for _ in first]
    if below and any(all(NUMBER.fullmatch(cell) for cell in column) for column in columns):
        return True
    if any(cell in column for cell, column in zip(first, columns, strict=True)):
        return False
    if layout == "beside" or file.suffix in (".item", ".user") or len(first) > 4:
        return True
    raise DataError(
        expected=f"column names that mean users and items in {file.name}, or a first row of ids",
        found=f"the first line {shorten(', '.join(first), 60)!r}, which may be either",
        remedy=f"name the columns with --column user={first[0]} --column item={first[1]} (in the app: "
        "Split and columns), or put a line 'user,item' above the rows"
        if len(first) > 1
        else "write a header with the columns userID and itemID",
    )
