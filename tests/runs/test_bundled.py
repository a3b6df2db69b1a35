"""The runs that are shipped: whole, of the shipped data, of no machine, with their maps."""

from __future__ import annotations

import numpy as np
import pytest

from rednd_core.data import load_configured
from rednd_core.runs import RunStore, default_store
from rednd_core.runs.validation import check_run

NAMES = ["shop-lightgcn", "shop-rednnd-a0", "shop-rednnd-a0.01", "shop-rednnd-a0.1"]
OF_MUSIC = ["music-lightgcn", "music-rednnd-a0", "music-rednnd-a0.1"]
OTHER_SEEDS = [f"shop-rednnd-a{weight}-seed{seed}" for weight in ("0", "0.1") for seed in (2, 3)]


@pytest.fixture(scope="module")
def bundled(tmp_path_factory: pytest.TempPathFactory) -> RunStore:
    return RunStore(tmp_path_factory.mktemp("none"), default_store().bundled)


def test_all_are_there(bundled: RunStore) -> None:
    assert {entry.name for entry in bundled.list()} == {*NAMES, *OF_MUSIC, *OTHER_SEEDS}


@pytest.mark.parametrize("name", OTHER_SEEDS)
def test_of_other_seeds_the_metrics_are_kept(bundled: RunStore, name: str) -> None:
    run, first = bundled.open(name), bundled.open(name[: name.index("-seed")])
    assert run.layer_version is None
    assert run.evaluation().has_test
    ours, theirs = (each.config.model_dump(exclude={"data"}) for each in (run, first))
    assert ours["training"].pop("seed") != theirs["training"].pop("seed")
    assert ours == theirs  # so that their spread is that of the seeds alone


def test_the_pair_that_home_compares_can_be_replayed_in_lockstep(bundled: RunStore) -> None:
    pair = [bundled.open(name) for name in ("shop-rednnd-a0", "shop-rednnd-a0.1")]
    first, second = (run.snapshots() for run in pair)
    assert first.epochs == second.epochs
    assert first.epochs[0] == 0
    assert first.is_complete
    assert second.is_complete
    for run in pair:
        check_run(run.path)
        assert sum(path.stat().st_size for path in run.layout.snapshots.iterdir()) < 2_000_000
    # One seed: both begin with the same model.
    for modality, states in first.layers(0).items():
        np.testing.assert_array_equal(states[0], second.layers(0)[modality][0])


@pytest.mark.parametrize("name", [*NAMES, *OF_MUSIC])
def test_a_bundled_run_is_whole(bundled: RunStore, name: str) -> None:
    run = bundled.open(name)
    assert (run.status.state, run.status.process) == ("finished", None)
    run.record.require_data(load_configured(run.config.data).digest)
    assert run.evaluation().has_test
    assert len(run.metrics()) == run.status.epoch
