"""Reading a run's typed JSON files: what does not fit is refused with one sentence that names the file."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TypeVar, cast

from pydantic import ValidationError

from rednd_core.bounded import read_plain
from rednd_core.errors import RunError
from rednd_core.runs.record import AnyRecord

R = TypeVar("R", bound=AnyRecord)


def parse_record(cls: type[R], content: bytes | str, what: str) -> R:
    """``content`` as a ``cls``; ``what`` names the file in the :class:`RunError`."""
    try:
        return cast("R", _parsed(cls, content))
    except ValidationError as error:
        raise _sentence(error, cls.formats, what) from None


def unreadable(what: str, error: OSError) -> RunError:
    """What a file of a run that cannot be read is answered with."""
    return RunError(
        expected=f"the file {what}",
        found=error.strerror or type(error).__name__,
        remedy="restore the file or delete the run",
    )


def read_record(cls: type[R], path: Path) -> R:
    """The record in ``path``; a missing, unreadable, large or invalid file is a :class:`RunError`."""
    what = f"{path.parent.name}/{path.name}"
    try:
        content = read_plain(path, cls.most_bytes)
    except OSError as error:
        raise unreadable(what, error) from None
    return parse_record(cls, content, what)


@lru_cache(maxsize=256)
def _parsed(cls: type[AnyRecord], content: bytes | str) -> AnyRecord:
    """Records are frozen, so all who read the same content may share one: a page reads some fifty times."""
    return cls.from_text(content)


def _sentence(error: ValidationError, formats: str, what: str) -> RunError:
    findings = error.errors(include_url=False)
    other_format = [finding for finding in findings if finding["loc"] == ("format",)]
    if other_format:
        return RunError(
            expected=f"{formats} in {what}",
            found=f"format {str(other_format[0]['input'])[:40]!r}",
            remedy="open it with the version that wrote it",
        )
    first = findings[0]
    where = ".".join(str(part) for part in first["loc"])
    return RunError(
        expected=f"a valid {what}",
        found=f"{first['msg'][:200]}{f' at {where[:100]}' if where else ''}",
        remedy="restore the file or delete the run",
    )
