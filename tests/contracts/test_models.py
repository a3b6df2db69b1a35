"""The contract of every registered model; a new model file is tested here without a further line."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterator
from typing import get_args

import numpy as np
import pytest
import torch

from rednd_core.config import DataConfig, RunConfig, TrainingConfig
from rednd_core.data.sampling import BPRBatch
from rednd_core.errors import CheckpointError, ConfigError
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.models.base import MAX_LAYERS, WHOLE, Recommender, Share
from rednd_core.models.inputs import build_inputs
from rednd_core.models.registry import create_model, hyperparameters, model_class, model_names
from rednd_core.training.checkpoint import load_parameters, save_checkpoints
from rednd_core.training.trainer import Trainer

NAMES = model_names()
GRAPH_MODELS = [
    name for name in NAMES if "n_layers" in model_class(name).settings_class.model_fields
]
ENGINES = [
    "csr",
    pytest.param(
        "dgl",
        marks=pytest.mark.skipif(
            importlib.util.find_spec("dgl") is None, reason="DGL is not installed"
        ),
    ),
]
TRAINING = TrainingConfig(
    epochs=30, batch_size=64, learning_rate=0.02, eval_every=5, ks=(5,), select_by="recall@5",
    device="cpu",
)  # fmt: skip


def settings_of(name: str, **wanted) -> dict:
    """Those of ``wanted``, and a small embedding, that the model knows."""
    known = model_class(name).settings_class.model_fields
    return {k: v for k, v in ({"embedding_size": 8} | wanted).items() if k in known}


def build(dataset, name: str, engine: str = "csr", seed: int = 0, **wanted) -> Recommender:
    torch.manual_seed(seed)
    return create_model(name, settings_of(name, **wanted), build_inputs(dataset, engine=engine))


def trained(dataset, name: str, engine: str = "csr", training=TRAINING, **wanted) -> Trainer:
    trainer = Trainer(build(dataset, name, engine, **wanted), dataset.split, training)
    trainer.fit()
    return trainer


def arrays(model: Recommender) -> list[np.ndarray]:
    with torch.no_grad():
        return [rows.numpy().copy() for rows in model.embeddings()]


def a_batch(dataset) -> BPRBatch:
    rng = np.random.default_rng(0)
    pick = rng.choice(len(dataset.train), size=32, replace=False)
    columns = dataset.train.users[pick], dataset.train.items[pick]
    negatives = rng.integers(dataset.n_items, size=32)
    return BPRBatch(*(torch.from_numpy(column) for column in (*columns, negatives)))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", NAMES)
def test_learns_the_planted_groups(planted, name: str, engine: str) -> None:
    """8 of 23 unseen items are of a user's group: 5 / 8 = .63 is what knowing the group is worth,
    5 / 23 = .22 what guessing is."""
    model = trained(planted, name, engine).model
    result = evaluate(*arrays(model), planted.train_matrix, planted.test, (5,))
    if model.trainable:
        assert result.metrics["recall@5"] > 0.5
    else:
        assert result.metrics["recall@5"] < 0.4


@pytest.mark.parametrize("name", NAMES)
def test_both_engines_train_the_same_model(planted, name: str) -> None:
    pytest.importorskip("dgl")
    short = TRAINING.model_copy(update={"epochs": 3})
    by_engine = [arrays(trained(planted, name, engine, short).model) for engine in ("csr", "dgl")]
    for csr, dgl in zip(*by_engine, strict=True):
        np.testing.assert_allclose(csr, dgl, atol=2e-4)


@pytest.mark.parametrize("name", NAMES)
def test_layers_and_readout(planted, name: str) -> None:
    model = build(planted, name, n_layers=2)
    n = planted.n_users + planted.n_items
    layers = model.layers()
    widths = {state.shape for states in layers.values() for state in states}
    depths = {len(states) for states in layers.values()}
    assert len(depths) == len(widths) == 1
    assert depths == ({3} if name in GRAPH_MODELS else {1})
    assert all(shape[0] == n for shape in widths)
    users, items = model.embeddings()
    assert len(users) == planted.n_users
    assert len(items) == planted.n_items
    assert users.shape[1] == items.shape[1]
    assert users.dtype == items.dtype == torch.float32
    if set(layers) == {"id"}:  # the final embedding follows from the layers, up to a scale a node
        stack = torch.stack(layers["id"])
        combined = {"mean": stack.mean(dim=0), "last": stack[-1]}[model.readout]
        torch.testing.assert_close(torch.cat([users, items]), combined)
    else:  # users: every modality's block points where the readout points
        width = widths.pop()[1]
        for block, states in zip(users.split(width, dim=1), layers.values(), strict=True):
            stack = torch.stack(states)[:, : planted.n_users]
            combined = {"mean": stack.mean(dim=0), "last": stack[-1]}[model.readout]
            cosine = torch.nn.functional.cosine_similarity(block, combined, dim=1)
            torch.testing.assert_close(cosine, torch.ones(planted.n_users))


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", GRAPH_MODELS)
def test_one_layer_moves_users_and_items(planted, name: str, engine: str) -> None:
    """Neighbours reach both sides: a change of one item's row reaches users, and the reverse."""
    model = build(planted, name, engine, n_layers=1)
    for states in model.layers().values():
        for side in model.split_nodes(states[1] - states[0]):
            assert bool((side.abs().amax(dim=1) > 1e-6).all())
        first = states[0].detach().requires_grad_()
        moved = model.propagate(torch.cat([first] * (len(model.layers())), dim=1))
        from_users = torch.autograd.grad(moved[: model.n_users].sum(), first, retain_graph=True)[0]
        from_items = torch.autograd.grad(moved[model.n_users :].sum(), first)[0]
        assert not from_users[: model.n_users].any()
        assert bool(from_users[model.n_users :].any())
        assert not from_items[model.n_users :].any()
        assert bool(from_items[: model.n_users].any())


