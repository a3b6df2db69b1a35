import numpy as np
import pytest

from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.compare import bootstrap_interval, compare
from rednd_core.evaluation.evaluate import Evaluation


def made(ranks, items=None):
    n = len(ranks)
    items = np.arange(n) if items is None else items
    pairs = Interactions(np.arange(n), items)
    return Evaluation(pairs, np.array(ranks), (5,), np.arange(n) + 1)


def test_by_hand():
    found = compare(made([1, 9, 9, 2]), made([9, 1, 1, 1]), "recall@5")
    assert (found.mean_first, found.mean_second) == (0.5, 0.75)
    assert found.difference == 0.25
    assert (found.n_users, found.n_better, found.n_worse) == (4, 2, 1)
    assert found.per_user["user"].tolist() == [0, 3, 1, 2]
    assert found.per_user["difference"].tolist() == [-1, 0, 1, 1]
    assert found.per_user["n_train"].tolist() == [1, 4, 2, 3]
    assert found.moved["user"].tolist() == [0, 1, 2]
    assert found.low <= found.difference <= found.high


def test_a_model_against_itself_has_no_difference():
    found = compare(made([1, 3, 9]), made([1, 3, 9]), "ndcg@5")
    assert (found.difference, found.low, found.high) == (0, 0, 0)
    assert found.moved.empty


def test_pairing_narrows_the_interval():
    """The same shift for everyone is certain, however much users differ among themselves."""
    rng = np.random.default_rng(0)
    values = rng.normal(0, 10, 500)
    low, high = bootstrap_interval((values + 1) - values, 500, seed=0)
    assert low == pytest.approx(1)
    assert high == pytest.approx(1)


def test_interval_covers_the_truth_as_often_as_it_says():
    rng = np.random.default_rng(1)
    covered = 0
    for trial in range(400):
        sample = rng.choice([-1.0, 0.0, 0.5, 1.0], p=[0.2, 0.4, 0.3, 0.1], size=150)
        low, high = bootstrap_interval(sample, 400, seed=trial)
        covered += low <= 0.05 <= high
    assert 0.92 <= covered / 400 <= 0.98


def test_interval_agrees_with_drawing_the_users():
    rng = np.random.default_rng(2)
    values = rng.choice([0.0, 0.2, 1.0], size=300)
    drawn = values[rng.integers(0, 300, (4000, 300))].mean(axis=1)
    expected = np.quantile(drawn, [0.025, 0.975])
    assert bootstrap_interval(values, 4000, seed=0) == pytest.approx(expected, abs=0.006)


def test_seed_repeats():
    first, second = made(np.arange(1, 40)), made(np.arange(1, 40)[::-1])
    one, two = (compare(first, second, "ndcg@5", seed=7) for _ in range(2))
    assert (one.low, one.high) == (two.low, two.high)
    other = compare(first, second, "ndcg@5", seed=8)
    assert (other.low, other.high) != (one.low, one.high)


def test_different_pairs_are_refused():
    for other in (made([1, 1]), made([1, 1, 1], items=np.array([0, 1, 3]))):
        with pytest.raises(DataError, match="same held-out pairs"):
            compare(made([1, 1, 1]), other, "recall@5")


def test_unknown_metric_and_too_few_resamples_are_refused():
    with pytest.raises(ConfigError, match="metric"):
        compare(made([1]), made([1]), "auc@5")
    with pytest.raises(ConfigError, match="100 resamples"):
        compare(made([1]), made([1]), "recall@5", n_resamples=10)
