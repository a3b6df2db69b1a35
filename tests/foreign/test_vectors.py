"""Vectors of another program become a run: the right rows and layers, and what does not match is said."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import safetensors.numpy

from rednd_core.data import load_configured
from rednd_core.errors import CheckpointError, ConfigError
from rednd_core.foreign.imported import How, import_vectors
from rednd_core.library import LoadedRun, load_run_data
from rednd_core.runs import Run, RunStore


@pytest.fixture
def store(tmp_path: Path) -> RunStore:
    return RunStore(tmp_path / "runs")


def save(folder: Path, **arrays: np.ndarray) -> list[Path]:
    for name, values in arrays.items():
        np.save(folder / f"{name}.npy", values)
    return [folder / f"{name}.npy" for name in arrays]


def require_vectors_of(run: Run, world, but: tuple[str, str] | None = None) -> None:
    """Every node has the vector that belongs to its original id; the node ``but`` has none."""
    table = LoadedRun(run).embeddings()
    vectors = {"user": world.user_vectors, "item": world.item_vectors}
    assert len(table) == sum(map(len, vectors.values()))
    for (kind, node), row in zip(table.index, table.to_numpy(), strict=True):
        expected = vectors[kind][node] * (but != (kind, node))
        np.testing.assert_allclose(row, expected, rtol=1e-5)


def test_rows_in_the_order_of_the_ids(world, store: RunStore, tmp_path: Path) -> None:
    """Ids are compared as numbers: 10 comes after 9."""
    users, items = world.by_ids()
    run, said = import_vectors(save(tmp_path, users=users, items=items), store, data=world.config)
    require_vectors_of(run, world)
    assert any("in the order of the ids" in sentence for sentence in said)
    assert run.status.state == "imported"


def test_rows_in_the_order_of_appearance(world, store: RunStore, tmp_path: Path) -> None:
    users, items = world.by_appearance()
    run, said = import_vectors(save(tmp_path, users=users, items=items), store, data=world.config)
    require_vectors_of(run, world)
    assert any("in which the ids appear" in sentence for sentence in said)


def test_the_order_can_be_said(world, store: RunStore, tmp_path: Path) -> None:
    """A wrong order is taken as it is told, and the sentence warns of it."""
    users, items = world.by_appearance()
    paths = save(tmp_path, users=users, items=items)
    run, said = import_vectors(paths, store, data=world.config, how=How(order="ids"))
    assert any("chance is 0.50" in sentence for sentence in said)
    np.testing.assert_array_equal(run.embeddings()[0], users)
    with pytest.raises(ConfigError, match="order of rows"):
        import_vectors(paths, store, data=world.config, how=How(order="size"))  # type: ignore[arg-type]


def test_a_row_for_padding_comes_first(world, store: RunStore, tmp_path: Path) -> None:
    """RecBole's tables have n + 1 rows; the first one is [PAD]."""
    padded = {
        name: np.concatenate([np.full((1, values.shape[1]), 9, np.float32), values])
        for name, values in zip(("users", "items"), world.by_appearance(), strict=True)
    }
    run, said = import_vectors(save(tmp_path, **padded), store, data=world.config)
    require_vectors_of(run, world)
    assert sum("[PAD]" in sentence for sentence in said) == 2


def test_ids_of_a_table_decide(world, store: RunStore, tmp_path: Path) -> None:
    """Shuffled rows, one item without a vector and one vector too many: both are counted."""
    frames = []
    for kind, vectors in (("user", world.user_vectors), ("item", world.item_vectors)):
        ids = list(vectors)[::-1]
        frame = pd.DataFrame([vectors[node] for node in ids]).add_prefix("v")
        frame.insert(0, "id", ids)
        frame.insert(0, "kind", kind)
        frames.append(frame)
    table = pd.concat(frames)
    table = table[~((table["kind"] == "item") & (table["id"] == "7"))]
    table.loc[len(table)] = ["user", "999", *range(6)]
    table.to_parquet(tmp_path / "v.parquet")
    table.to_csv(tmp_path / "v.csv", index=False)
    for name in ("v.parquet", "v.csv"):
        run, said = import_vectors([tmp_path / name], store, data=world.config)
        require_vectors_of(run, world, but=("item", "7"))
        assert any(s.startswith("1 item of the data set without a row") for s in said), said
        assert any(
            s.startswith("1 row of users for a user that the data set does not") for s in said
        )


