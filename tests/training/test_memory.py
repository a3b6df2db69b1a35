"""The memory planner: counts are exact, estimates near what a process takes, refusals say what fits."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from rednd_core.config import DataConfig, RunConfig
from rednd_core.errors import ConfigError
from rednd_core.evaluation.scoring import block_rows
from rednd_core.modeling.footprint import Sizes, footprint
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.registry import create_model, hyperparameters, model_class, model_names
from rednd_core.training import memory
from rednd_core.training.experiment import build

CPU = torch.device("cpu")
BIG = Sizes(1_000_000, 300_000, 20_000_000, {"image": 4096, "text": 384})
GROWTH = """
import json
import resource
import sys
import numpy as np
import torch
from rednd_core.data.schema import Interactions
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.modeling.inputs import ModelInputs
from rednd_core.modeling.footprint import Sizes
from rednd_core.modeling.registry import create_model, hyperparameters
from rednd_core.data.sampling import BPRSampler
from rednd_core.training.memory import estimate, peak_memory
name, settings, U, I = sys.argv[1], json.loads(sys.argv[2]), 60_000, 20_000
cells = np.unique(np.random.default_rng(0).integers(0, U * I, 3 * U))
train = Interactions(cells // I, cells % I)
graph = bipartite_graph(train, U, I)
features = {"image": torch.randn(I, 32), "text": torch.randn(I, 16)}
class Inputs(ModelInputs):
    def item_graph(self, knn_k, fusion_weights):
        return lambda x: x
inputs = Inputs(U, I, train, features, graph, torch.device("cpu"), "csr")
batch = next(iter(BPRSampler(train, U, I, 2048, 0).epoch()))
torch.randn(8, 8).requires_grad_().sum().backward()
inputs.user_item
rss = int(open("/proc/self/statm").read().split()[1]) * resource.getpagesize()
model = create_model(name, settings, inputs)
adam = torch.optim.Adam(model.parameters(), fused=True)
for _ in range(2):
    adam.zero_grad()
    sum(model.loss_weights[n] * v for n, v in model.losses(batch).items()).backward()
    adam.step()
best = {n: v.clone() for n, v in model.state_dict().items()}
grown = peak_memory(torch.device("cpu")) - rss
sizes = Sizes(U, I, len(train), {m: rows.shape[1] for m, rows in features.items()})
chosen = hyperparameters(name, settings)
print(grown, estimate(name, chosen, sizes, torch.device("cpu")))
"""


@pytest.mark.parametrize("name", model_names())
@pytest.mark.parametrize("size", [5, 8])
def test_parameters_are_counted_exactly(planted, name: str, size: int) -> None:
    known = model_class(name).settings_class.model_fields
    settings = {k: v for k, v in {"embedding_size": size, "n_layers": 2}.items() if k in known}
    model = create_model(name, settings, build_inputs(planted, engine="csr"))
    counted = footprint(name, hyperparameters(name, settings), memory.sizes_of(planted))
    assert counted.parameters == sum(values.numel() for values in model.parameters())


def test_one_modality_of_several(planted) -> None:
    settings = {"modalities": [next(iter(planted.features))], "embedding_size": 6}
    model = create_model("rednnd", settings, build_inputs(planted, engine="csr"))
    chosen = hyperparameters("rednnd", settings)
    counted = footprint("rednnd", chosen, memory.sizes_of(planted))
    assert counted.parameters == sum(values.numel() for values in model.parameters())


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="reads /proc")
@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("lightgcn", {}),
        ("gcn", {"n_layers": 4}),
        ("rednnd", {"embedding_size": 32}),
    ],
)
def test_estimates_are_near_what_a_process_takes(name: str, settings: dict) -> None:
    done = subprocess.run(
        [sys.executable, "-c", GROWTH, name, json.dumps(settings)],
        capture_output=True,
        text=True,
        check=True,
    )
    grown, estimated = map(int, done.stdout.split())
    assert 0.8 * grown < estimated < 2 * grown


def test_the_scope_costs_tables() -> None:
    def needs(**settings) -> int:
        chosen = hyperparameters("rednnd", settings)
        return memory.estimate("rednnd", chosen, BIG, CPU)

    assert needs(alignment_scope="batch") < needs(alignment_scope="anchors")
    assert needs(alignment_scope="anchors") < needs(alignment_scope="full")
    assert needs(alignment_scope="full", alignment_weight=0) == needs(alignment_weight=0)
    assert needs(embedding_size=32) < 0.6 * needs(embedding_size=64)


def test_deep_models_are_bounded_by_their_measured_layers() -> None:
    def needs(n_layers: int) -> int:
        chosen = hyperparameters("lightgcn", {"n_layers": n_layers})
        return memory.estimate("lightgcn", chosen, BIG, CPU)

    table = 4 * 64 * BIG.n_nodes
    assert needs(32) - needs(16) == 16 * table


def test_a_refusal_says_what_is_needed_and_what_fits(planted, monkeypatch) -> None:
    monkeypatch.setattr(memory, "sizes_of", lambda dataset: BIG)
    monkeypatch.setattr(memory, "free_memory", lambda device: int(15e9))
    settings = {"alignment_scope": "full", "embedding_size": 64}
    with pytest.raises(ConfigError) as refused:
        memory.require_memory("rednnd", settings, planted, CPU)
    said = str(refused.value)
    assert "1,300,000 nodes" in said
    assert "15.0 GB" in said
    assert "alignment_scope=batch" in said
    assert "embedding_size=32" in said
    for remedy in ({"alignment_scope": "batch"}, {"embedding_size": 32}):
        memory.require_memory("rednnd", settings | remedy, planted, CPU)  # as promised


def test_nothing_fits(planted, monkeypatch) -> None:
    monkeypatch.setattr(memory, "sizes_of", lambda dataset: BIG)
    monkeypatch.setattr(memory, "free_memory", lambda device: 1_000_000)
    with pytest.raises(ConfigError, match="use a machine with more memory"):
        memory.require_memory("lightgcn", {}, planted, CPU)


def test_training_asks_first(planted_folder, monkeypatch) -> None:
    monkeypatch.setattr(memory, "free_memory", lambda device: 1_000_000)
    config = RunConfig(model="lightgcn", data=DataConfig(path=str(planted_folder)))
    with pytest.raises(ConfigError, match="free memory to train lightgcn"):
        build(config)
    assert build(config, to_train=False).model.trainable  # a checkpoint is only looked at


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """A machine of 900 free bytes without control groups."""
    monkeypatch.setattr(
        memory.psutil, "virtual_memory", lambda: SimpleNamespace(available=900, total=5000)
    )
    monkeypatch.setattr(memory, "OWN_GROUP", tmp_path / "cgroup")
    monkeypatch.setattr(memory, "GROUPS", tmp_path / "groups")
    monkeypatch.delenv(memory.MEMORY_SHARE, raising=False)


def group(folder: Path, limit: str, used: int, of_files: int = 0) -> None:
    folder.mkdir(parents=True)
    (folder / "memory.max").write_text(f"{limit}\n")
    (folder / "memory.current").write_text(f"{used}\n")
    (folder / "memory.stat").write_text(f"anon {used}\nactive_file {of_files}\ninactive_file 0\n")


def test_processes_of_one_machine_share_its_memory(machine, monkeypatch) -> None:
    assert (memory.free_memory(CPU), memory.whole_memory()) == (900, 5000)
    monkeypatch.setenv("LOCAL_WORLD_SIZE", "3")
    assert memory.free_memory(CPU) == 300
    monkeypatch.setenv(memory.MEMORY_SHARE, "200")
    assert memory.free_memory(CPU) == 200
    monkeypatch.setenv(memory.MEMORY_SHARE, "2000")
    assert memory.free_memory(CPU) == 300


def test_the_limit_of_a_container_counts(machine, tmp_path) -> None:
    """The tightest of the groups around the process; the pages of files in them can be had."""
    (tmp_path / "cgroup").write_text("1:name=systemd:/\n0::/outer/inner\n")
    assert memory.free_memory(CPU) == 900
    group(tmp_path / "groups" / "outer" / "inner", "max", 100)
    assert memory.free_memory(CPU) == 900
    (tmp_path / "groups" / "outer" / "inner" / "memory.max").write_text("800\n")
    assert memory.free_memory(CPU) == 700
    for name, text in {"max": "500", "current": "400", "stat": "inactive_file 50"}.items():
        (tmp_path / "groups" / "outer" / f"memory.{name}").write_text(f"{text}\n")
    assert memory.free_memory(CPU) == 150
    assert memory.whole_memory() == 500


def test_a_container_sees_its_own_limit_at_the_root(machine, tmp_path) -> None:
    (tmp_path / "cgroup").write_text("0::/\n")
    group(tmp_path / "groups", "700", 300, of_files=100)
    assert memory.free_memory(CPU) == 500


def test_a_gpu_holds_the_tables_of_a_recorded_step_too(monkeypatch) -> None:
    settings = hyperparameters("lightgcn", {})
    bare = Sizes(BIG.n_users, BIG.n_items, BIG.n_train, {})
    on_cpu, on_gpu = (
        memory.estimate("lightgcn", settings, bare, torch.device(kind)) for kind in ("cpu", "cuda")
    )
    counted = footprint("lightgcn", settings, bare)
    scores = memory.RANKING_BYTES * block_rows(torch.device("cuda"), BIG.n_items) * BIG.n_items
    assert on_gpu - on_cpu - scores == 4 * counted.step_tables * counted.table > 0
    monkeypatch.setenv("WORLD_SIZE", "2")  # where nothing is recorded
    assert memory.estimate("lightgcn", settings, bare, torch.device("cuda")) == on_cpu + scores
