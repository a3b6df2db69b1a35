import math

import numpy as np
import pytest
import torch
from torchmetrics import retrieval

from rednd_core.data.schema import Interactions
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation.evaluate import evaluate

KS = (1, 5, 20, 100)


def naive(case, k):
    """Per-user metrics by the book: walk down each user's list."""
    rows = {}
    for user in sorted(set(case.held_out.users.tolist())):
        wanted, listed = case.held_out_of(user), case.ranking(user)[:k]
        hits, gain, precision = 0, 0.0, 0.0
        for place, item in enumerate(listed, start=1):
            if item in wanted:
                hits += 1
                gain += 1 / math.log2(place + 1)
                precision += hits / place
        best = min(k, len(wanted))
        rows[user] = {
            f"recall@{k}": hits / len(wanted),
            f"precision@{k}": hits / k,
            f"hit_rate@{k}": float(hits > 0),
            f"ndcg@{k}": gain / sum(1 / math.log2(p + 1) for p in range(1, best + 1)),
            f"map@{k}": precision / best,
        }
    return rows


@pytest.mark.parametrize("k", KS)
def test_agrees_with_a_loop(case, k):
    result, rows = evaluate(*case.args, ks=KS), naive(case, k)
    assert result.users.tolist() == list(rows)
    table = result.per_user.set_index("user")
    for user, expected in rows.items():
        assert table.loc[user, list(expected)].to_dict() == pytest.approx(expected, abs=1e-12)
    for name in rows[result.users[0]]:
        assert result.metrics[name] == pytest.approx(np.mean([r[name] for r in rows.values()]))


@pytest.mark.parametrize("k", [1, 5, 20])
def test_agrees_with_torchmetrics(case, k):
    """Second oracle. torchmetrics gets 1 / place as scores: its tie rule differs from ours, and it
    counts no item with a score below zero as a hit.

    Its MAP divides by the hits in the list, ours by min(K, held-out items): rescaled before comparing.
    """
    result = evaluate(*case.args, ks=[k])
    preds, target, index = [], [], []
    for user in result.users.tolist():
        ranking, wanted = case.ranking(user), case.held_out_of(user)
        preds += [1 / place for place in range(1, len(ranking) + 1)]
        target += [item in wanted for item in ranking]
        index += [user] * len(ranking)
    data = torch.tensor(preds), torch.tensor(target), torch.tensor(index)
    for name, metric in {
        "recall": retrieval.RetrievalRecall,
        "precision": retrieval.RetrievalPrecision,
        "hit_rate": retrieval.RetrievalHitRate,
        "ndcg": retrieval.RetrievalNormalizedDCG,
    }.items():
        expected = float(metric(top_k=k)(data[0], data[1], indexes=data[2]))
        assert result.metrics[f"{name}@{k}"] == pytest.approx(expected, abs=1e-6), name

    theirs = retrieval.RetrievalMAP(top_k=k, aggregation=lambda x, dim: x)
    per_user = theirs(data[0], data[1], indexes=data[2]).numpy()
    hits = result.values(f"recall@{k}") * result.n_held_out
    expected = per_user * hits / np.minimum(result.n_held_out, k)
    assert result.values(f"map@{k}") == pytest.approx(expected, abs=1e-6)


def test_users_without_held_out_items_are_not_averaged(case):
    result = evaluate(*case.args, ks=[5])
    kept = result.users[: result.n_users // 2]
    inside = np.isin(case.held_out.users, kept)
    fewer = Interactions(case.held_out.users[inside], case.held_out.items[inside])
    half = evaluate(case.user_emb, case.item_emb, case.train, fewer, ks=[5])
    assert half.n_users == len(kept) < result.n_users
    assert half.metrics["recall@5"] == pytest.approx(result.values("recall@5")[: len(kept)].mean())


def test_per_user_frame(case):
    table = evaluate(*case.args, ks=[20, 5]).per_user
    assert list(table.columns[:5]) == ["user", "n_held_out", "n_train", "recall@5", "recall@20"]
    degrees = case.train.sum(axis=1)
    for row in table.itertuples():
        assert row.n_train == degrees[row.user]
        assert row.n_held_out == len(case.held_out_of(row.user))


def test_a_cut_off_above_the_number_of_items_finds_everything(case):
    result = evaluate(*case.args, ks=[1000])
    assert result.metrics["recall@1000"] == 1
    assert result.metrics["precision@1000"] == pytest.approx(result.n_held_out.mean() / 1000)


def test_order_of_the_pairs_does_not_matter(case):
    order = np.argsort(case.held_out.items, kind="stable")
    shuffled = Interactions(case.held_out.users[order], case.held_out.items[order])
    result = evaluate(*case.args, ks=KS)
    again = evaluate(*case.args[:3], shuffled, KS)
    assert again.metrics == pytest.approx(result.metrics)
    assert (again.ranks == result.ranks[order]).all()


def test_parts_keep_the_ranks_of_the_whole(case):
    result = evaluate(*case.args, ks=[5])
    chosen = case.held_out.items % 2 == 0
    part = result.for_pairs(chosen)
    assert (part.ranks == result.ranks[chosen]).all()
    assert part.users.tolist() == sorted(set(case.held_out.users[chosen].tolist()))
    degrees = case.train.sum(axis=1)
    assert part.n_train.tolist() == degrees[part.users].tolist()
    hits = sum((part.ranks <= 5) & (part.held_out.users == part.users[0]))
    assert part.values("recall@5")[0] == hits / part.n_held_out[0]


def test_unknown_or_missing_metric_is_refused(case):
    result = evaluate(*case.args, ks=[5])
    with pytest.raises(ConfigError, match="a metric among"):
        result.values("auc@5")
    with pytest.raises(ConfigError, match="recall@5"):
        result.values("recall@7")


def test_nothing_held_out_is_refused(case):
    empty = Interactions(np.empty(0, np.int64), np.empty(0, np.int64))
    with pytest.raises(DataError, match="at least one held-out pair"):
        evaluate(*case.args[:3], empty, ks=[5])


def test_no_cut_off_is_refused(case):
    with pytest.raises(ConfigError, match="cut-off"):
        evaluate(*case.args, ks=[])