def test_leading_zeros_of_ids_stay(tmp_path: Path, store: RunStore) -> None:
    for side in ("user", "item"):
        rows = "".join(f"{node},{k},{k + 1}\n" for k, node in enumerate(("007", "7")))
        (tmp_path / f"{side}s.csv").write_text(f"{side}_id,a,b\n{rows}")
    run, _ = import_vectors([tmp_path / "users.csv", tmp_path / "items.csv"], store)
    assert run.ids().users == ["007", "7"]


@pytest.mark.parametrize("form", ["npz", "safetensors"])
def test_several_matrices_in_one_file(world, store: RunStore, tmp_path: Path, form: str) -> None:
    users, items = world.by_ids()
    arrays = {"user_emb": users, "item_emb": items}
    path = tmp_path / f"vectors.{form}"
    if form == "npz":
        np.savez(path, **arrays)
    else:
        safetensors.numpy.save_file(arrays, path)
    run, _ = import_vectors([path], store, data=world.config)
    require_vectors_of(run, world)


def test_ids_beside_the_matrices_of_an_archive(world, store: RunStore, tmp_path: Path) -> None:
    rng = np.random.default_rng(2)
    user_ids, item_ids = (
        rng.permutation(list(world.user_vectors)),
        rng.permutation(list(world.item_vectors)),
    )
    np.savez(
        tmp_path / "v.npz",
        users=np.stack([world.user_vectors[k] for k in user_ids]),
        items=np.stack([world.item_vectors[k] for k in item_ids]),
        user_ids=user_ids,
        item_ids=item_ids,
    )
    run, _ = import_vectors([tmp_path / "v.npz"], store, data=world.config)
    require_vectors_of(run, world)


def dense_norm_adj(world) -> np.ndarray:
    """D^-1/2 A D^-1/2 of the training pairs, written out."""
    data = load_configured(world.config)
    n = data.n_users + data.n_items
    adjacency = np.zeros((n, n))
    adjacency[data.train.users, data.train.items + data.n_users] = 1
    adjacency += adjacency.T
    scale = 1 / np.sqrt(np.maximum(adjacency.sum(axis=1), 1))
    return scale[:, None] * adjacency * scale


def test_ego_vectors_are_propagated(world, store: RunStore, tmp_path: Path) -> None:
    users, items = world.by_ids()
    paths = save(tmp_path, users=users, items=items)
    run, _ = import_vectors(paths, store, data=world.config, how=How(propagate=3))
    norm = dense_norm_adj(world)
    expected = [np.concatenate([users, items]).astype(np.float64)]
    for _ in range(3):
        expected.append(norm @ expected[-1])
    for found, wanted in zip(run.layers()["id"], expected, strict=True):
        np.testing.assert_allclose(found, wanted, atol=1e-5)
    scored = np.concatenate(run.embeddings())
    np.testing.assert_allclose(scored, np.mean(expected, axis=0), atol=1e-5)
    assert run.record.model.linear_propagation


def test_layers_are_recognised_as_linear_and_the_readout_is_found(
    world, store: RunStore, tmp_path: Path
) -> None:
    users, items = world.by_ids()
    norm, n = dense_norm_adj(world), len(users)
    states = [np.concatenate([users, items]).astype(np.float64)]
    states += [norm @ states[0], norm @ (norm @ states[0])]
    total = sum(states)
    arrays = {f"layer_{k}": x for k, x in enumerate(states)}
    paths = save(tmp_path, **arrays, users=total[:n], items=total[n:])
    run, said = import_vectors(paths, store, data=world.config)
    facts = run.record.model
    assert (facts.n_layers, facts.linear_propagation, facts.readout.rule) == (2, True, "sum")
    assert "What scores is the sum of the layers." in said
    arrays["layer_2"] = arrays["layer_2"] + 0.1
    other, _ = import_vectors(save(tmp_path, **arrays), store, data=world.config)
    assert not other.record.model.linear_propagation
    assert other.record.model.readout.rule == "mean"


