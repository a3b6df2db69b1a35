"""Tables without a header: what their columns are, by the file's name or by what the cells look like."""

from __future__ import annotations

import re
from collections.abc import Sequence

_RATINGS = ("user", "item", "rating", "timestamp")
_GENRES = (
    "unknown|Action|Adventure|Animation|Children's|Comedy|Crime|Documentary|Drama|Fantasy|Film-Noir|"
    "Horror|Musical|Mystery|Romance|Sci-Fi|Thriller|War|Western"
)
GENRE_FLAGS = tuple(_GENRES.split("|"))
"""The last columns of MovieLens 100k's ``u.item``: 1 where the film has that genre."""

_TABLES: dict[str, tuple[str, ...]] = {
    "u.data": _RATINGS,
    "u.item": ("item_id", "title", "release_date", "video_release_date", "url", *GENRE_FLAGS),
    "u.user": ("user_id", "age", "gender", "occupation", "zip_code"),
    "ratings.dat": _RATINGS,
    "movies.dat": ("item_id", "title", "genres"),
    "users.dat": ("user_id", "gender", "age", "occupation", "zip_code"),
}


def known_columns(name: str, width: int) -> tuple[str, ...] | None:
    """The columns of a file that is called so, where it has that many; else None."""
    found = _TABLES.get(name.lower())
    return found if found is not None and len(found) == width else None


_NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?")
_ASIN = re.compile(r"[0-9]{9}[0-9X]|B[0-9A-Z]{9}")
_EARLIEST = 1e8  # seconds since 1970 of a time in 1973: ratings and counts stay below


def content_roles(rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """Role -> ``column k`` of a table without a header, from its first rows.

    The user comes first, the item second; of the numbers after them, large ones are times and others are
    ratings. Amazon's tables of 2018 have the product first: its ids cannot be mistaken.
    """
    width = min(map(len, rows))
    if width < 2:
        return {}
    columns = [[row[k].strip().strip('"') for row in rows] for k in range(width)]
    item_first = all(map(_ASIN.fullmatch, columns[0])) and not any(map(_ASIN.fullmatch, columns[1]))
    user, item = (2, 1) if item_first else (1, 2)
    roles = {"user": f"column {user}", "item": f"column {item}"}
    for k in range(2, min(width, 4)):
        if not all(map(_NUMBER.fullmatch, columns[k])):
            continue
        role = "timestamp" if min(map(float, columns[k])) >= _EARLIEST else "rating"
        roles.setdefault(role, f"column {k + 1}")
    return roles
