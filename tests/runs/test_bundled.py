"""The runs that are shipped: whole, of the shipped data, of no machine, with their maps."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.data import load_configured
from rednd_core.projection import default_map_cache, find, sample_nodes
from rednd_core.runs import RunStore, default_store

NAMES = ["shop-lightgcn", "shop-rednnd-a0", "shop-rednnd-a0.01", "shop-rednnd-a0.1"]


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    return RunStore(tmp_path_factory.mktemp("none"), default_store().bundled)


def test_all_are_there(bundled: RunStore) -> None:
    assert sorted(entry.name for entry in bundled.list()) == NAMES


@pytest.mark.parametrize("name", NAMES)
def test_a_bundled_run_is_whole(bundled: RunStore, name: str, tmp_path: Path, monkeypatch) -> None:
    run = bundled.open(name)
    assert (run.status.state, run.status.process) == ("finished", None)
    run.record.require_data(load_configured(run.config.data).digest)
    assert run.evaluation().has_test
    assert len(run.metrics()) == run.status.epoch
    layers = run.layers()
    n_users, n_items = len(layers.user_emb), len(layers.item_emb)
    nodes = sample_nodes(n_users, n_items, n_users + n_items)
    monkeypatch.setenv("REDND_CACHE", str(tmp_path / "empty"))
    for stack in layers.values():
        for method in ("pca", "umap"):
            assert (
                find(stack, method, nodes, n_users=n_users, cache=default_map_cache()) is not None
            )
