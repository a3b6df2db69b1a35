"""Strict settings: unknown and impossible ones are refused, JSON round trips."""

from __future__ import annotations

from pathlib import Path

import pytest
from pydantic import ValidationError

from rednd_core.config import (
    PROJECT_ROOT,
    DataConfig,
    RunConfig,
    StrictModel,
    TrainingConfig,
    parse_settings,
    resolve_data_path,
)
from rednd_core.errors import ConfigError, DataError


def test_round_trip() -> None:
    config = RunConfig(
        model="rednnd",
        data=DataConfig(path="x", split="random", ratios=(0.7, 0.2, 0.1), split_seed=4),
        hyperparameters={"fusion_weights": {"text": 0.9}, "modalities": ["text"], "knn_k": 5},
        training=TrainingConfig(ks=(20, 5, 5), learning_rate=1e-4),
    )
    assert RunConfig.model_validate_json(config.model_dump_json()) == config
    assert config.training.ks == (5, 20)


def test_the_papers_protocol_is_the_default() -> None:
    training = TrainingConfig()
    assert (training.epochs, training.batch_size, training.patience) == (1000, 2048, 20)
    assert (training.select_by, training.seed) == ("recall@20", 999)


def test_unknown_keys_name_the_nearest() -> None:
    with pytest.raises(ConfigError, match=r"training setting among .*did you mean 'batch_size'"):
        parse_settings(TrainingConfig, {"batchsize": 3}, "training setting")


@pytest.mark.parametrize(
    ("values", "key"),
    [
        ({"epochs": 0}, "epochs"),
        ({"batch_size": 2.5}, "batch_size"),
        ({"learning_rate": 0}, "learning_rate"),
        ({"learning_rate": float("nan")}, "learning_rate"),
        ({"learning_rate": float("inf")}, "learning_rate"),
        ({"ks": []}, "ks"),
        ({"ks": [0]}, "ks.0"),
        ({"seed": -1}, "seed"),
        ({"seed": 2**32}, "seed"),
        ({"device": "tpu"}, "device"),
        ({"engine": "pyg"}, "engine"),
    ],
)
def test_impossible_values_name_the_setting(values: dict, key: str) -> None:
    with pytest.raises(ConfigError, match=rf"a valid value for {key} \(") as caught:
        parse_settings(TrainingConfig, values, "training setting")
    assert repr(next(iter(values.values()))).strip("[]") in str(caught.value)


@pytest.mark.parametrize(
    "values", [{"ratios": (1.2, -0.1, -0.1)}, {"split_seed": 2**32}, {"split_seed": -1}]
)
def test_impossible_splits(values: dict) -> None:
    with pytest.raises(ConfigError, match="a valid value for "):
        parse_settings(DataConfig, {"path": "x", **values}, "data setting")


@pytest.mark.parametrize(
    "values",
    [{"epochs": True}, {"learning_rate": True}, {"seed": False}, {"ks": [5, True]}],
)
def test_true_and_false_are_no_numbers(values: dict) -> None:
    with pytest.raises(
        ConfigError, match=rf"numbers for {next(iter(values))}, but found .*(True|False)"
    ):
        parse_settings(TrainingConfig, values, "training setting")


def test_true_and_false_stay_where_they_are_wanted() -> None:
    class Switch(StrictModel):
        on: bool
        more: dict[str, float]

    assert parse_settings(Switch, {"on": True, "more": {"a": 1}}, "switch").on
    with pytest.raises(ConfigError, match="numbers for more"):
        parse_settings(Switch, {"on": True, "more": {"a": True}}, "switch")


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        TrainingConfig().epochs = 3


def test_an_unknown_key_inside_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"data\.colour"):
        parse_settings(
            RunConfig, {"model": "mf", "data": {"path": "x", "colour": 1}}, "run setting"
        )


def test_data_paths(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve_data_path("sample_data/shop") == PROJECT_ROOT / "sample_data" / "shop"
    own = tmp_path / "sample_data" / "shop"
    own.mkdir(parents=True)
    assert resolve_data_path("sample_data/shop") == own, "what is here comes first"
    assert resolve_data_path("absent") == tmp_path / "absent"
    assert resolve_data_path(str(own)) == own
    monkeypatch.setenv("HOME", str(tmp_path))
    assert resolve_data_path("~/sets") == tmp_path / "sets"


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("~nobody-of-that-name/x", "home directory"),
        ("bad\0name", "null byte"),
        ("/bad\0name", "null byte"),
        ("x" * 5000, "too long"),
    ],
)
def test_a_path_that_cannot_be_is_one_sentence(path: str, words: str) -> None:
    with pytest.raises(DataError, match=words) as caught:
        resolve_data_path(path)
    assert "\0" not in str(caught.value)
    assert len(str(caught.value)) < 400
