import numpy as np
import pytest
import scipy.sparse as sp
import torch

from rednd_core.data.schema import Interactions, interaction_matrix
from rednd_core.errors import ConfigError, DataError
from rednd_core.evaluation import ranking, scoring
from rednd_core.evaluation.ranking import held_out_ranks, top_k


def pairs(*rows):
    users, items = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    return Interactions(users.copy(), items.copy())


NOTHING = interaction_matrix(pairs(), 1, 4)


def test_ranks_and_lists_by_hand():
    users = np.array([[1.0, 0.0], [0.0, 2.0]])
    items = np.array([[3.0, 1.0], [2.0, 1.0], [5.0, 0.0], [2.0, 4.0]])
    train = interaction_matrix(pairs((0, 2), (1, 3)), 2, 4)
    # user 0 scores 3 2 [5] 2: ranking 0, 1, 3; user 1 scores 2 2 0 [8]: ranking 0, 1, 2
    held_out = pairs((1, 2), (0, 3), (0, 1), (1, 0))
    assert held_out_ranks(users, items, train, held_out).tolist() == [3, 3, 2, 1]
    found, scores = top_k(users, items, train, [1, 0], 2)
    assert found.tolist() == [[0, 1], [0, 1]]
    assert scores.tolist() == [[2, 2], [3, 2]]


def test_ranks_agree_with_a_sort(case):
    expected = [
        case.ranking(u).index(i) + 1
        for u, i in zip(case.held_out.users.tolist(), case.held_out.items.tolist(), strict=True)
    ]
    assert held_out_ranks(*case.args).tolist() == expected


@pytest.mark.parametrize("k", [1, 7, 43, 60])
def test_lists_agree_with_a_sort_and_are_padded(case, k):
    users = np.arange(len(case.user_emb))[::-1].copy()
    items, scores = top_k(case.user_emb, case.item_emb, case.train, users, k)
    for row, user in enumerate(users):
        best = case.ranking(user)[:k]
        assert items[row].tolist() == best + [-1] * (k - len(best))
        own = case.item_emb[best] @ case.user_emb[user]
        assert scores[row].tolist() == own.tolist() + [-np.inf] * (k - len(best))


def test_train_items_never_appear(case):
    items, _ = top_k(case.user_emb, case.item_emb, case.train, np.arange(len(case.user_emb)), 43)
    rows, columns = np.nonzero(items >= 0)
    assert len(rows) > 0
    assert not case.train.toarray()[rows, items[rows, columns]].any()


def test_a_user_who_has_everything_gets_an_empty_list():
    train = interaction_matrix(pairs((0, 0), (0, 1)), 1, 2)
    items, scores = top_k(np.ones((1, 1)), np.ones((2, 1)), train, [0], 2)
    assert items.tolist() == [[-1, -1]]
    assert np.isneginf(scores).all()


@pytest.mark.parametrize("rows", [1, 2, 64, 1000])
def test_block_size_does_not_change_the_result(case, rows, monkeypatch):
    ranks = held_out_ranks(*case.args)
    users = np.arange(len(case.user_emb))
    items, scores = top_k(case.user_emb, case.item_emb, case.train, users, 10)
    monkeypatch.setitem(scoring.BLOCK_ROWS, "cpu", rows)
    assert (held_out_ranks(*case.args) == ranks).all()
    again_items, again_scores = top_k(case.user_emb, case.item_emb, case.train, users, 10)
    assert (again_items == items).all()
    assert (again_scores == scores).all()


@pytest.mark.parametrize("n_items", [7, 37, 1000])
@pytest.mark.parametrize("d", [64, 192])
def test_scores_do_not_depend_on_company(n_items, d):
    """Bit for bit, for real-valued embeddings: alone or in a crowd, and for equal items."""
    generator = torch.Generator().manual_seed(d + n_items)
    users = torch.randn(301, d, generator=generator)
    items = torch.randn(n_items, d, generator=generator)
    items[-1] = items[0]
    train = sp.csr_array((301, n_items))
    listed, scores = top_k(users, items, train, np.arange(301), n_items)
    for user in (0, 130, 300):
        alone, own = top_k(users, items, train, [user], n_items)
        assert (alone[0] == listed[user]).all()
        assert (own[0] == scores[user]).all()
    first, last = np.nonzero(listed == 0)[1], np.nonzero(listed == n_items - 1)[1]
    assert (last == first + 1).all()  # equal items are neighbours, lower index first


