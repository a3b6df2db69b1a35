"""The alignment weight of a run whose slider was moved."""

from __future__ import annotations

import pytest

from rednd_core.config import DataConfig, RunConfig
from rednd_core.runs import Provenance, Run, RunRecord, RunWriter, alignment_weight, create_run


@pytest.fixture
def moved(store):
    """``moved(best_epoch, *(completed epochs, weight))``: a run that starts at 0.001."""

    def make(best: int | None, *moves: tuple[int, float]) -> Run:
        config = RunConfig(
            model="rednnd",
            data=DataConfig(path="sample_data/shop"),
            hyperparameters={"alignment_weight": 0.001},
        )
        record = RunRecord(config=config, provenance=Provenance(seed=1))
        writer = create_run(store.root / "moved", record)
        writer.append_event("set_weight", epoch=0, loss="regularization", value=7.0)
        for epoch, value in moves:
            writer.append_event("set_weight", epoch=epoch, loss="alignment", value=value)
        writer.status("stopped", epoch=90, best_epoch=best)
        return store.open("moved")

    return make


def test_a_weight_left_alone(moved) -> None:
    weight = alignment_weight(moved(5))
    assert (weight.last, weight.moved, str(weight)) == (0.001, False, "0.001")


def test_moves_up_to_the_best_epoch_count(moved) -> None:
    """A move after 5 completed epochs is learnt with from epoch 6 on."""
    weight = alignment_weight(moved(6, (2, 0.01), (5, 0.03), (6, 0.5)))
    assert weight.values == (0.001, 0.01, 0.03)
    assert str(weight) == "0.001 → 0.01 → 0.03 (moved)"


def test_many_moves_are_counted(moved) -> None:
    moves = [(epoch, 0.01 * epoch) for epoch in range(1, 6)]
    assert str(alignment_weight(moved(9, *moves))) == "0.001 → … → 0.05 (moved 5 times)"


def test_a_move_to_the_same_weight_is_none(moved) -> None:
    assert not alignment_weight(moved(6, (2, 0.001))).moved


def test_there_and_back_is_moved(moved) -> None:
    weight = alignment_weight(moved(9, (2, 0.1), (3, 0.001)))
    assert weight.moved
    assert weight.last == 0.001


def test_a_move_that_a_resume_lost_does_not_count(moved) -> None:
    run = moved(20, (13, 0.5))
    writer = RunWriter(run.path)
    writer.append_event("continued", epoch=1, batch=0, weights={"alignment": 0.001})
    assert str(alignment_weight(run)) == "0.001"


def test_a_resume_says_which_weight_it_restored(moved) -> None:
    run = moved(20)
    RunWriter(run.path).append_event("continued", epoch=4, batch=2, weights={"alignment": 0.5})
    assert alignment_weight(run).values == (0.001, 0.5)


def test_before_the_first_validation_every_move_counts(moved) -> None:
    assert alignment_weight(moved(None, (0, 0.2))).last == 0.2


def test_a_model_without_alignment_has_none(finished) -> None:
    assert alignment_weight(finished) is None
