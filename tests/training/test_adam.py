"""Adam against torch.optim's own."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from torch import nn

from rednd_core.training.adam import Adam


def parameters() -> list[nn.Parameter]:
    torch.manual_seed(1)
    return [
        nn.Parameter(torch.randn(7, 3)),
        nn.Parameter(torch.randn(5)),
        nn.Parameter(torch.zeros(2)),
    ]


def descend(optimizer, own: list[nn.Parameter], steps: int) -> None:
    """The last parameter never has a gradient."""
    for _ in range(steps):
        optimizer.zero_grad()
        ((own[0] - 2).pow(4).sum() + own[1].sin().sum()).backward()
        optimizer.step()


def test_the_same_bits_as_torch() -> None:
    ours, theirs = parameters(), parameters()
    descend(Adam(ours, lr=0.03), ours, 25)
    descend(torch.optim.Adam(theirs, lr=0.03, fused=True), theirs, 25)
    for mine, other in zip(ours, theirs, strict=True):
        assert torch.equal(mine, other)
    assert not torch.equal(ours[0], parameters()[0])


def test_a_restored_optimizer_goes_on_alike() -> None:
    whole, halves = parameters(), parameters()
    descend(Adam(whole, lr=0.03), whole, 10)
    first = Adam(halves, lr=0.03)
    descend(first, halves, 6)
    second = Adam(halves, lr=0.03)
    second.restore({name: value.clone() for name, value in first.state().items()})
    descend(second, halves, 4)
    for mine, other in zip(halves, whole, strict=True):
        assert torch.equal(mine, other)


@pytest.mark.parametrize(
    "harm",
    [
        lambda state: state.pop("1.exp_avg"),
        lambda state: state.update({"7.step": torch.zeros(())}),
        lambda state: state.update({"0.exp_avg_sq": torch.zeros(3, 7)}),
    ],
)
def test_foreign_moments_change_nothing(harm) -> None:
    own = parameters()
    optimizer = Adam(own, lr=0.1)
    descend(optimizer, own, 2)
    state = {name: value + 1 for name, value in optimizer.state().items()}
    before = {name: value.clone() for name, value in optimizer.state().items()}
    harm(state)
    with pytest.raises(ValueError, match="moment"):
        optimizer.restore(state)
    assert all(torch.equal(value, before[name]) for name, value in optimizer.state().items())


def test_training_does_not_load_the_compiler(planted_folder) -> None:
    code = (
        "import sys\n"
        "from rednd_core.config import DataConfig, RunConfig, TrainingConfig\n"
        "from rednd_core.training.experiment import build\n"
        "from rednd_core.training.trainer import Trainer\n"
        f"config = RunConfig(model='lightgcn', data=DataConfig(path={str(planted_folder)!r}),\n"
        "    training=TrainingConfig(epochs=1, ks=(5,), select_by='recall@5', device='cpu'))\n"
        "experiment = build(config)\n"
        "Trainer(experiment.model, experiment.dataset.split, config.training).fit()\n"
        "print('torch._dynamo' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
