"""Messages that stand alone."""

from __future__ import annotations

import pickle

import pytest

from rednd_core import errors
from rednd_core.errors import DataError, RedndError, unknown_name

CLASSES = [
    errors.DataError,
    errors.ConfigError,
    errors.CheckpointError,
    errors.RunError,
    errors.EngineError,
    errors.TrainingError,
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
