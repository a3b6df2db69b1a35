"""Draws follow from the seed, the epoch and the purpose, and from nothing else."""

from __future__ import annotations

import pytest
import torch

from rednd_core.modeling.randomness import Epoch, dropout, seed_of


def drawn(epoch: Epoch) -> tuple[list[float], list[float]]:
    return torch.rand(3, generator=epoch.generator).tolist(), epoch.rng.random(3).tolist()


def test_the_same_epoch_draws_the_same() -> None:
    assert drawn(Epoch.of(5, 2)) == drawn(Epoch.of(5, 2))
    others = [Epoch.of(5, 3), Epoch.of(6, 2), Epoch.of(5, 2, "begin joint")]
    assert all(drawn(Epoch.of(5, 2)) != drawn(other) for other in others)


def test_seeds_do_not_run_together() -> None:
    """(1, 11) and (11, 1) are written 1,11 and 11,1."""
    parts = [(1, 11), (11, 1), (111,), (1, 1, 1), (1, "1,1"), (0, 0), (0,)]
    assert len({seed_of(*each) for each in parts}) == len(parts) - 1, "only 1,1,1 is there twice"


@pytest.mark.parametrize("rate", [0.0, 0.3, 0.9])
def test_dropout_keeps_the_mean(rate: float) -> None:
    x = torch.full((200, 300), 2.0)
    found = dropout(x, rate, torch.Generator().manual_seed(1))
    kept = found[found != 0]
    torch.testing.assert_close(kept, torch.full_like(kept, 2 / (1 - rate)))
    assert len(kept) / x.numel() == pytest.approx(1 - rate, abs=0.01)