@pytest.mark.parametrize("name", GRAPH_MODELS)
@pytest.mark.parametrize("depth", [0, MAX_LAYERS])
def test_depths(planted, name: str, depth: int) -> None:
    """No propagation and the most: both train a step and stay finite."""
    model = build(planted, name, n_layers=depth, alignment_weight=0.1 if depth else 0.0)
    assert all(len(states) == depth + 1 for states in model.layers().values())
    losses = model.losses(a_batch(planted))
    sum(model.loss_weights[k] * v for k, v in losses.items()).backward()
    assert all(bool(v.isfinite()) for v in losses.values())
    assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.grad is not None)
    with pytest.raises(ConfigError, match="n_layers"):
        build(planted, name, n_layers=MAX_LAYERS + 1)


@pytest.mark.parametrize("name", GRAPH_MODELS)
def test_linear_propagation_is_what_it_says(planted, name: str) -> None:
    """x^2 = A x^1 exactly where a model says so, and not otherwise."""
    from rednd_core.graph.bipartite import bipartite_graph

    model = build(planted, name, n_layers=2)
    graph = bipartite_graph(planted.train, planted.n_users, planted.n_items)
    a = torch.from_numpy(graph.norm_adj.to_scipy().toarray())
    for states in model.layers().values():
        same = torch.allclose(a @ states[1], states[2], atol=1e-5)
        assert same == model.linear_propagation


@pytest.mark.parametrize("name", NAMES)
def test_losses_are_those_that_have_weights(planted, name: str) -> None:
    model = build(planted, name)
    losses = model.losses(a_batch(planted))
    assert set(losses) == set(model.loss_weights)
    assert bool(losses) == model.trainable
    assert all(value.shape == () and bool(value.isfinite()) for value in losses.values())
    with pytest.raises(ConfigError, match="loss of"):
        model.set_loss_weight("alignmnt", 1.0)


def variants(name: str) -> list[dict]:
    """The settings that decide which rows the losses compare: every choice of a model's own."""
    fields = model_class(name).settings_class.model_fields
    scopes = get_args(fields["alignment_scope"].annotation) if "alignment_scope" in fields else ()
    return [{"alignment_scope": scope} for scope in scopes] or [{}]


@pytest.mark.parametrize("world", [2, 3, 100])
@pytest.mark.parametrize(
    ("name", "settings"), [(name, settings) for name in NAMES for settings in variants(name)]
)
def test_shares_add_up_to_the_whole(planted, name: str, settings: dict, world: int) -> None:
    """Losses and gradients, in double precision; of 100 processes most have no pair of the batch."""
    inputs = build_inputs(planted, engine="csr")
    features = {m: rows.double() for m, rows in inputs.features.items()}
    torch.manual_seed(0)
    model = create_model(
        name,
        settings_of(name, **settings),
        dataclasses.replace(inputs, features=features),
    ).double()

    def computed(share: Share) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor]]:
        losses = model.losses(a_batch(planted), share)
        gradients = {}
        for loss, value in losses.items():
            model.zero_grad(set_to_none=True)
            value.backward(retain_graph=True)
            gradients |= {
                f"{loss} by {key}": parameter.grad
                for key, parameter in model.named_parameters()
                if parameter.grad is not None
            }
        return {loss: value.detach() for loss, value in losses.items()}, gradients

    whole = computed(WHOLE)
    shares = [computed(Share(rank, world)) for rank in range(world)]
    for part, expected in enumerate(whole):
        for share in shares:
            assert share[part].keys() == expected.keys()
        for key, value in expected.items():
            summed = torch.stack([share[part][key] for share in shares]).sum(0)
            torch.testing.assert_close(summed, value, rtol=1e-9, atol=1e-12, msg=key)
    for loss, value in whole[0].items():  # and nobody computes all of it
        assert max(float(share[0][loss]) for share in shares) < 0.9 * float(value)


