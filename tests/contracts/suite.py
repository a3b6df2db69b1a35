"""The contract of every model. A model's own file is a subclass that names it; what a model can do besides
(``stochastic``, ``divisible``, phases, its readout) it declares, and the declaration is tested."""

from __future__ import annotations

import dataclasses
import importlib.util
from collections.abc import Iterator
from typing import ClassVar

import numpy as np
import pytest
import torch

from rednd_core.config import DataConfig, RunConfig, TrainingConfig
from rednd_core.data.sampling import BPRBatch
from rednd_core.errors import CheckpointError, ConfigError
from rednd_core.evaluation.evaluate import evaluate
from rednd_core.graph.bipartite import bipartite_graph
from rednd_core.modeling import rows
from rednd_core.modeling.base import MAX_LAYERS, Recommender
from rednd_core.modeling.footprint import footprint
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.observe import current_embeddings, current_layers, current_readouts
from rednd_core.modeling.phases import UserBatch
from rednd_core.modeling.registry import (
    card,
    create_model,
    hyperparameters,
    model_class,
    weight_setting,
)
from rednd_core.training.checkpoint import load_parameters, restore_last, save_checkpoints
from rednd_core.training.distributed import World
from rednd_core.training.memory import sizes_of
from rednd_core.training.recorded_step import RecordedStep
from rednd_core.training.trainer import Trainer
from tests.training.checkpoint.saving import STOP, Saver
from tests.training.conftest import Diary, Script
from tests.training.tape import Tape

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


def doubled(dataset, name: str, settings: dict) -> Recommender:
    """In double precision."""
    inputs = build_inputs(dataset, engine="csr")
    features = {m: values.double() for m, values in inputs.features.items()}
    torch.manual_seed(0)
    chosen = settings_of(name, **settings)
    return create_model(name, chosen, dataclasses.replace(inputs, features=features)).double()


def trained(dataset, name: str, engine: str = "csr", training=TRAINING, **wanted) -> Trainer:
    trainer = Trainer(build(dataset, name, engine, **wanted), dataset.split, training)
    trainer.fit()
    return trainer


def tables_of(
    found: dict[str, list[torch.Tensor]] | tuple[torch.Tensor, ...],
) -> list[torch.Tensor]:
    """All tensors of a look at a model."""
    return [x for states in found.values() for x in states] if isinstance(found, dict) else [*found]


def arrays(model: Recommender) -> list[np.ndarray]:
    return [table.numpy().copy() for table in current_embeddings(model)]


def a_batch(dataset) -> BPRBatch:
    rng = np.random.default_rng(0)
    pick = rng.choice(len(dataset.train), size=32, replace=False)
    columns = dataset.train.users[pick], dataset.train.items[pick]
    negatives = rng.integers(dataset.n_items, size=32)
    return BPRBatch(*(torch.from_numpy(column) for column in (*columns, negatives)))


def all_losses(model: Recommender, dataset) -> dict[str, torch.Tensor]:
    """The losses of all updates of all phases, for one batch of each kind."""
    batches = {"pairs": a_batch(dataset), "users": UserBatch(torch.arange(0, dataset.n_users, 2))}
    named: dict[str, torch.Tensor] = {}
    for phase in model.phases():
        for update in phase.updates:
            losses = update.losses(batches[phase.batches])
            assert not named.keys() & losses.keys(), "no two losses are called alike"
            named |= losses
    return named


def generator_states(model: Recommender) -> list[torch.Tensor]:
    return [torch.get_rng_state(), model.generator.get_state()]


def assert_recorded_is_plain(dataset, name: str, settings: dict, monkeypatch) -> None:
    """Training from fixed tensors, as on a GPU, and training step by step: the same bits."""
    monkeypatch.setattr(rows, "_keeps_shapes", lambda ids: True)
    ends, tapes = [], []
    for is_recorded in (False, True):
        diary = Diary()
        training = TRAINING.model_copy(update={"epochs": 3, "eval_every": 1})
        model = build(dataset, name, **settings)
        trainer = Trainer(model, dataset.split, training, callbacks=[diary])
        if is_recorded:
            for phase, step in trainer.steps.items():
                tapes.append(Tape())
                trainer.steps[phase] = RecordedStep(step, model, training.batch_size, tapes[-1])
        trainer.fit()
        ends.append(diary)
    plain, recorded = ends
    assert any(tape.n_replayed for tape in tapes)
    for key, value in plain.last.items():
        assert torch.equal(recorded.last[key], value), key
    assert recorded.rows == plain.rows


