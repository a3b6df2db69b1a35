"""The slice x run matrix against means and intervals by hand."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.matrix import slice_matrix


def test_means_and_numbers_of_users():
    rng = np.random.default_rng(0)
    values = {"a": rng.random((1, 40)), "b": rng.random((3, 40))}
    inside = np.arange(40) < 25
    few = np.arange(40) < 9
    table = slice_matrix(values, {"first": inside, "few": few}).set_index(["slice", "model"])
    assert table.loc[("first", "a"), "mean"] == pytest.approx(values["a"][0, :25].mean())
    assert table.loc[("first", "b"), "mean"] == pytest.approx(values["b"][:, :25].mean())
    assert table.loc[("first", "b"), "n_trainings"] == 3
    assert table.loc[("first", "b"), "n_users"] == 25
    assert table.loc["few", ["mean", "low", "high"]].isna().all().all()
    assert (table.loc["few", "n_users"] == 9).all()


def test_an_interval_is_that_of_the_mean_over_users():
    """By the central limit theorem: the mean plus and minus 1.96 standard errors."""
    values = np.random.default_rng(1).random((1, 2000))
    row = slice_matrix({"a": values}, {"all": np.ones(2000, dtype=bool)}).iloc[0]
    half = 1.96 * values.std() / np.sqrt(2000)
    assert row["low"] == pytest.approx(row["mean"] - half, abs=half / 8)
    assert row["high"] == pytest.approx(row["mean"] + half, abs=half / 8)


def test_seeds_that_differ_widen_the_interval():
    users = np.random.default_rng(2).random((1, 500))
    alike = np.repeat(users, 3, axis=0)
    apart = alike + np.array([[-0.2], [0.0], [0.2]])
    everybody = {"all": np.ones(500, dtype=bool)}
    narrow, wide = (slice_matrix({"a": of}, everybody).iloc[0] for of in (alike, apart))
    assert wide["high"] - wide["low"] > 2 * (narrow["high"] - narrow["low"])


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="at least one model"):
        slice_matrix({}, {})
    with pytest.raises(DataError, match="3, 4 users"):
        slice_matrix({"a": np.zeros((1, 4))}, {"x": np.ones(3, dtype=bool)})
