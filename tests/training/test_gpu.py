"""Training on a GPU: losses and gradients of the CPU, steps that do not wait, a stop and a resume."""

from __future__ import annotations

import gc
import os
import socket
import subprocess
import sys
from itertools import islice

import pytest
import torch

from rednd_core.config import TrainingConfig
from rednd_core.data.sampling import BPRBatch, BPRSampler
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.registry import create_model
from rednd_core.runs import Command
from rednd_core.training.checkpoint import restore_last
from rednd_core.training.memory import estimate, peak_memory, sizes_of
from rednd_core.training.trainer import Trainer
from tests.training.checkpoint.saving import Saver
from tests.training.conftest import SETTINGS, Script

pytestmark = pytest.mark.gpu

TRAINING = TrainingConfig(
    batch_size=64, epochs=4, learning_rate=0.01, ks=(5,), select_by="recall@5", seed=3
)
SCOPES = ["batch", "anchors", "full"]
CASES = [
    *(pytest.param(name, {}, id=name) for name in ("mf", "gcn", "lightgcn")),
    *(
        pytest.param(
            "rednnd", {"alignment_scope": s, "alignment_precision": p}, id=f"rednnd-{s}-{p}"
        )
        for s in SCOPES
        for p in ("fp32", "bf16")
    ),
    pytest.param("rednnd", {"alignment_weight": 0.0}, id="rednnd-unaligned"),
]


def make(planted, name: str, settings: dict, device: str):
    torch.manual_seed(0)
    own = SETTINGS[name] | {"embedding_size": 8} | settings
    return create_model(name, own, build_inputs(planted, device=device))


def moved(batch: BPRBatch, device: str) -> BPRBatch:
    return BPRBatch(batch.users.to(device), batch.pos_items.to(device), batch.neg_items.to(device))


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_losses_and_gradients_are_those_of_the_cpu(planted, name: str, settings: dict) -> None:
    batch = next(iter(BPRSampler(planted.train, planted.n_users, planted.n_items, 64, 0).epoch()))
    found = []
    for device in ("cuda", "cpu"):
        chosen = settings if device == "cuda" else settings | (
            {"alignment_precision": "fp32"} if name == "rednnd" else {}
        )  # fmt: skip
        model = make(planted, name, chosen, device)
        losses = model.losses(moved(batch, device))
        grads = torch.autograd.grad(
            sum(losses.values()), list(model.parameters()), allow_unused=True
        )
        found.append((losses, grads))
    (ours, our_grads), (theirs, their_grads) = found
    assert set(ours) == set(theirs)
    is_coarse = settings.get("alignment_precision") == "bf16"
    for key, value in ours.items():
        tolerance = 3e-3 if is_coarse and key == "alignment" else 1e-5
        torch.testing.assert_close(value.cpu(), theirs[key], rtol=tolerance, atol=1e-6)
    for mine, other in zip(our_grads, their_grads, strict=True):
        assert (mine is None) == (other is None)
        if mine is not None:
            allowed = (0.03 if is_coarse else 1e-4) * float(other.abs().max()) + 1e-7
            assert float((mine.cpu() - other).abs().max()) <= allowed


@pytest.mark.parametrize(("name", "settings"), CASES)
def test_no_step_waits_for_the_device(planted, name: str, settings: dict) -> None:
    trainer = Trainer(make(planted, name, settings, "cuda"), planted.split, TRAINING)
    trainer.fit()  # libraries are loaded
    torch.cuda.synchronize()
    torch.cuda.set_sync_debug_mode("error")
    try:
        for batch in trainer.sampler.epoch():
            trainer.take_step(trainer.model.phases()[0], batch)
    finally:
        torch.cuda.set_sync_debug_mode("default")


@pytest.mark.parametrize("name", ["lightgcn", "rednnd"])
@pytest.mark.parametrize("stop_at", [8, 10])
def test_a_stopped_run_goes_on(planted, tmp_path, name: str, stop_at: int) -> None:
    """As far as sums on a GPU allow: they are added in any order."""
    whole = Trainer(make(planted, name, {}, "cuda"), planted.split, TRAINING)
    whole.fit()
    stop = Script({stop_at: [Command(command="stop")]})
    first = Trainer(
        make(planted, name, {}, "cuda"), planted.split, TRAINING, callbacks=[Saver(tmp_path)],
        poll=stop,
    )  # fmt: skip
    assert first.fit().state == "stopped"
    second = Trainer(make(planted, name, {}, "cuda"), planted.split, TRAINING)
    restore_last(tmp_path, second)
    assert second.fit().epochs == TRAINING.epochs
    for mine, other in zip(second.model.parameters(), whole.model.parameters(), strict=True):
        torch.testing.assert_close(mine, other, rtol=1e-2, atol=1e-4)


def test_memory_is_what_the_planner_says(make_dataset) -> None:
    """On 60,000 nodes, where tables and not a batch's own tensors are what is there."""
    generator = torch.Generator().manual_seed(0)
    users = torch.randint(45_000, (300_000,), generator=generator)
    items = torch.randint(15_000, (300_000,), generator=generator)
    train = sorted(set(zip(users.tolist(), items.tolist(), strict=True)))
    features = {"image": torch.randn(15_000, 16, generator=generator).numpy()}
    data = make_dataset(45_000, 15_000, train, train[:100], (), features)
    for scope in SCOPES:
        before = torch.cuda.memory_allocated()
        torch.cuda.reset_peak_memory_stats()
        model = create_model(
            "rednnd",
            {"alignment_scope": scope, "n_mm_layers": 0},
            build_inputs(data, device="cuda"),
        )
        trainer = Trainer(model, data.split, TrainingConfig(epochs=1))
        for batch in islice(trainer.sampler.epoch(), 8):
            trainer.steps["joint"](batch)
        trainer.validate()
        used = peak_memory(torch.device("cuda")) - before
        settings = type(model).settings_class(alignment_scope=scope, n_mm_layers=0)
        planned = estimate("rednnd", settings, sizes_of(data), torch.device("cuda"))
        assert 0.3 * planned < used < 1.25 * planned, (scope, used, planned)
        del model, trainer
        gc.collect()
        torch.cuda.empty_cache()


ONE_PROCESS = """
import torch
from rednd_core.training.distributed import Group
torch.manual_seed(0)
group = Group()
layer = torch.nn.Linear(3, 2, device="cuda")
before = layer.weight.detach().clone()
group.agree(torch.device("cuda"), {"the data": "a"})
group.align(layer)
layer(torch.ones(4, 3, device="cuda")).sum().backward()
own = layer.weight.grad.clone()
group.sum_gradients(layer.parameters())
assert torch.equal(layer.weight, before) and torch.equal(layer.weight.grad, own)
assert layer.weight.grad.is_cuda
assert group.sum_values({"x": torch.tensor(2.0, device="cuda")})["x"] == 2
group.leave()
"""


def test_a_group_talks_by_nccl() -> None:
    """A group of one, as NCCL wants a GPU for each process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    place = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "RANK": "0", "WORLD_SIZE": "1"}
    done = subprocess.run(
        [sys.executable, "-c", ONE_PROCESS], env=os.environ | place, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