def test_collapsed_real_valued_items_rank_by_index():
    generator = torch.Generator().manual_seed(0)
    users = torch.randn(200, 64, generator=generator)
    items = torch.randn(1, 64, generator=generator).expand(701, 64)
    held_out = Interactions(np.arange(200), np.arange(200) * 3)
    ranks = held_out_ranks(users, items, sp.csr_array((200, 701)), held_out)
    assert ranks.tolist() == (np.arange(200) * 3 + 1).tolist()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_every_float_type_and_numpy_give_the_same_ranks(case, dtype):
    users, items = torch.tensor(case.user_emb) / 4096, torch.tensor(case.item_emb) / 4096
    converted = users.to(dtype).requires_grad_(), items.to(dtype)
    expected = held_out_ranks(
        converted[0].detach().float().numpy(), converted[1].float().numpy(), *case.args[2:]
    )
    assert (held_out_ranks(*converted, *case.args[2:]) == expected).all()


@pytest.mark.filterwarnings("error")
def test_read_only_arrays_are_fine_and_untouched(case, tmp_path):
    np.save(tmp_path / "users.npy", case.user_emb)
    users = np.load(tmp_path / "users.npy", mmap_mode="r")
    items = case.item_emb.copy()
    ranks = held_out_ranks(users, items, case.train, case.held_out)
    assert (ranks == held_out_ranks(*case.args)).all()
    assert (items == case.item_emb).all()


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_values_that_are_not_finite_are_refused(bad):
    items = np.ones((4, 2))
    items[2, 1] = bad
    with pytest.raises(DataError, match="NaN or infinity in 1 of 4 rows"):
        held_out_ranks(np.ones((1, 2)), items, NOTHING, pairs((0, 1)))


def test_products_beyond_float32_are_refused():
    with pytest.raises(DataError, match="fit into float32"):
        top_k(np.full((1, 2), 1e18), np.full((4, 2), -1e25), NOTHING, [0], 1)


@pytest.mark.parametrize(
    ("users", "items", "train", "message"),
    [
        (np.ones((1, 3)), np.ones((4, 2)), NOTHING, "one width"),
        (np.ones((2, 2)), np.ones((4, 2)), NOTHING, r"shape \(2, 4\)"),
        (np.ones((1, 2)), np.ones((5, 2)), NOTHING, r"shape \(1, 5\)"),
        (np.ones((1, 2)), np.ones((4, 2)), NOTHING.tocsc(), "CSC"),
        (np.ones(2), np.ones((4, 2)), NOTHING, "user_emb as a matrix"),
        (np.ones((1, 2)), np.ones((0, 2)), NOTHING, "item_emb as a matrix"),
    ],
)
def test_shapes_that_do_not_fit_are_refused(users, items, train, message):
    with pytest.raises(DataError, match=message):
        held_out_ranks(users, items, train, pairs((0, 1)))


@pytest.mark.parametrize("pair", [(1, 0), (-1, 0), (0, 4), (0, -1)])
def test_ids_out_of_range_are_refused(pair):
    with pytest.raises(DataError, match="ids from 0 to"):
        held_out_ranks(np.ones((1, 2)), np.ones((4, 2)), NOTHING, pairs(pair))


def test_a_held_out_pair_in_train_is_refused():
    train = interaction_matrix(pairs((0, 1)), 1, 4)
    with pytest.raises(DataError, match="1 pairs in both"):
        held_out_ranks(np.ones((1, 2)), np.ones((4, 2)), train, pairs((0, 1), (0, 2)))


def test_k_below_one_is_refused():
    with pytest.raises(ConfigError, match="k of at least 1"):
        top_k(np.ones((1, 2)), np.ones((4, 2)), NOTHING, [0], 0)


def test_all_pairs_at_once_as_one_by_one():
    """What runs on a GPU, with nine times as many pairs as users; many scores tie."""
    generator = torch.Generator().manual_seed(0)
    scores = torch.randint(4, (5, 9), generator=generator).float()
    rows, columns = torch.arange(45) // 9, torch.arange(45) % 9
    ranks, own = ranking._ranks_at_once(scores, rows, columns)
    expected, wanted = ranking._ranks_one_by_one(scores, rows, columns)
    assert ranks.tolist() == expected.tolist()
    assert own.tolist() == wanted.tolist() == scores.flatten().tolist()


@pytest.mark.gpu
def test_gpu_agrees(case):
    on_gpu = [torch.tensor(x, device="cuda") for x in (case.user_emb, case.item_emb)]
    assert (held_out_ranks(*on_gpu, *case.args[2:]) == held_out_ranks(*case.args)).all()
    users = np.arange(len(case.user_emb))
    gpu = top_k(*on_gpu, case.train, users, 10)
    cpu = top_k(case.user_emb, case.item_emb, case.train, users, 10)
    assert (gpu[0] == cpu[0]).all()
    assert (gpu[1] == cpu[1]).all()