OF_LAYERS = (
    "test_one_layer_moves_users_and_items",
    "test_depths",
    "test_linear_propagation_is_what_it_says",
)
OF_TRAINING = (
    "test_parts_of_a_batch_add_up_where_a_model_says_so",
    "test_saved_and_loaded_is_the_same_model",
    "test_stopped_and_resumed_is_uninterrupted",
    "test_a_recorded_step_is_the_step",
)


class ModelContract:
    """What is true of every model; subclasses name one, and declare what it does not have."""

    name: ClassVar[str]
    variants: ClassVar[list[dict]] = [{}]
    """Settings that decide which rows the losses compare: every choice of the model."""

    @property
    def cls(self) -> type[Recommender]:
        return model_class(self.name)

    propagates: ClassVar[bool] = True
    """Whether the model has layers above x^0. What follows from layers is asked of such models alone."""

    is_trained: ClassVar[bool] = True
    """Whether the model has parameters. What concerns training is asked of such models alone."""

    follows_its_rule: ClassVar[bool] = True
    """Whether readouts are those of the declared rule, up to a factor a node, a term of another graph and
    columns beyond those of the layers. The others are compared with their equations in tests/models."""

    def __init_subclass__(cls) -> None:
        """Leave out the tests that ask for what the model declares that it does not have."""
        super().__init_subclass__()
        left_out = () if cls.propagates else OF_LAYERS
        for test in (*left_out, *(() if cls.is_trained else OF_TRAINING)):
            setattr(cls, test, None)

    def test_what_it_declares_is_true(self, planted) -> None:
        assert self.propagates == ("n_layers" in self.cls.settings_class.model_fields)
        assert self.is_trained == build(planted, self.name).trainable

    @pytest.mark.parametrize("engine", ENGINES)
    def test_learns_the_planted_groups(self, planted, engine: str) -> None:
        """8 of 23 unseen items are of a user's group: 5 / 8 = .63 is what knowing the group is worth,
        5 / 23 = .22 what guessing is."""
        model = trained(planted, self.name, engine).model
        result = evaluate(*arrays(model), planted.train_matrix, planted.test, (5,))
        if model.trainable:
            assert result.metrics["recall@5"] > 0.5
        else:
            assert result.metrics["recall@5"] < 0.4

    def test_both_engines_train_the_same_model(self, planted) -> None:
        pytest.importorskip("dgl")
        short = TRAINING.model_copy(update={"epochs": 3})
        by_engine = [
            arrays(trained(planted, self.name, engine, short).model) for engine in ("csr", "dgl")
        ]
        for csr, dgl in zip(*by_engine, strict=True):
            np.testing.assert_allclose(csr, dgl, atol=2e-4)

    def test_layers_and_readouts(self, planted) -> None:
        model = build(planted, self.name, n_layers=2)
        n = planted.n_users + planted.n_items
        layers, readouts = current_layers(model), current_readouts(model)
        assert layers.keys() == readouts.keys()
        for modality, states in layers.items():
            assert all(x.ndim == 2 and len(x) == n for x in [*states, *readouts[modality]])
            assert len(readouts[modality]) == len(states)
            assert len(states) == (3 if self.propagates else 1)
        users, items = current_embeddings(model)
        assert (len(users), len(items)) == (planted.n_users, planted.n_items)
        assert users.shape[1] == items.shape[1]
        assert users.dtype == items.dtype == torch.float32
        deepest = torch.cat([states[-1] for states in readouts.values()], dim=1)
        torch.testing.assert_close(torch.cat([users, items]), deepest)

    @torch.no_grad()
    def test_the_readout_follows_its_rule(self, planted) -> None:
        """Where a model says so, and not otherwise; the rules are written out here once more."""
        model = build(planted, self.name, n_layers=3)
        layers, readouts = model.eval().layers(), model.readouts()
        rule, first = model.readout.rule, model.readout.first
        apart = 0.0
        for modality, states in layers.items():
            for k, found in enumerate(readouts[modality]):
                taken = states[first : k + 1] or states[:1]
                expected = {
                    "mean": lambda taken=taken: sum(taken) / len(taken),
                    "sum": lambda taken=taken: sum(taken),
                    "last": lambda taken=taken: taken[-1],
                    "concat": lambda taken=taken: torch.cat(taken, dim=1),
                    "max": lambda taken=taken: torch.stack(taken).amax(dim=0),
                }[rule]()
                width = expected.shape[1]
                mine, wanted = found[: planted.n_users, :width], expected[: planted.n_users]
                cosine = torch.nn.functional.cosine_similarity(mine, wanted, dim=1)
                apart = max(apart, float((cosine - 1).abs().max()))
        assert (apart < 1e-5) == self.follows_its_rule

    @pytest.mark.parametrize("engine", ENGINES)
    def test_one_layer_moves_users_and_items(self, planted, engine: str) -> None:
        model = build(planted, self.name, engine, n_layers=1)
        for states in current_layers(model).values():
            for side in model.split_nodes(states[1] - states[0]):
                assert bool((side.abs().amax(dim=1) > 1e-6).all())

    @pytest.mark.parametrize("depth", [0, MAX_LAYERS])
    def test_depths(self, planted, depth: int) -> None:
        """No propagation and the most: both train a step and stay finite."""
        weight = 0.1 if depth else 0.0
        weights = {"alignment_weight": weight, "plugin_alignment_weight": weight}
        model = build(planted, self.name, n_layers=depth, **weights)
        assert all(len(states) == depth + 1 for states in model.layers().values())
        losses = all_losses(model, planted)
        sum(model.loss_weights[k] * v for k, v in losses.items()).backward()
        assert all(bool(v.isfinite()) for v in losses.values())
        assert all(bool(p.grad.isfinite().all()) for p in model.parameters() if p.grad is not None)
        with pytest.raises(ConfigError, match="n_layers"):
            build(planted, self.name, n_layers=MAX_LAYERS + 1)

    def test_linear_propagation_is_what_it_says(self, planted) -> None:
        """x^2 = A x^1 exactly where a model says so, and not otherwise."""
        model = build(planted, self.name, n_layers=2)
        graph = bipartite_graph(planted.train, planted.n_users, planted.n_items)
        a = torch.from_numpy(graph.norm_adj.to_scipy().toarray())
        for states in current_layers(model).values():
            same = torch.allclose(a @ states[1], states[2], atol=1e-5)
            assert same == model.linear_propagation

    def test_losses_are_those_that_have_weights(self, planted) -> None:
        model = build(planted, self.name)
        losses = all_losses(model, planted)
        assert set(losses) <= set(model.loss_weights)
        left_out = set(model.loss_weights) - set(losses)
        assert not any(model.loss_weights[loss] for loss in left_out), "only losses that are off"
        assert bool(losses) == model.trainable
        assert all(value.shape == () and bool(value.isfinite()) for value in losses.values())

    def test_live_weights_keep_to_the_bounds_of_their_settings(self, planted) -> None:
        model = build(planted, self.name)
        fields = self.cls.settings_class.model_fields
        movable = {loss for loss in model.loss_weights if weight_setting(loss) in fields}
        assert set(card(self.name).live) == movable
        for loss in movable:
            model.set_loss_weight(loss, 0.5)
            for value in (1e30, -0.1, float("inf"), float("nan")):
                with pytest.raises(ConfigError, match=weight_setting(loss)):
                    model.set_loss_weight(loss, value)
            assert model.loss_weights[loss] == 0.5
        for loss in model.loss_weights.keys() - movable:
            with pytest.raises(ConfigError, match="whose weight is a setting"):
                model.set_loss_weight(loss, 0.5)
        with pytest.raises(ConfigError, match="loss of"):
            model.set_loss_weight("alignmnt", 1.0)

    @pytest.mark.parametrize("world", [2, 3, 100])
    def test_parts_of_a_batch_add_up_where_a_model_says_so(self, planted, world: int) -> None:
        """Losses and gradients, in double precision; of 100 processes most have no pair of the batch."""
        for settings in self.variants:
            model = doubled(planted, self.name, settings)
            batch = a_batch(planted)

            def computed(part, share, model=model) -> dict[str, torch.Tensor]:
                model.generator.manual_seed(1)
                found = {}
                for loss, value in model.losses(part).items():
                    found[loss] = share * value.detach()
                    for key, gradient in zip(
                        dict(model.named_parameters()),
                        torch.autograd.grad(
                            value, list(model.parameters()), retain_graph=True, allow_unused=True
                        ),
                        strict=True,
                    ):
                        if gradient is not None:
                            found[f"{loss} by {key}"] = share * gradient
                return found

            whole, parts = computed(batch, 1.0), []
            for rank in range(world):
                process = World()
                process.rank, process.size = rank, world
                parts.append(computed(*process.part(batch)))
            adds_up = all(
                torch.allclose(sum(part[key] for part in parts), value, rtol=1e-9, atol=1e-12)
                for key, value in whole.items()
            )
            assert adds_up or not model.divisible, settings

    def test_several_processes_are_refused_where_losses_cannot_be_divided(self, planted) -> None:
        pair = World()
        pair.size = 2
        for settings in self.variants:
            model = build(planted, self.name, **settings)
            if model.divisible:
                Trainer(model, planted.split, TRAINING, world=pair)
            else:
                with pytest.raises(ConfigError, match="divided among several processes"):
                    Trainer(model, planted.split, TRAINING, world=pair)

    def test_every_parameter_is_trained(self, planted) -> None:
        model = build(planted, self.name)
        if model.trainable:
            torch.stack(list(all_losses(model, planted).values())).sum().backward()
        for key, parameter in model.named_parameters():
            assert parameter.grad is not None, key
            assert bool(parameter.grad.any()), key
        updates = [update for phase in model.phases() for update in phase.updates]
        moved = [id(parameter) for update in updates for parameter in update.parameters]
        assert sorted(moved) == sorted(map(id, model.parameters())), "each by one optimiser"
        assert len({update.name for update in updates}) == len(updates)

    def test_saved_and_loaded_is_the_same_model(self, planted, tmp_path) -> None:
        trainer = trained(planted, self.name, training=TRAINING.model_copy(update={"epochs": 2}))
        save_checkpoints(tmp_path, trainer)
        other = build(planted, self.name, seed=77)
        assert any(
            (a != b).any() for a, b in zip(arrays(other), arrays(trainer.model), strict=True)
        )
        epoch = load_parameters(tmp_path / "best.safetensors", other)
        assert epoch == trainer.state.best_epoch
        for mine, theirs in zip(arrays(trainer.model), arrays(other), strict=True):
            np.testing.assert_array_equal(mine, theirs)
        stranger = build(planted, "mf" if self.name != "mf" else "gcn")
        with pytest.raises(CheckpointError, match=f"those of '{self.name}'"):
            load_parameters(tmp_path / "best.safetensors", stranger)

    @pytest.mark.parametrize("stop_at", [1, 5, 12])
    def test_stopped_and_resumed_is_uninterrupted(self, planted, tmp_path, stop_at: int) -> None:
        """Stopped inside epochs 1 to 3, bit for bit; everything is looked at after every epoch."""
        training = TRAINING.model_copy(update={"epochs": 4, "eval_every": 1})

        class Looks(Diary):
            def on_epoch(self, trainer, report) -> None:
                super().on_epoch(trainer, report)
                current_layers(trainer.model)

        def run(seed: int, *more, stop: int | None = None, resume: bool = False) -> Diary:
            diary = Looks() if resume else Diary()
            trainer = Trainer(
                build(planted, self.name, seed=seed), planted.split, training,
                callbacks=[diary, *more], poll=Script({} if stop is None else {stop: [STOP]}),
            )  # fmt: skip
            if resume:
                restore_last(tmp_path, trainer)
                current_layers(trainer.model)
            trainer.fit()
            return diary

        whole = run(0)
        first = run(0, Saver(tmp_path), stop=stop_at)
        torch.manual_seed(12345)
        second = run(99, resume=True)
        assert first.rows + second.rows == whole.rows
        for key, value in whole.last.items():
            assert torch.equal(second.last[key], value), key
        assert whole.moments.keys() == second.moments.keys() != set()
        assert all(torch.equal(second.moments[key], value) for key, value in whole.moments.items())

    def test_a_look_changes_nothing(self, planted) -> None:
        model = build(planted, self.name).train()
        frozen = next(iter(model.children()), None)
        if frozen is not None:
            frozen.eval()
        state = {key: value.clone() for key, value in model.state_dict().items()}
        before = generator_states(model)
        for look in (current_layers, current_readouts, current_embeddings):
            for table in tables_of(look(model)):
                assert not table.requires_grad, "what is looked at can be written as it is"
            assert model.training
            assert frozen is None or not frozen.training
            assert all(map(torch.equal, before, generator_states(model)))
            for key, value in model.state_dict().items():
                assert torch.equal(value, state[key]), key

    def test_training_leaves_the_global_generator_alone(self, planted) -> None:
        trainer = Trainer(
            build(planted, self.name), planted.split, TRAINING.model_copy(update={"epochs": 2})
        )
        before = torch.get_rng_state()
        trainer.fit()
        assert torch.equal(torch.get_rng_state(), before)

    def test_a_step_draws_where_a_model_says_so(self, planted) -> None:
        model = build(planted, self.name).train()

        def losses(seed: int) -> dict[str, float]:
            model.generator.manual_seed(seed)
            return {key: value.item() for key, value in all_losses(model, planted).items()}

        assert losses(1) == losses(1)
        assert (losses(1) != losses(2)) == model.stochastic

    def test_a_recorded_step_is_the_step(self, planted, monkeypatch) -> None:
        for settings in self.variants:
            assert_recorded_is_plain(planted, self.name, settings, monkeypatch)

    def test_its_footprint_is_counted(self, planted) -> None:
        for settings in self.variants:
            chosen = settings_of(self.name, n_layers=2, **settings)
            model = create_model(self.name, chosen, build_inputs(planted, engine="csr"))
            found = footprint(self.name, hyperparameters(self.name, chosen), sizes_of(planted))
            layers = model.layers().values()
            assert found.parameters == sum(values.numel() for values in model.parameters())
            assert found.table == sum(max(x.numel() for x in states) for states in layers)
            assert found.layers == max(map(len, layers))

    def test_config_round_trip(self, planted) -> None:
        """Settings -> RunConfig -> JSON -> RunConfig -> the same model, bit for bit."""
        chosen = settings_of(self.name, n_layers=2)
        settings = hyperparameters(self.name, chosen).model_dump(mode="json")
        config = RunConfig(model=self.name, data=DataConfig(path="x"), hyperparameters=settings)
        read = RunConfig.model_validate_json(config.model_dump_json())
        assert read == config
        again = hyperparameters(read.model, read.hyperparameters)
        assert again.model_dump(mode="json") == settings
        models = []
        for values in (settings, dict(read.hyperparameters)):
            torch.manual_seed(1)
            models.append(create_model(self.name, values, build_inputs(planted, engine="csr")))
        assert models[0].loss_weights == models[1].loss_weights
        for mine, theirs in zip(*map(arrays, models), strict=True):
            np.testing.assert_array_equal(mine, theirs)

    @pytest.mark.parametrize("engine", ENGINES)
    @pytest.mark.parametrize("n_threads", [1, 2])
    def test_a_seed_repeats_bit_for_bit(self, larger, engine: str, n_threads: int) -> None:
        with threads(n_threads):
            training = TRAINING.model_copy(update={"epochs": 1, "batch_size": 2048})
            first, second = (
                trained(larger, self.name, engine, training, embedding_size=32).model
                for _ in range(2)
            )
            for mine, theirs in zip(arrays(first), arrays(second), strict=True):
                np.testing.assert_array_equal(mine, theirs)
            if first.trainable:
                other = build(larger, self.name, engine, seed=5, embedding_size=32)
                assert (arrays(other)[0] != arrays(first)[0]).any()

    def test_unknown_hyperparameters_name_the_nearest(self) -> None:
        for key in sorted(self.cls.settings_class.model_fields):
            with pytest.raises(ConfigError, match=rf"hyper-parameter of {self.name}.*did you mean"):
                hyperparameters(self.name, {key + "s": 1})
        with pytest.raises(ConfigError, match=f"hyper-parameter of {self.name}"):
            hyperparameters(self.name, {"zzz": 1})

    @pytest.mark.gpu
    def test_on_the_gpu(self, planted) -> None:
        torch.manual_seed(0)
        inputs = build_inputs(planted, device="cuda")
        model = create_model(self.name, settings_of(self.name), inputs)
        Trainer(model, planted.split, TRAINING).fit()
        result = evaluate(*current_embeddings(model), planted.train_matrix, planted.test, (5,))
        assert (result.metrics["recall@5"] > 0.5) == model.trainable


def threads(n: int):
    """A block with ``n`` threads."""
    from contextlib import contextmanager

    @contextmanager
    def block() -> Iterator[None]:
        before = torch.get_num_threads()
        torch.set_num_threads(n)
        try:
            yield
        finally:
            torch.set_num_threads(before)

    return block()
