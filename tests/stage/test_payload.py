"""The stage as JSON, read back as a browser does."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
import pytest

from rednd_core.errors import DataError
from rednd_core.stage import payload
from rednd_core.stage.of_run import depth_axis
from rednd_core.stage.payload import stage_payload
from tests.stage.conftest import N_ITEMS, N_USERS


def read(packed: dict[str, Any]) -> np.ndarray:
    values = np.frombuffer(base64.b64decode(packed["data"]), dtype=packed["dtype"])
    return values.reshape(packed["shape"])


def names(kind: str):
    return lambda nodes: [f"{kind} {node}" for node in nodes]


def staged(world, runs) -> dict[str, Any]:
    found = stage_payload(
        runs,
        world.cast,
        axis=depth_axis([run for run, _ in runs]),
        n_users=N_USERS,
        n_items=N_ITEMS,
        labels=names("label"),
        titles=names("title"),
        keys=names("key"),
    )
    return json.loads(json.dumps(found, allow_nan=False))


def some_map(world, scale: float = 1.0) -> np.ndarray:
    shape = (4, len(world.cast.nodes), 2)
    return (np.random.default_rng(0).normal(size=shape) * scale).astype(np.float32)


def test_lists_and_held_out_items_lead_to_their_titles(world) -> None:
    run = world.run()
    found = staged(world, [(run, {"pca": some_map(world)})])
    lists, (sent,) = run.lists, found["runs"]
    titles = np.array([*found["items"], "nothing"])
    expected = np.where(lists.items < 0, -1, lists.items + N_USERS)
    texts = np.array(
        [[["nothing" if n < 0 else f"title {n}" for n in u] for u in d] for d in expected]
    )
    assert (titles[read(sent["lists"])] == texts).all()
    begins, items = read(found["held_out"]["begins"]), read(found["held_out"]["items"])
    ranks = read(sent["ranks"])
    held = world.cast.held_out
    for place, user in enumerate(world.cast.users):
        end = begins[place + 1] if place + 1 < len(begins) else len(items)
        own = [titles[item] for item in items[begins[place] : end]]
        assert own == [f"title {i + N_USERS}" for i in held.items[held.users == user]]
        assert (ranks[:, begins[place] : end] == lists.ranks[:, held.users == user]).all()
        node = read(found["users"]["nodes"])[place]
        assert found["nodes"]["labels"][node] == f"label {user}"
        assert found["users"]["keys"][place] == f"key {user}"
    for place, node in enumerate(read(found["item_nodes"])):
        if node >= 0:
            assert found["nodes"]["labels"][node].split()[1] == found["items"][place].split()[1]


def test_coordinates_keep_four_digits_and_two_pca_maps_one_scale(world) -> None:
    small, large = some_map(world), some_map(world, 10)
    found = staged(
        world,
        [
            (world.run("a"), {"pca": small, "umap": small}),
            (world.run("b"), {"pca": large, "umap": large}),
        ],
    )
    sent = [{m: read(packed) / 32767 for m, packed in run["maps"].items()} for run in found["runs"]]
    half = np.ptp(large.reshape(-1, 2), axis=0).max() / 2
    for coords, drawn in ((small, sent[0]["pca"]), (large, sent[1]["pca"])):
        flat = coords.reshape(-1, 2)
        middle = (flat.min(axis=0) + flat.max(axis=0)) / 2
        assert np.allclose(drawn, (coords - middle) / half, atol=1e-4)
    assert np.abs(sent[0]["pca"]).max() < 0.2  # the smaller cloud stays smaller
    assert np.abs(sent[0]["umap"]).max() == pytest.approx(1, abs=1e-4)  # UMAP's size means nothing


def test_lines_say_their_numbers_and_how_many_nodes_they_are_of(world) -> None:
    layers = [*world.layers, np.tile(world.layers[0][:1], (len(world.layers[0]), 1))]
    run = world.run(layers=layers)
    found = staged(world, [(run, {})])
    mad, rank, recall = found["runs"][0]["lines"]
    assert (mad["name"], rank["name"], recall["name"]) == ("mad", "effective_rank", "recall")
    assert mad["n"] == {"users": 7, "items": 14}
    users = world.layers[2][:7].astype(np.float64)
    unit = users / np.linalg.norm(users, axis=1, keepdims=True)
    distances = 1 - unit @ unit.T
    expected = distances[~np.eye(7, dtype=bool)].mean()
    assert mad["sides"]["users"][2] == pytest.approx(expected, abs=1e-5)
    assert mad["sides"]["users"][4] == pytest.approx(0, abs=1e-6)
    assert found["runs"][0]["collapsed"] == [False] * 4 + [True]
    assert recall["ci"] == [None] * 5  # of all users with validation items


def test_movers_between_two_runs_are_those_whose_neighbours_changed(world) -> None:
    turned = [layer.copy() for layer in world.layers]
    turned[0][[0, 1]] = turned[0][[1, 0]]  # two users change places at depth 0 and nowhere else
    found = staged(world, [(world.run("a"), {}), (world.run("b", turned), {})])
    nodes, kept = read(found["movers"]["nodes"]), read(found["movers"]["jaccard"])
    assert {0, 1} <= {*nodes[0].tolist()}
    assert (kept[1:] == 1).all()
    assert kept[0].min() < 1


def test_a_map_of_another_shape_and_a_stage_that_is_too_large_are_refused(
    world, monkeypatch
) -> None:
    with pytest.raises(DataError, match="coordinates of shape"):
        staged(world, [(world.run(), {"pca": some_map(world)[:2]})])
    monkeypatch.setattr(payload, "MOST_BYTES", 1000)
    with pytest.raises(DataError, match="at most 1,000 bytes"):
        staged(world, [(world.run(), {})])


def test_the_key_changes_with_the_contents(world) -> None:
    first, same = staged(world, [(world.run("a"), {})]), staged(world, [(world.run("a"), {})])
    other = staged(world, [(world.run("b"), {})])
    assert first["key"] == same["key"] != other["key"]
