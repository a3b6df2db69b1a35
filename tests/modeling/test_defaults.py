"""Whose default a setting is, and how chosen values lie over it."""

from __future__ import annotations

from pathlib import Path

import pytest

from rednd_core.config import PROJECT_ROOT, DataConfig
from rednd_core.errors import ConfigError
from rednd_core.modeling.defaults import RECOMMENDED, Default, configure, defaults

SHOP = str(PROJECT_ROOT / "sample_data" / "shop")


def write(folder: Path, content: str) -> str:
    (folder / RECOMMENDED).write_text(content)
    return str(folder)


def test_a_model_has_its_own_learning_rate(tmp_path: Path) -> None:
    assert defaults("lightgcn")["learning_rate"] == Default(1e-3, "project")
    assert defaults("rednnd", str(tmp_path))["learning_rate"] == Default(1e-4, "model")
    assert configure("rednnd", DataConfig(path=str(tmp_path)), {}).training.learning_rate == 1e-4


def test_a_data_set_recommends_for_all_models_and_for_one(tmp_path: Path) -> None:
    data = write(tmp_path, "[all]\nepochs = 7\nembedding_size = 4\n[mf]\nepochs = 9\n")
    assert defaults("mf", data)["epochs"] == Default(9, "data set")
    assert defaults("gcn", data)["epochs"] == Default(7, "data set")
    assert "embedding_size" not in defaults("popularity", data), "it has no such setting"
    config = configure("gcn", DataConfig(path=data), {"epochs": 3})
    assert (config.training.epochs, config.hyperparameters["embedding_size"]) == (3, 4)


def test_the_shop_recommends_quick_demonstrations() -> None:
    found = defaults("rednnd", SHOP)
    assert found["learning_rate"] == Default(1e-3, "data set")
    assert found["embedding_size"] == Default(32, "data set")
    assert found["alignment_weight"].owner == "project"


@pytest.mark.parametrize(
    ("content", "found"),
    [
        ("epochs = 7\n", "settings outside of a table"),
        ("[all\n", "TOML"),
        ("[mf]\nepoch = 7\n", "did you mean 'epochs'"),
        ("[mf]\nepochs = 0\n", "epochs"),
        ("# " + "x" * 70_000, "more than 65,536 bytes"),
        ("\x00", "TOML"),
    ],
)
def test_a_broken_recommendation_is_one_sentence(tmp_path: Path, content: str, found: str) -> None:
    data = write(tmp_path, content)
    with pytest.raises(ConfigError) as refused:
        configure("mf", DataConfig(path=data), {})
    assert found in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_place_without_a_recommendation(tmp_path: Path) -> None:
    nothing = str(tmp_path / "absent")
    assert {default.owner for default in defaults("mf", nothing).values()} == {"project"}
