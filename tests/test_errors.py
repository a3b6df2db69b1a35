"""Messages that stand alone."""

from __future__ import annotations

import errno
import os
import pickle

import pytest

from rednd_core import errors
from rednd_core.errors import (
    DataError,
    RedndError,
    printable,
    refusals,
    storage_error,
    unknown_name,
)

CLASSES = [
    errors.DataError,
    errors.ConfigError,
    errors.CheckpointError,
    errors.RunError,
    errors.EngineError,
    errors.TrainingError,
    errors.StorageError,
]


@pytest.mark.parametrize("cls", CLASSES)
def test_one_sentence_of_three_parts(cls: type[RedndError]) -> None:
    error = cls(expected="a cat", found="a dog", remedy="whistle")
    assert str(error) == "Expected a cat, but found a dog; whistle."
    assert isinstance(error, RedndError)


@pytest.mark.parametrize("cls", CLASSES)
def test_crosses_a_process_border(cls: type[RedndError]) -> None:
    copy = pickle.loads(pickle.dumps(cls(expected="a", found="b", remedy="c")))
    assert type(copy) is cls
    assert (copy.expected, copy.found, copy.remedy) == ("a", "b", "c")


def test_parts_are_named() -> None:
    with pytest.raises(TypeError):
        DataError("only", "by", "keyword")  # type: ignore[misc]


def test_unknown_names() -> None:
    error = unknown_name("model", "lightgnc", ["rednnd", "lightgcn"])
    expected = (
        "Expected a model among lightgcn, rednnd, but found 'lightgnc'; did you mean 'lightgcn'?"
    )
    assert str(error) == expected
    assert "choose one of them" in str(unknown_name("model", "zzz", ["mf"]))
    assert "(none)" in str(unknown_name("loss", "bpr", []))


HOSTILE_TEXT = "a\x1b[31mred\x07\r\nb\x9b2J\u202eevil\u2028\ud800"


def test_a_message_steers_no_terminal() -> None:
    error = DataError(expected="a name", found=HOSTILE_TEXT, remedy="rename it")
    assert error.found == r"a\x1b[31mred\x07\r\nb\x9b2J\u202eevil\u2028\ud800"
    assert printable("Märchen – 本 🙂") == "Märchen – 本 🙂"
    str(error).encode()


def test_a_value_that_floods_a_message_is_cut_in_its_middle() -> None:
    error = DataError(expected="a name", found="x" * 100_000 + " in line 7", remedy="rename it")
    assert len(error.found) == errors.MOST_CHARACTERS
    assert error.found.endswith(" in line 7")
    assert "…" in error.found


@pytest.mark.parametrize(
    ("number", "words"),
    [
        (errno.ENOSPC, "room on the disk for /a/b, but found a full disk; free some space, then"),
        (errno.EDQUOT, "found an exhausted quota of the disk; free some space"),
        (errno.EACCES, "check its permissions"),
        (errno.EROFS, "check its permissions"),
        (errno.EMFILE, "too many open files"),
        (errno.EIO, "check the path and the disk"),
    ],
)
def test_what_the_system_refuses_is_named(number: int, words: str) -> None:
    error = storage_error(OSError(number, os.strerror(number), "/a/b"))
    assert words in str(error)
    with pytest.raises(errors.StorageError, match="full disk"), refusals():
        raise OSError(errno.ENOSPC, "No space left on device")