def test_layers_of_different_widths(world, store: RunStore, tmp_path: Path) -> None:
    users, items = world.by_ids()
    paths = save(tmp_path, users_0=users, items_0=items, users_1=users[:, :3], items_1=items[:, :3])
    with pytest.raises(CheckpointError, match="layers of one width"):
        import_vectors(paths, store, data=world.config)
    run, _ = import_vectors(paths, store, data=world.config, how=How(readout="concat"))
    assert run.record.model.widths == {"id": (6, 3)}
    assert run.embeddings()[0].shape == (len(users), 9)


def test_without_interactions_measures_and_ids_are_there(
    world, store: RunStore, tmp_path: Path
) -> None:
    users, items = world.by_ids()
    run, _ = import_vectors(save(tmp_path, users=users, items=items), store)
    assert not run.record.has_interactions
    assert load_run_data(run).n_users == len(users)
    table = LoadedRun(run).measures()
    assert set(table["measure"]) == {
        "mad",
        "mad_all",
        "effective_rank",
        "numerical_rank",
        "uniformity",
    }
    unit = users / np.linalg.norm(users, axis=1, keepdims=True)
    n = len(users)
    mad = 1 - (np.sum(unit @ unit.T) - n) / (n * (n - 1))
    found = table[
        (table["measure"] == "mad") & (table["side"] == "users") & (table["view"] == "layer")
    ]
    assert found["value"].iloc[0] == pytest.approx(mad, abs=1e-5)
    assert found["n_excluded"].iloc[0] == 0


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"users": (40, 6)}, "a matrix of items"),
        ({"users": (40, 6), "items": (31, 6)}, "a row for each of the 32 items"),
        ({"users": (40, 6), "items": (32, 5)}, "of one width"),
        ({"users_1": (40, 6), "items_1": (32, 6)}, "numbered 0, 1, 2"),
        ({"all": (71, 6)}, "72 rows, users and items"),
        ({"users": (40, 6), "user_emb": (40, 6)}, "each matrix once"),
    ],
)
def test_what_cannot_be_understood_is_said(
    world, store: RunStore, tmp_path: Path, arrays: dict, sentence: str
) -> None:
    paths = save(tmp_path, **{name: np.ones(shape, np.float32) for name, shape in arrays.items()})
    with pytest.raises(CheckpointError, match=sentence):
        import_vectors(paths, store, data=world.config)
    assert list(store.list()) == []


def test_foreign_ids_match_none(world, store: RunStore, tmp_path: Path) -> None:
    for side, n in (("user", 40), ("item", 32)):
        rows = "".join(f"x{k},1.5\n" for k in range(n))
        (tmp_path / f"{side}s.csv").write_text(f"{side}_id,v\n{rows}")
    with pytest.raises(CheckpointError, match="ids of users as in the data set"):
        import_vectors([tmp_path / "users.csv", tmp_path / "items.csv"], store, data=world.config)


def test_numbers_that_are_no_vectors(world, store: RunStore, tmp_path: Path) -> None:
    users, items = world.by_ids()
    users[3, 2] = np.nan
    with pytest.raises(CheckpointError, match=r"the first is row 3"):
        import_vectors(save(tmp_path, users=users, items=items), store, data=world.config)


def test_propagation_needs_a_graph(store: RunStore, tmp_path: Path) -> None:
    paths = save(tmp_path, users=np.ones((3, 2)), items=np.ones((4, 2)))
    with pytest.raises(ConfigError, match="add --data"):
        import_vectors(paths, store, how=How(propagate=2))


@pytest.mark.confined
def test_a_process_of_its_own_reads_the_files(world, store: RunStore, tmp_path: Path) -> None:
    users, items = world.by_ids()
    run, _ = import_vectors(save(tmp_path, users=users, items=items), store, data=world.config)
    require_vectors_of(run, world)
