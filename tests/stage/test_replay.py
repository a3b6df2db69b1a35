"""The stage over epochs: epochs and nodes that runs share, and layers, lists and maps of each epoch."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rednd_core.cache import ArrayCache
from rednd_core.config import DataConfig, RunConfig
from rednd_core.errors import DataError, RunError
from rednd_core.runs import DataFacts, ModelFacts, Provenance, Run, RunRecord, create_run
from rednd_core.runs.snapshots import SnapshotWriter
from rednd_core.stage import replay
from rednd_core.stage.contents import LIST_LENGTH
from rednd_core.stage.of_run import named_payload
from rednd_core.stage.world import World
from tests.stage.conftest import N_ITEMS, N_USERS, TRAIN, VALID
from tests.stage.test_payload import read

N = N_USERS + N_ITEMS
WIDTH = 4


def start(epoch: int, seed: int = 0) -> np.ndarray:
    """x^0 after an epoch, in numbers that half precision holds."""
    rng = np.random.default_rng([seed, epoch])
    return rng.integers(-8, 9, size=(N, WIDTH)).astype(np.float32)


@pytest.fixture
def make_source(tmp_path: Path):
    """``make_source(name, epochs, nodes, seed)``: a run of a linear model with snapshots of x^0, or of all
    layers (twice and three times x^0) of some nodes."""

    def make(name: str, epochs=(0, 1, 2), nodes=None, seed: int = 0, best: int | None = 1):
        config = RunConfig(model="lightgcn", data=DataConfig(path="tiny"))
        sizes = {"n_train": len(TRAIN), "n_valid": len(VALID), "n_test": 0}
        data = DataFacts(name="tiny", digest="tiny", n_users=N_USERS, n_items=N_ITEMS, **sizes)
        facts = ModelFacts.uniform(("id",), 2, WIDTH, linear_propagation=True)
        record = RunRecord(config=config, provenance=Provenance(seed=1), data=data, model=facts)
        writer = create_run(tmp_path / name, record)
        last = start(epochs[-1], seed)
        layers = {"id": [last, 2 * last, 3 * last]}
        writer.save_layers(layers, last[:N_USERS], last[N_USERS:], epoch=epochs[-1])
        kept = np.arange(N) if nodes is None else np.array(nodes)
        widths = {"id": (WIDTH,) * (1 if nodes is None else 3)}
        snapshots = SnapshotWriter(writer.layout, kept, widths, n_nodes=N, epoch=0)
        for epoch in epochs:
            x = start(epoch, seed)[kept]
            snapshots.write(epoch, {"id": [x, 2 * x, 3 * x]})
            writer.append_metrics({"epoch": epoch, "valid": {"recall@20": epoch / 10}})
        writer.status("finished", epoch=epochs[-1], best_epoch=best)
        return replay.Source.of(Run(writer.path), f"Run {name}")

    return make


def propagated(x: np.ndarray, depth: int) -> np.ndarray:
    """A-hat^depth x from the list of pairs, by hand."""
    a = np.zeros((N, N))
    for u, i in TRAIN:
        a[u, N_USERS + i] = a[N_USERS + i, u] = 1
    scale = np.where(a.sum(axis=1) > 0, a.sum(axis=1), 1) ** -0.5
    a_hat = scale[:, None] * a * scale
    return np.linalg.matrix_power(a_hat, depth) @ x


def test_deeper_layers_of_a_complete_snapshot_follow_from_the_first(world, make_source) -> None:
    source = make_source("a")
    assert (source.goes_on, source.deepest) == (True, 16)
    for epoch in (0, 2):
        for depth in (0, 2, 9):
            found = source.vectors(epoch, depth, "layer", world.graph)
            np.testing.assert_allclose(found, propagated(start(epoch), depth), atol=1e-5)
        mean = np.mean([propagated(start(epoch), k) for k in range(4)], axis=0)
        np.testing.assert_allclose(
            source.vectors(epoch, 3, "readout", world.graph), mean, atol=1e-5
        )


def test_a_sample_has_the_layers_that_it_keeps_and_no_more(world, make_source) -> None:
    nodes = [0, 1, 2, 9, 10, 11]
    source = make_source("a", nodes=nodes)
    assert (source.goes_on, source.deepest) == (False, 2)
    found = source.vectors(1, 2, "layer", world.graph)
    np.testing.assert_array_equal(found, 3 * start(1)[nodes])


def test_two_runs_share_their_epochs_and_the_longer_goes_on(make_source) -> None:
    short, long = make_source("a", (0, 1, 2, 5)), make_source("b", (0, 1, 3, 5, 8, 12))
    assert replay.shared_epochs([short, long]) == [(0, 1, 5), (0, 1, 5, 8, 12)]
    assert replay.axis_of([(0, 1, 5), (0, 1, 5, 8, 12)]).steps == (0, 1, 5, 8, 12)
    assert replay.shared_epochs([long]) == [(0, 1, 3, 5, 8, 12)]
    many = make_source("d", tuple(range(60)))
    (shown,) = replay.shared_epochs([many])
    assert (shown[0], shown[-1], len(shown)) == (0, 59, replay.MOST_STEPS)
    with pytest.raises(RunError, match="snapshots of the same epochs"):
        replay.shared_epochs([short, make_source("c", (7, 9))])


def staged(sources, world, depth: int = 2, follow: int | None = None):
    dataset, graph = world.dataset, world.graph
    shown = replay.shared_world(sources, dataset, graph)
    cast = replay.cast_of(shown, follow)
    runs = [
        replay.stage_over_epochs(source, own, depth, "layer", cast=cast, world=shown, graph=graph)
        for source, own in zip(sources, replay.shared_epochs(sources), strict=True)
    ]
    return shown, cast, runs


def best_items(x: np.ndarray, user: int, items: list[int]) -> list[int]:
    """Of ``items``, those without a train pair of the user, best first; of equals the lower number first."""
    unseen = [i for i in items if (user, i) not in TRAIN]
    scores = x[:N_USERS] @ x[N_USERS:].T
    return sorted(unseen, key=lambda i: (-scores[user, i], i))[:LIST_LENGTH]


def test_lists_and_measures_of_every_epoch_are_of_its_layer(world, make_source) -> None:
    source = make_source("a")
    _, cast, (run,) = staged([source], world, depth=0)
    for step, epoch in enumerate((0, 1, 2)):
        for place, user in enumerate(cast.users):
            listed = [i for i in run.lists.items[step, place].tolist() if i >= 0]
            assert listed == best_items(start(epoch), user, list(range(N_ITEMS)))
    assert run.beyond_from == 1.0
    assert len(run.recall) == 3
    assert run.whole is None


def test_a_sample_ranks_its_own_items_and_shows_the_validation_of_the_whole_model(
    world, make_source
) -> None:
    users, items = [0, 2, 5], [1, 3, 4, 6, 9, 13]
    source = make_source("a", nodes=users + [N_USERS + i for i in items])
    shown, cast, (run,) = staged([source], world, depth=0)
    assert not shown.is_whole
    for step, epoch in enumerate((0, 1, 2)):
        for place, user in enumerate(users):
            listed = [items[i] for i in run.lists.items[step, place].tolist() if i >= 0]
            assert listed == best_items(start(epoch), user, items)
    pairs = {
        (users[u], items[i]) for u, i in zip(cast.held_out.users, cast.held_out.items, strict=True)
    }
    assert pairs == {(u, i) for u, i in VALID if u in users and i in items}
    mad = run.measures[(run.measures["measure"] == "mad") & (run.measures["layer"] == 1)]
    assert dict(zip(mad["side"], mad["n"], strict=True)) == {"users": 3, "items": 6}
    unit = start(1)[users] / np.linalg.norm(start(1)[users], axis=1, keepdims=True)
    expected = (1 - unit @ unit.T)[~np.eye(3, dtype=bool)].mean()
    assert mad.set_index("side")["value"]["users"] == pytest.approx(expected, abs=1e-6)
    assert run.recall.empty
    assert run.whole == ("recall@20", (0.0, 0.1, 0.2))


def test_twins_begin_in_the_same_picture(world, make_source) -> None:
    """Equal vectors are drawn at the same place, though the runs go apart later."""
    first, second = make_source("a", best=None), make_source("b")
    # The same start, another end.
    SnapshotWriter(second.run.layout, np.arange(N), {"id": (WIDTH,)}, n_nodes=N, epoch=2).write(
        2, {"id": [10 + start(2, seed=1)]}
    )
    shown, cast, runs = staged([first, second], world)
    maps = replay.replay_maps(runs, cast, shown, ArrayCache(None), compute_umap=False)
    payload = named_payload(
        list(zip(runs, maps, strict=True)),
        cast,
        replay.axis_of(replay.shared_epochs([first, second])),
        shown,
        Names(),
        same_axes=replay.same_axes(runs),
    )
    assert payload["axis"] == {"name": "epoch", "steps": [0, 1, 2]}
    one, other = (read(run["maps"]["pca"]) for run in payload["runs"])
    np.testing.assert_array_equal(one[:2], other[:2])
    assert (one[2] != other[2]).any()
    assert [run["beyond_from"] for run in payload["runs"]] == [2, 1]


class Names:
    """Names of nodes that say their number in the whole data set."""

    def labels(self, nodes):
        return [f"node {n}" for n in nodes]

    keys = labels

    @property
    def titles(self):
        return np.array([f"title {n}" for n in range(N)], dtype=object)


def test_names_of_a_sample_are_those_of_the_whole_data_set(world, make_source) -> None:
    source = make_source("a", nodes=[0, 2, 5, *(N_USERS + i for i in (1, 3, 13))])
    shown, cast, runs = staged([source], world)
    maps = replay.replay_maps(runs, cast, shown, ArrayCache(None), compute_umap=False)
    axis = replay.axis_of(replay.shared_epochs([source]))
    payload = named_payload([(runs[0], maps[0])], cast, axis, shown, Names())
    assert payload["nodes"]["labels"] == [f"node {n}" for n in (0, 2, 5, 9, 11, 21)]
    assert payload["nodes"]["all_users"] == N_USERS
    assert payload["ranked"] == {"n": 3, "all": N_ITEMS}
    assert set(payload["items"]) <= {"title 9", "title 11", "title 21"}


def test_a_followed_user_is_found_under_another_number(world, make_source) -> None:
    source = make_source("a", nodes=[0, 2, 5, *(N_USERS + i for i in (1, 3, 13))])
    shown, cast, _ = staged([source], world, follow=5)
    assert shown.place(5) == 2
    assert 2 in cast.users
    assert shown.place(4) is None


def test_runs_without_common_nodes_or_without_snapshots_are_refused(
    world, make_source, tmp_path
) -> None:
    one, other = (
        make_source(name, nodes=[user, user + 1, N_USERS + user])
        for name, user in (("a", 0), ("b", 4))
    )
    with pytest.raises(DataError, match="users and items in the sample"):
        staged([one, other], world)
    for path in one.run.layout.snapshots.iterdir():
        path.unlink()
    with pytest.raises(RunError, match="snapshots in the run a"):
        replay.Source.of(one.run, "A")


def test_a_world_keeps_the_degrees_of_the_whole_graph(world) -> None:
    dataset, graph = world.dataset, world.graph
    nodes = np.array([0, 3, 6, *(N_USERS + i for i in (2, 5))])
    part = World.of(nodes, dataset, graph)
    assert part.graph.degrees.tolist() == graph.degrees[nodes].tolist()
    assert (part.graph.n_users, part.graph.n_items) == (3, 2)
    found = {
        (nodes[u], nodes[3 + i] - N_USERS)
        for u, i in zip(part.dataset.train.users, part.dataset.train.items, strict=True)
    }
    assert found == {(u, i) for u, i in TRAIN if u in (0, 3, 6) and i in (2, 5)}
    assert World.of(np.arange(N), dataset, graph).dataset is dataset
