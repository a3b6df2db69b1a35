"""Axes, the names of runs, and what is refused before anything is trained."""

from __future__ import annotations

import pytest

from rednd_core.config import DataConfig
from rednd_core.errors import ConfigError
from rednd_core.runs.layout import check_run_name
from rednd_core.sweeps.grid_points import (
    Axis,
    check_axes,
    combinations,
    describe,
    distinct,
    make_point,
    run_name,
)

HERE = DataConfig(path="shop")


def axes(**values) -> list[Axis]:
    return [Axis(key=key, values=of_key) for key, of_key in values.items()]


def test_the_last_axis_varies_fastest() -> None:
    assert list(combinations(axes(knn_k=(5, 10), reg_weight=(0.1, 0.2, 0.3)))) == [
        {"knn_k": 5, "reg_weight": 0.1},
        {"knn_k": 5, "reg_weight": 0.2},
        {"knn_k": 5, "reg_weight": 0.3},
        {"knn_k": 10, "reg_weight": 0.1},
        {"knn_k": 10, "reg_weight": 0.2},
        {"knn_k": 10, "reg_weight": 0.3},
    ]
    assert list(combinations([])) == [{}]


def test_names_can_be_read() -> None:
    assert (
        run_name("s", {"n_layers": 2, "learning_rate": 1e-3}) == "s-n_layers_2-learning_rate_0.001"
    )
    assert run_name("s", {"learning_rate": 1e-5}) == "s-learning_rate_1e-05"
    assert run_name("s", {"alignment_scope": "batch"}) == "s-alignment_scope_batch"


@pytest.mark.parametrize(
    "varied",
    [
        {"modalities": ["text"]},
        {"modalities": ["image", "text"]},
        {"alignment_scope": "../x"},
        {"alignment_scope": ""},
        {f"a_long_setting_{n}": 0.123456789 for n in range(9)},
    ],
)
def test_what_no_name_can_hold_gets_a_digest(varied) -> None:
    name = run_name("sweep", varied)
    assert check_run_name(name).startswith("sweep-")
    assert run_name("sweep", varied) == name
    assert run_name("sweep", varied | {"knn_k": 1}) != name
    assert run_name("other", varied)[-10:] != name[-10:]


def test_lists_that_look_alike_have_other_names() -> None:
    names = {run_name("s", {"modalities": value}) for value in (["a_b"], ["a", "b"], "a_b", "a b")}
    assert len(names) == 4


def test_a_point_carries_what_was_validated() -> None:
    point = make_point("s", "lightgcn", HERE, {"epochs": 7}, {"n_layers": 2.0, "learning_rate": 1})
    assert point.settings == {"n_layers": 2, "learning_rate": 1.0}
    assert point.run == "s-n_layers_2-learning_rate_1.0"
    assert point.config.training.epochs == 7
    assert point.config.hyperparameters["n_layers"] == 2


def test_the_same_value_twice() -> None:
    points = [make_point("s", "mf", HERE, {}, {"learning_rate": v}) for v in (1e-3, 0.001)]
    with pytest.raises(ConfigError, match=r"learning_rate 0\.001 twice"):
        distinct(points)
    assert distinct(points[:1]) == (points[0],)


@pytest.mark.parametrize(
    ("axis", "message"),
    [
        ({"knn": (5,)}, "did you mean 'knn_k'"),
        ({"alignment_wight": (1,)}, "did you mean 'alignment_weight'"),
        ({"seed": (1, 2)}, "rednd study --seeds"),
        ({"select_by": ("recall@5",)}, "compared by it"),
        ({"ks": ([5],)}, "compared by them"),
        ({"epochs": (5,)}, "epochs twice"),
    ],
)
def test_axes_that_are_refused(axis, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        check_axes(axes(**axis), ["rednnd"], {"epochs": 3})


def test_axes_that_only_one_model_knows() -> None:
    check_axes(axes(alignment_weight=(0, 1)), ["lightgcn", "rednnd"], {})
    with pytest.raises(ConfigError, match="setting of lightgcn"):
        check_axes(axes(alignment_weight=(0, 1)), ["lightgcn"], {})


def test_an_impossible_value_is_found_at_once() -> None:
    with pytest.raises(ConfigError, match="learning_rate"):
        make_point("s", "mf", HERE, {}, {"learning_rate": -1})


def test_description() -> None:
    assert describe({"knn_k": 5, "scope": "batch", "m": ["a"]}) == 'knn_k 5, scope batch, m ["a"]'
