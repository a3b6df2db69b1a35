"""Weak slices that were planted are found, and where nothing is planted, nothing is."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy.stats import hypergeom

from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.weak_slices import LEAST_USERS, banded, weak_slices

N = 600


def columns(rng: np.random.Generator) -> dict[str, pd.Series]:
    return {
        "segment": pd.Series(rng.choice(["Living", "Play", "Outdoors"], N)),
        "cohort": pd.Series(rng.choice(["old", "new"], N)),
        "age": pd.Series(rng.integers(10, 90, N)),
        "name": pd.Series([f"user {k}" for k in range(N)]),
    }


def hits(rng: np.random.Generator, chance: float | np.ndarray = 0.4) -> np.ndarray:
    return (rng.random(N) < chance).astype(np.float32)


def test_a_planted_pair_is_found_before_its_columns():
    rng = np.random.default_rng(1)
    of = columns(rng)
    planted = ((of["segment"] == "Play") & (of["cohort"] == "new")).to_numpy()
    found = weak_slices(hits(rng, np.where(planted, 0.05, 0.5)), of)
    first = found.table.iloc[0]
    assert first["slice"] == (("segment", "Play"), ("cohort", "new"))
    assert first["n_users"] == planted.sum()
    assert first["p_corrected"] < 0.001
    assert found.left_out == ("name",)
    assert f"{found.n_looked_at} slices" in found.sentence


def test_a_planted_band_of_a_number_is_found():
    rng = np.random.default_rng(2)
    of = columns(rng)
    young = (of["age"] <= np.quantile(of["age"], 0.25)).to_numpy()
    found = weak_slices(hits(rng, np.where(young, 0.1, 0.5)), of)
    ((column, value),) = found.table.iloc[0]["slice"]
    assert column == "age"
    assert value.startswith("10-")
    inside = found.table.iloc[0]
    assert inside["mean"] < inside["rest"]


def test_where_nothing_is_planted_few_searches_report_anything():
    """At a level of 5 %, 100 searches report in 5 on average; 12 or more happen once in 250 times."""
    reporting = 0
    for seed in range(100):
        rng = np.random.default_rng(seed)
        reporting += len(weak_slices(hits(rng), columns(rng)).table) > 0
    assert reporting < 12


def test_p_is_near_the_exact_chance_for_hits():
    """Of hits, the number inside a random slice is hypergeometric."""
    rng = np.random.default_rng(5)
    of = pd.Series(["a"] * 120 + ["b"] * (N - 120))
    values = hits(rng, np.where(of == "a", 0.25, 0.4))
    row = weak_slices(values, {"letter": of}).table.iloc[0]
    n_hits = int(values[:120].sum())
    exact = hypergeom.cdf(n_hits, N, int(values.sum()), 120)
    assert row["p"] == pytest.approx(exact, rel=0.6)
    assert row["p_corrected"] == pytest.approx(2 * row["p"])


def test_a_pair_that_is_no_weaker_than_its_columns_is_not_told():
    rng = np.random.default_rng(3)
    of = columns(rng)
    weak = (of["segment"] == "Play").to_numpy()
    found = weak_slices(np.where(weak, 0.0, 1.0), of).table
    assert found["slice"].tolist() == [(("segment", "Play"),)]


def test_small_slices_and_empty_values_are_left_out():
    values = np.r_[np.zeros(LEAST_USERS - 1), np.ones(N - LEAST_USERS + 1)]
    of = pd.Series(["rare"] * (LEAST_USERS - 1) + [""] * 100 + ["b"] * (N - LEAST_USERS - 99))
    found = weak_slices(values, {"kind": of})
    assert found.table.empty
    assert found.n_looked_at == 1  # only "b"


def test_numbers_become_bands_of_equal_size():
    texts = banded(pd.Series(np.arange(1, 101)))
    assert texts.value_counts().to_dict() == {"1-25": 25, "26-50": 25, "51-75": 25, "76-100": 25}
    assert banded(pd.Series([1, 2, 2, 3])).tolist() == ["1", "2", "2", "3"]
    assert banded(pd.Series(["1", "2", "10", "4", "5"])).tolist() == ["1-2", "1-2", "10", "4", "5"]


def test_what_does_not_fit_is_refused():
    with pytest.raises(ConfigError, match="at least two users"):
        weak_slices(np.zeros(1), {})
    with pytest.raises(DataError, match="'a' for each of 5 users"):
        weak_slices(np.zeros(5), {"a": pd.Series(["x"])})
