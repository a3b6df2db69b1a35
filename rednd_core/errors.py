"""Errors that a user reads. Each says what was expected, what was found and what to do.

Everything that the library raises on purpose derives from :class:`RedndError`; the command line and
the app print ``str(error)`` as it stands, so the message must be complete without a traceback.
"""

from __future__ import annotations

import errno
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

MOST_CHARACTERS = 600
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]"
)


def printable(text: str) -> str:
    """``text`` on one line, with every character that steers a terminal written out, e.g. ``\\x1b``.

    Names, titles and cells may be anybody's: they must not colour, move or rewrite what a terminal shows,
    nor turn the direction of a sentence.
    """
    return _UNPRINTABLE.sub(lambda match: ascii(match[0])[1:-1], text)


def _in_a_sentence(part: str) -> str:
    """A part that fits a sentence; its end stays where it is too long, as it may say more than the middle."""
    text = printable(part)
    if len(text) <= MOST_CHARACTERS:
        return text
    tail = MOST_CHARACTERS // 4
    return f"{text[: MOST_CHARACTERS - tail - 1]}…{text[-tail:]}"


class RedndError(Exception):
    """A problem that the user can mend.

    Args:
        expected: what should have been there, e.g. ``"a column 'userID' in baby.inter"``.
        found: what is there instead, e.g. ``"the columns user, item"``.
        remedy: one imperative clause, e.g. ``"rename the column or pass --columns"``, or a question.
    """

    def __init__(self, *, expected: str, found: str, remedy: str) -> None:
        expected, found, remedy = (_in_a_sentence(part) for part in (expected, found, remedy))
        self.expected, self.found, self.remedy = expected, found, remedy
        full_stop = "" if remedy.endswith("?") else "."
        super().__init__(f"Expected {expected}, but found {found}; {remedy}{full_stop}")

    def __reduce__(self) -> tuple[Any, ...]:
        """Keep the three parts when the error crosses a process border."""
        return _rebuild, (type(self), self.expected, self.found, self.remedy)


def _rebuild(cls: type[RedndError], expected: str, found: str, remedy: str) -> RedndError:
    return cls(expected=expected, found=found, remedy=remedy)


class DataError(RedndError):
    """A data folder, file, column or value that cannot be used."""


class ConfigError(RedndError):
    """An unknown or impossible setting."""


class CheckpointError(RedndError):
    """A checkpoint or an imported run that is incomplete, foreign or hostile."""


class RunError(RedndError):
    """A run folder that is missing, broken, or in the wrong state for what was asked."""


class EngineError(RedndError):
    """A device or a sparse engine that this machine does not have."""


class TrainingError(RedndError):
    """A training run that cannot go on, e.g. because its loss is no longer finite."""


class StorageError(RedndError):
    """A disk that is full, closed or broken."""


_FULL = {errno.ENOSPC: "a full disk", errno.EDQUOT: "an exhausted quota of the disk"}
_CLOSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_TOO_MANY = frozenset({errno.EMFILE, errno.ENFILE})
STORAGE = frozenset({*_FULL, *_CLOSED, *_TOO_MANY, errno.EIO, errno.EFBIG, errno.ESTALE})
"""What only a disk or the system answers: no file is at fault."""


def storage_error(error: OSError, then: str = "do it again") -> StorageError:
    """The sentence for what the system refused, with the remedy for that; a full disk by name.

    Args:
        then: what to do once the cause is gone.
    """
    file = str(error.filename) if error.filename else "a file"
    said = f"that the system refuses it ({error.strerror or error})"
    if error.errno in _FULL:
        return StorageError(
            expected=f"room on the disk for {file}",
            found=_FULL[error.errno],
            remedy=f"free some space, then {then}",
        )
    if error.errno in _TOO_MANY:
        return StorageError(
            expected=f"to open {file}",
            found="too many open files",
            remedy="end other programs, or raise the limit (ulimit -n)",
        )
    remedy = "check its permissions" if error.errno in _CLOSED else "check the path and the disk"
    return StorageError(expected=f"to read or write {file}", found=said, remedy=remedy)


@contextmanager
def refusals() -> Iterator[None]:
    """Within the block, whatever the system refuses becomes a :class:`StorageError`."""
    try:
        yield
    except OSError as error:
        raise storage_error(error) from error


def unknown_name(kind: str, name: str, valid: Iterable[str]) -> ConfigError:
    """The error for a mistyped name: lists the valid ones and points at the nearest."""
    import difflib

    choices = sorted(valid)
    near = difflib.get_close_matches(name, choices, n=1, cutoff=0.4)
    hint = f"did you mean {near[0]!r}?" if near else "choose one of them"
    return ConfigError(
        expected=f"a {kind} among {', '.join(choices) or '(none)'}", found=repr(name), remedy=hint
    )
