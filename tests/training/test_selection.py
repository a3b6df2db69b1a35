"""A selection metric that cannot tell epochs apart is named before and after, with what to do."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from rednd_core.config import PROJECT_ROOT, DataConfig, RunConfig, TrainingConfig
from rednd_core.data.schema import Interactions
from rednd_core.runs import Provenance, Run, RunRecord, create_run
from rednd_core.training.experiment import train_run
from rednd_core.training.selection import saturation, verdict
from rednd_core.training.state import TrainingState

CASE = PROJECT_ROOT.parent / "shared" / "cases" / "saturated_selection"


def validated(users: list[int]) -> Interactions:
    return Interactions(np.array(users), np.zeros(len(users), dtype=np.int64))


@pytest.mark.parametrize(
    ("metric", "degrees", "expected"),
    [
        ("recall@20", [6, 6, 6], "for 3 of 3 validation users"),
        ("recall@20", [6, 0, 6], "for 3 of 3 validation users"),
        ("hit_rate@5", [6, 6, 0], "for 2 of 3 validation users"),
        ("recall@5", [6, 0, 0], None),
        ("ndcg@20", [6, 6, 6], None),  # the order of all candidates still counts
    ],
)
def test_ten_items(metric: str, degrees: list[int], expected: str | None) -> None:
    """A user with 6 of the 10 items in train has 4 candidates."""
    config = TrainingConfig(select_by=metric)
    found = saturation(config, 10, np.array(degrees), validated([0, 1, 2, 2]))
    if expected is None:
        assert found is None
    else:
        assert expected in found


def test_the_proposed_cut_off_is_usable() -> None:
    config = TrainingConfig(select_by="recall@20")
    users = validated([0, 1, 2])
    found = saturation(config, 10, np.array([6, 6, 6]), users)
    assert "Set select_by=recall@2 and ks=2,5,10,20,50." in found
    better = TrainingConfig(select_by="recall@2", ks=(2, 5, 10, 20, 50))
    assert saturation(better, 10, np.array([6, 6, 6]), users) is None
    assert "Set select_by=recall@5." in saturation(config, 18, np.array([6, 6, 6]), users)


def state(scores: list[float], stale: int = 20) -> TrainingState:
    best = max(scores)
    return TrainingState(
        torch.zeros(1), {}, epoch=len(scores), best_epoch=scores.index(best) + 1, best_score=best,
        stale=stale, validations=len(scores), lowest_score=min(scores),
    )  # fmt: skip


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ([1.0] * 21, "was 1.0000 in each of 21 validations"),
        ([0.3] + [0.2] * 20, "was best in the first of 21 validations"),
        ([0.2, 0.201] + [0.2] * 20, "stayed between 0.2000 and 0.2010"),
        ([0.1, 0.2] + [0.15] * 20, None),
    ],
)
def test_what_early_stopping_rests_on(scores: list[float], expected: str | None) -> None:
    found = verdict(TrainingConfig(), state(scores))
    assert found is None if expected is None else expected in found


def test_no_word_where_early_stopping_did_not_end_it() -> None:
    assert verdict(TrainingConfig(), state([0.3, 0.2], stale=1)) is None


def test_an_older_checkpoint_does_not_know_the_lowest() -> None:
    old = state([0.3] + [0.3] * 20)
    old.validations, old.lowest_score = 2, math.inf
    assert verdict(TrainingConfig(), old) is None


@pytest.mark.real_data
@pytest.mark.skipif(not CASE.is_dir(), reason="the shared cases are absent")
def test_the_saturated_case_says_so_before_and_after(tmp_path: Path) -> None:
    training = TrainingConfig(epochs=100, batch_size=64, patience=3, device="cpu", engine="csr")
    config = RunConfig(
        model="mf", data=DataConfig(path=str(CASE)),
        hyperparameters={"embedding_size": 4}, training=training,
    )  # fmt: skip
    writer = create_run(
        tmp_path / "runs" / "one", RunRecord(config=config, provenance=Provenance(seed=1))
    )
    train_run(writer)
    before, after = [
        event["message"] for event in Run(writer.path).events() if event["event"] == "notice"
    ]
    assert "recall@20 cannot tell epochs apart" in before
    assert "Early stopping ended the training: validation recall@20 was 1.0000" in after
