"""Which column is the user, the item, the rating, the time: by the names that people give them."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence

from rednd_core.config import ColumnNames
from rednd_core.data.layouts.names import ROLES
from rednd_core.data.tables import listing
from rednd_core.errors import DataError


def plain(name: str) -> str:
    """A column name for comparison: RecBole's ``:type``, case, spaces and signs do not count."""
    return re.sub(r"[^0-9a-z]", "", name.partition(":")[0].casefold())


def find_roles(header: Sequence[str], names: ColumnNames | None) -> dict[str, str]:
    """Role -> column of ``header``; roles without a column are absent.

    A name that the user chose is taken as it stands, then MMRec's own names, then the known ones.
    """
    chosen = (names or ColumnNames()).model_dump(exclude_defaults=True)
    roles = {}
    for role, name in chosen.items():
        by_place = f"column {name}"  # of a table without a header
        if name in header or by_place in header:
            roles[role] = name if name in header else by_place
    by_plain: dict[str, str] = {}
    for name in header:
        by_plain.setdefault(plain(name), name)
    for role, known in ROLES.items():
        if role in chosen:
            continue
        usual = ColumnNames.model_fields[role].default
        exact = [name for name in header if name == usual]
        found = exact or [by_plain[name] for name in known if name in by_plain]
        free = [name for name in found if name not in roles.values()]
        if free:
            roles[role] = free[0]
    return roles


def is_known(name: str) -> bool:
    """Whether a cell is a name that columns of interactions have."""
    return any(plain(name) in known for known in ROLES.values())


def require_roles(
    roles: Mapping[str, str], header: Sequence[str], names: ColumnNames | None, file: str
) -> None:
    """Refuse a table without a column of users or items, or without one that was asked for.

    Raises:
        DataError: which column is missing, what is there, and which name is nearly right.
    """
    wanted = {"user": ColumnNames().user, "item": ColumnNames().item}
    wanted |= (names or ColumnNames()).model_dump(exclude_defaults=True)
    missing = {role: name for role, name in wanted.items() if role not in roles}
    if missing:
        near = {role: _nearest(role, name, header) for role, name in missing.items()}
        hints = " ".join(f"--column {role}={near[role] or 'NAME'}" for role in missing)
        guess = [f"{name!r}" for name in near.values() if name]
        raise DataError(
            expected=f"column {' and column '.join(map(repr, missing.values()))} in {file}",
            found=f"the columns {listing(header)}",
            remedy=(f"did you mean {' and '.join(guess)}? Name " if guess else "name ")
            + ("the column" if len(missing) == 1 else "the columns")
            + f" with {hints} (in the app: Split and columns)",
        )
    repeated = sorted({name for name in header if header.count(name) > 1})
    if repeated:
        raise DataError(
            expected=f"different column names in {file}",
            found=f"{listing(repeated)} more than once",
            remedy="rename or drop the copies",
        )
    used = [name for role, name in roles.items() if role in wanted]
    if len(set(used)) < len(used):
        raise DataError(
            expected=f"every role in a column of {file} of its own",
            found=", ".join(f"{role} in {roles[role]!r}" for role in wanted),
            remedy="give each role another column",
        )


def _nearest(role: str, name: str, header: Sequence[str]) -> str | None:
    """The column whose name is nearest to what was asked for, or holds the role's word."""
    by_plain = {plain(column): column for column in header}
    for column in by_plain:
        if role in column:
            return by_plain[column]
    near = difflib.get_close_matches(plain(name), [c for c in by_plain if c], n=1, cutoff=0.5)
    return by_plain[near[0]] if near else None
