"""``rednd smoothness``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from rednd_core.runs import RunStore


def test_smoothness(rednd, trained: RunStore) -> None:
    result = rednd("smoothness", "--run", "done", "--json")
    table = pd.DataFrame(result.json["rows"])
    assert result.json["epoch"] == trained.open("done").layers().epoch
    assert set(table.columns) >= {"view", "modality", "layer", "side", "measure", "value", "n"}
    assert set(table["side"]) >= {"users", "items"}
    layers = pd.to_numeric(table.query("view == 'layer'")["layer"])
    assert set(layers) == {0, 1, 2}
    deep = rednd("smoothness", "--run", "done", "--json", "--depth", 6)
    deep_table = pd.DataFrame(deep.json["rows"]).query("view == 'layer'")
    assert set(pd.to_numeric(deep_table["layer"])) == set(range(7))
    own = table.query("view == 'layer'").set_index(["layer", "side", "measure"])["value"]
    grown = deep_table.set_index(["layer", "side", "measure"])["value"]
    both = own.index.intersection(grown.index)
    assert len(both) > 6
    np.testing.assert_allclose(
        own[both].to_numpy(float), grown[both].to_numpy(float), rtol=1e-3, atol=1e-5
    )
    text = rednd("smoothness", "--run", "done")
    assert "done · id · users (n = 40" in text.out


def test_depth_needs_linear_propagation(rednd, planted_folder: Path, quick) -> None:
    rednd("train", "--data", planted_folder, "--model", "gcn", "--run", "gcn", *quick)
    result = rednd("smoothness", "--run", "gcn", "--depth", 4)
    assert (result.code, "linear propagation" in result.err) == (1, True)