@pytest.mark.parametrize("name", NAMES)
def test_every_parameter_is_trained(planted, name: str) -> None:
    model = build(planted, name)
    losses = model.losses(a_batch(planted))
    if model.trainable:
        torch.stack(list(losses.values())).sum().backward()
    for key, parameter in model.named_parameters():
        assert parameter.grad is not None, key
        assert bool(parameter.grad.any()), key


@pytest.mark.parametrize("name", NAMES)
def test_saved_and_loaded_is_the_same_model(planted, name: str, tmp_path) -> None:
    trainer = trained(planted, name, training=TRAINING.model_copy(update={"epochs": 2}))
    if not trainer.model.trainable:
        pytest.skip("nothing is trained, so nothing is saved")
    save_checkpoints(tmp_path, trainer)
    other = build(planted, name, seed=77)
    assert any((a != b).any() for a, b in zip(arrays(other), arrays(trainer.model), strict=True))
    epoch = load_parameters(tmp_path / "best.safetensors", other)
    assert epoch == trainer.position.best_epoch
    for mine, theirs in zip(arrays(trainer.model), arrays(other), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    stranger = build(planted, next(n for n in NAMES if n != name))
    with pytest.raises(CheckpointError, match=f"those of '{name}'"):
        load_parameters(tmp_path / "best.safetensors", stranger)


@pytest.mark.parametrize("name", NAMES)
def test_config_round_trip(planted, name: str) -> None:
    """Settings -> RunConfig -> JSON -> RunConfig -> the same model, bit for bit."""
    settings = hyperparameters(name, settings_of(name, n_layers=2)).model_dump(mode="json")
    config = RunConfig(model=name, data=DataConfig(path="x"), hyperparameters=settings)
    read = RunConfig.model_validate_json(config.model_dump_json())
    assert read == config
    assert hyperparameters(read.model, read.hyperparameters).model_dump(mode="json") == settings
    models = []
    for values in (settings, dict(read.hyperparameters)):
        torch.manual_seed(1)
        models.append(create_model(name, values, build_inputs(planted, engine="csr")))
    assert models[0].loss_weights == models[1].loss_weights
    for mine, theirs in zip(*map(arrays, models), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.fixture(params=[1, 2], ids=["1 thread", "2 threads"])
def threads(request) -> Iterator[int]:
    before = torch.get_num_threads()
    torch.set_num_threads(request.param)
    yield request.param
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def larger(make_dataset):
    """Large enough for torch to share a product or a sum among threads: 1,500 x 32 values."""
    rng = np.random.default_rng(4)
    cells = np.unique(rng.integers([0, 0], [700, 800], size=(2500, 2)), axis=0)
    features = {"text": rng.normal(size=(800, 32)).astype(np.float32)}
    return make_dataset(700, 800, cells.tolist(), [(0, 1)], features=features)


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("name", NAMES)
def test_a_seed_repeats_bit_for_bit(larger, name: str, engine: str, threads: int) -> None:
    training = TRAINING.model_copy(update={"epochs": 1, "batch_size": 2048})
    first, second = (
        trained(larger, name, engine, training, embedding_size=32).model for _ in range(2)
    )
    for mine, theirs in zip(arrays(first), arrays(second), strict=True):
        np.testing.assert_array_equal(mine, theirs)
    if first.trainable:
        other = build(larger, name, engine, seed=5, embedding_size=32)
        assert (arrays(other)[0] != arrays(first)[0]).any()


@pytest.mark.parametrize("name", NAMES)
def test_unknown_hyperparameters_name_the_nearest(name: str) -> None:
    known = sorted(model_class(name).settings_class.model_fields)
    for key in known:
        with pytest.raises(ConfigError, match=rf"hyper-parameter of {name}.*did you mean"):
            hyperparameters(name, {key + "s": 1})
    with pytest.raises(ConfigError, match=f"hyper-parameter of {name}"):
        hyperparameters(name, {"zzz": 1})


@pytest.mark.gpu
@pytest.mark.parametrize("name", NAMES)
def test_on_the_gpu(planted, name: str) -> None:
    torch.manual_seed(0)
    inputs = build_inputs(planted, device="cuda")
    model = create_model(name, settings_of(name), inputs)
    Trainer(model, planted.split, TRAINING).fit()
    users, items = model.embeddings()
    result = evaluate(users, items, planted.train_matrix, planted.test, (5,))
    assert (result.metrics["recall@5"] > 0.5) == model.trainable
