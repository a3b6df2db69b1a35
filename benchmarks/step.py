"""How much faster is a training step of RedNⁿD than the obvious code, and does it do the same?

    python benchmarks/step.py --data ../shared/data/tiktok [--device cuda] [--repeat 3] [--json PATH]

Forward, backward and Adam on the same batch with the same parameters: ``plain_rednnd.py`` with the
alignment of all nodes against all through an N x N matrix, and this project's model with each scope.
Each runs in a process of its own; seconds are the least of ``--repeat`` steps after one that loads
libraries, each kernel started by the host; ``MB`` is the growth of the peak memory over what data,
graphs and parameters take.
``gradient error`` is the largest difference of a parameter's gradient to that of the plain code with
the same scope, relative to that parameter's largest gradient.
"""

from __future__ import annotations

import argparse
from typing import Any

import torch
from common import MemoryGrowth, in_own_process, report, seconds_of
from plain_rednnd import PlainRedNnD, knn_adjacency, normalized_adjacency
from torch import Tensor

from rednd_core.config import DataConfig, Device, RunConfig, TrainingConfig
from rednd_core.data.sampling import BPRBatch
from rednd_core.data.schema import Dataset
from rednd_core.models.rednnd import RedNnD
from rednd_core.training.experiment import build
from rednd_core.training.trainer import Trainer

ALIGNMENT_WEIGHT = 1.0
"""Far above any sensible one, so that the gradient error is that of the alignment, too."""


def own_model(data: str, scope: str, device: Device) -> tuple[RedNnD, BPRBatch, Dataset]:
    """This project's model, its first batch and the data set."""
    settings: dict[str, Any] = {"alignment_scope": scope, "alignment_weight": ALIGNMENT_WEIGHT}
    config = RunConfig(
        model="rednnd",
        data=DataConfig(path=data),
        hyperparameters=settings,
        training=TrainingConfig(device=device),
    )
    experiment = build(config)
    model, dataset = experiment.model, experiment.dataset
    assert isinstance(model, RedNnD)
    batch = next(iter(Trainer(model, dataset.split, config.training).sampler.epoch()))
    return model, batch, dataset


def plain_model(model: RedNnD, dataset: Dataset) -> PlainRedNnD:
    """The plain model of the same parameters, with graphs of its own."""
    train, device = dataset.train, model.preferences.device
    fusion = {"image": 0.1, "text": 0.9}
    if set(model.modalities) != set(fusion):
        fusion = dict.fromkeys(model.modalities, 1 / len(model.modalities))
    item_graph = torch.stack(
        [fusion[m] * knn_adjacency(model.features[m], 10) for m in model.modalities]
    )
    plain = PlainRedNnD(
        normalized_adjacency(
            torch.as_tensor(train.users).long().to(device),
            torch.as_tensor(train.items).long().to(device),
            dataset.n_users,
            dataset.n_items,
        ),
        torch.sparse.sum(item_graph, dim=0).coalesce(),
        model.features,
        dataset.n_users,
    ).to(device)
    with torch.no_grad():
        for i, m in enumerate(model.modalities):
            plain.preferences[m].copy_(model.preferences[:, i])
            for mine, own in ((plain.first[m], 0), (plain.second[m], 2)):
                mine.load_state_dict(model.projections[i][own].state_dict())  # type: ignore[index]
        plain.user_weights.copy_(model.modality_weights[:, :, 0])
    return plain


def measure(data: str, form: str, scope: str, device: Device, repeat: int) -> dict[str, Any]:
    """Seconds and memory of a step, and the gradients of the first."""
    model, batch, dataset = own_model(data, scope, device)
    trained: RedNnD | PlainRedNnD = model
    if form == "plain":
        trained = plain_model(model, dataset)
    nodes = None
    if scope == "batch":
        nodes = torch.cat([batch.users.unique(), batch.pos_items.unique() + model.n_users])
    optimizer = torch.optim.Adam(trained.parameters(), lr=1e-3, fused=form != "plain")

    def loss() -> Tensor:
        if isinstance(trained, PlainRedNnD):
            bpr, penalty, alignment = trained.losses(
                batch.users, batch.pos_items, batch.neg_items, nodes
            )
        else:
            named = trained.losses(batch)
            bpr, penalty, alignment = (
                named[name] for name in ("bpr", "regularization", "alignment")
            )
        return bpr + 1e-3 * penalty + ALIGNMENT_WEIGHT * alignment

    growth = MemoryGrowth(device)
    loss().backward()
    gradients = (
        plain_gradients(trained) if isinstance(trained, PlainRedNnD) else own_gradients(trained)
    )

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss().backward()
        optimizer.step()

    step()
    seconds = [seconds_of(step, device) for _ in range(repeat)]
    return {"s": min(seconds), "MB": growth.megabytes(), "gradients": gradients}


def plain_gradients(model: PlainRedNnD) -> list[Any]:
    """In the order of :func:`own_gradients`, as arrays."""
    found = [model.user_weights.grad]
    for m in model.features:
        linear = (model.first[m], model.second[m])
        found += [
            model.preferences[m].grad,
            *(p.grad for layer in linear for p in layer.parameters()),
        ]
    return [gradient.cpu().numpy() for gradient in found if gradient is not None]


def own_gradients(model: RedNnD) -> list[Any]:
    """User weights, then for each modality preferences and the two linear maps, as arrays."""
    assert model.preferences.grad is not None
    assert model.modality_weights.grad is not None
    found: list[Tensor | None] = [model.modality_weights.grad[:, :, 0]]
    for i, projection in enumerate(model.projections):
        found += [model.preferences.grad[:, i], *(p.grad for p in projection.parameters())]
    return [gradient.cpu().numpy() for gradient in found if gradient is not None]


def relative_error(found: list[Any], expected: list[Any]) -> float:
    """Largest over the parameters of max |difference| / max |expected|."""
    pairs = zip(found, expected, strict=True)
    return max(float(abs(a - b).max() / abs(b).max()) for a, b in pairs)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", default="sample_data/shop")
    parser.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    parser.add_argument("--repeat", type=int, default=3)
    parser.add_argument("--json")
    options = parser.parse_args()
    cases = [("plain", "full"), ("plain", "batch"), ("ours", "full"), ("ours", "anchors")]
    found = {}
    for form, scope in [*cases, ("ours", "batch")]:
        found[form, scope] = in_own_process(
            measure, options.data, form, scope, options.device, options.repeat
        )
    dense = found["plain", "full"]
    rows = []
    for (form, scope), result in found.items():
        expected = found.get(("plain", scope))
        error = (
            ""
            if expected is None
            else f"{relative_error(result['gradients'], expected['gradients']):.0e}"
        )
        rows.append(
            {
                "data": options.data.rstrip("/").rsplit("/", 1)[-1],
                "device": options.device,
                "code": form,
                "scope": scope,
                "s / step": round(result["s"], 4),
                "times faster": round(dense["s"] / result["s"], 1),
                "MB": round(result["MB"]),
                "gradient error": "" if form == "plain" else error,
            }
        )
    report(rows, options.json)


if __name__ == "__main__":
    main()
