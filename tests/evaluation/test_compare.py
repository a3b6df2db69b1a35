import numpy as np
import pytest

from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.compare import compare, interval, mean_interval, resampled_means
from rednd_core.evaluation.evaluate import Evaluation


def made(ranks, items=None):
    n = len(ranks)
    items = np.arange(n) if items is None else items
    pairs = Interactions(np.arange(n), items)
    return Evaluation(pairs, np.array(ranks), (5,), np.arange(n) + 1)


def bootstrap_interval(values, n_resamples, seed):
    """Of the mean over users, from one training."""
    return interval(resampled_means([np.asarray(values)[None]], n_resamples, seed)[0])


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


def plain_bootstrap(first, second, n_resamples, rng):
    """Draw users and, in each model, trainings, one by one; (S, n_users) each."""
    found = []
    n = first.shape[1]
    for _ in range(n_resamples):
        users = rng.integers(0, n, n)
        drawn = [of[rng.integers(0, len(of), len(of))][:, users].mean() for of in (first, second)]
        found.append(drawn[1] - drawn[0])
    return np.quantile(found, [0.025, 0.975])


def ranks_with_seed(rng, shift):
    """Ranks of 60 users whose lists all get better or worse together with the seed."""
    return np.maximum(1, rng.integers(1, 12, 60) + shift)


@pytest.mark.parametrize("n_second", [1, 2, 4])
def test_users_and_seeds_are_resampled(n_second):
    rng = np.random.default_rng(5)
    first = [made(ranks_with_seed(rng, shift)) for shift in (-3, 0, 3)]
    second = [made(ranks_with_seed(rng, -1)) for _ in range(n_second)]
    found = compare(first, second, "ndcg@5", n_resamples=4000)
    before = np.stack([run.values("ndcg@5") for run in first])
    after = np.stack([run.values("ndcg@5") for run in second])
    assert found.mean_first == pytest.approx(before.mean())
    assert found.difference == pytest.approx(after.mean() - before.mean())
    wanted = plain_bootstrap(before, after, 4000, np.random.default_rng(1))
    assert (found.low, found.high) == pytest.approx(wanted, abs=0.02)
    assert (found.n_first, found.n_second) == (3, n_second)
    np.testing.assert_allclose(found.per_user.sort_values("user")["first"], before.mean(axis=0))


def test_seeds_that_differ_widen_the_interval():
    rng = np.random.default_rng(6)
    first = [made(ranks_with_seed(rng, shift)) for shift in (-4, 0, 4)]
    second = [made(ranks_with_seed(rng, shift)) for shift in (-4, 0, 4)]
    both = compare(first, second, "ndcg@5")
    alone = compare(first[1], second[1], "ndcg@5")
    assert both.high - both.low > 1.5 * (alone.high - alone.low)


def test_seeds_that_agree_change_nothing():
    run, other = made([1, 3, 9, 2, 5, 1]), made([2, 2, 8, 1, 5, 4])
    alone = compare(run, other, "ndcg@5", n_resamples=4000)
    several = compare([run] * 3, [other] * 2, "ndcg@5", n_resamples=4000)
    assert (several.low, several.high) == pytest.approx((alone.low, alone.high), abs=0.02)


def test_the_mean_of_several_trainings_has_an_interval():
    runs = [made([1, 9, 9, 9]), made([1, 1, 1, 9])]  # recall .25 and .75
    low, high = mean_interval(runs, "recall@5", 4000)
    assert low < 0.25
    assert high > 0.75


def test_an_interval_says_what_it_resamples():
    once = compare(made([1, 2]), made([2, 1]), "recall@5")
    assert once.sentence == (
        "The interval resamples the users only: each model was trained once, so it does not say how "
        "much another seed would change."
    )
    several = compare([made([1, 2])] * 3, made([2, 1]), "recall@5")
    assert (
        several.sentence == "The interval resamples users and seeds (3 trainings and 1 training)."
    )


def test_no_training_is_refused():
    with pytest.raises(DataError, match="at least one training"):
        compare([], made([1]), "recall@5")
    with pytest.raises(DataError, match="same held-out pairs"):
        compare([made([1, 1]), made([1])], made([1, 1]), "recall@5")
