"""The sampler against its definition: uniform, never a train item, every pair once, repeatable."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from rednd_core.data.sampling import BPRSampler
from rednd_core.data.schema import Interactions
from rednd_core.errors import DataError


def sampler(pairs, n_users, n_items, batch_size=4, seed=0) -> BPRSampler:
    users, items = np.array(sorted(pairs), dtype=np.int64).reshape(-1, 2).T
    shuffled = np.random.default_rng(seed).permutation(len(users))  # input order is not sorted
    return BPRSampler(
        Interactions(users[shuffled], items[shuffled]), n_users, n_items, batch_size, seed
    )


def random_pairs(rng: np.random.Generator) -> tuple[set[tuple[int, int]], int, int]:
    """Sizes 1..8 and any density; users without a pair, and users with all items, are common."""
    n_users, n_items = rng.integers(1, 9, size=2)
    taken = rng.random((n_users, n_items)) < rng.random()
    if rng.random() < 0.3:
        taken[rng.integers(n_users)] = True
    return {(int(u), int(i)) for u, i in np.argwhere(taken)}, int(n_users), int(n_items)


def triples(batches) -> list[tuple[int, int, int]]:
    return [
        triple
        for batch in batches
        for triple in zip(
            batch.users.tolist(), batch.pos_items.tolist(), batch.neg_items.tolist(), strict=True
        )
    ]


def test_random_cases_keep_every_promise() -> None:
    rng = np.random.default_rng(11)
    usable_cases = 0
    for case in range(150):
        pairs, n_users, n_items = random_pairs(rng)
        full = {u for u in range(n_users) if sum(p[0] == u for p in pairs) == n_items}
        usable = {pair for pair in pairs if pair[0] not in full}
        if not usable:
            with pytest.raises(DataError, match="none usable"):
                sampler(pairs, n_users, n_items)
            continue
        usable_cases += 1
        made = sampler(pairs, n_users, n_items, batch_size=3, seed=case)
        assert made.n_users_without_negative == len(full)
        for _ in range(3):
            drawn = triples(made.epoch())
            assert Counter((u, i) for u, i, _ in drawn) == Counter(usable)
            assert all(0 <= j < n_items and (u, j) not in pairs for u, _, j in drawn)
    assert usable_cases > 80


def test_negatives_are_uniform() -> None:
    """Three users with their own gaps, 4,000 draws a free item: chi-square does not object."""
    pairs = {(0, 0), (0, 1), (0, 6), (1, 3), (2, 1), (2, 2), (2, 4), (2, 5)}
    made = sampler(pairs, 4, 7)
    for user in range(4):
        free = [i for i in range(7) if (user, i) not in pairs]
        drawn = made.negatives(torch.full((4000 * len(free),), user))
        counts = torch.bincount(drawn, minlength=7)
        assert set(counts.nonzero().ravel().tolist()) == set(free)
        assert chisquare(counts[free].numpy()).pvalue > 1e-3


def test_a_pairs_negative_does_not_depend_on_its_positive() -> None:
    made = sampler({(0, 0), (0, 3)}, 1, 5, batch_size=2)
    by_positive = {0: Counter(), 3: Counter()}
    for _ in range(3000):
        for _, positive, negative in triples(made.epoch()):
            by_positive[positive][negative] += 1
    for counts in by_positive.values():
        assert chisquare([counts[i] for i in (1, 2, 4)]).pvalue > 1e-3


def test_only_one_item_is_left() -> None:
    made = sampler({(0, i) for i in range(6) if i != 4}, 1, 6)
    assert {j for _, _, j in triples(made.epoch())} == {4}


def test_batches() -> None:
    pairs = {(u, i) for u in range(5) for i in range(2)}
    made = sampler(pairs, 5, 4, batch_size=4)
    batches = list(made.epoch())
    assert [len(batch) for batch in batches] == [4, 4, 2]
    assert made.n_batches == 3
    assert all(t.dtype == torch.int64 for b in batches for t in (b.users, b.pos_items, b.neg_items))


def test_orders_and_negatives_change_between_epochs() -> None:
    made = sampler({(u, i) for u in range(20) for i in range(3)}, 20, 50, batch_size=100)
    (first,), (second,) = made.epoch(), made.epoch()
    assert not torch.equal(first.users, second.users)
    by_pair = [{(u, i): j for u, i, j in triples([batch])} for batch in (first, second)]
    changed = sum(by_pair[0][pair] != by_pair[1][pair] for pair in by_pair[0])
    assert changed > 45  # of 60, each equal with probability 1/47


def test_state_repeats_epochs_bit_for_bit() -> None:
    pairs = {(u, i) for u in range(9) for i in range(4)}
    made = sampler(pairs, 9, 12)
    list(made.epoch())
    state = made.state()
    epochs = [triples(made.epoch()) for _ in range(3)]
    other = sampler(pairs, 9, 12, seed=99)
    other.restore(state)
    assert [triples(other.epoch()) for _ in range(3)] == epochs
    assert epochs[0] != epochs[1]


def test_an_epoch_left_early_leaves_the_state_of_a_whole_one() -> None:
    pairs = {(u, i) for u in range(9) for i in range(4)}
    whole, left = sampler(pairs, 9, 12), sampler(pairs, 9, 12)
    list(whole.epoch())
    next(iter(left.epoch()))
    assert torch.equal(whole.state(), left.state())


def test_seeds() -> None:
    pairs = {(u, i) for u in range(9) for i in range(4)}
    drawn = [triples(sampler(pairs, 9, 12, seed=s).epoch()) for s in (1, 1, 2)]
    assert drawn[0] == drawn[1] != drawn[2]


@pytest.mark.gpu
def test_on_the_gpu() -> None:
    pairs = np.array([(u, (3 * u + i) % 12) for u in range(9) for i in range(4)])
    train = Interactions(pairs[:, 0].copy(), pairs[:, 1].copy())
    made = BPRSampler(train, 9, 12, 5, 0, "cuda")
    state = made.state()
    drawn = triples(made.epoch())
    made.restore(state)
    assert triples(made.epoch()) == drawn
    owned = {tuple(pair) for pair in pairs.tolist()}
    assert all((u, j) not in owned for u, _, j in drawn)
