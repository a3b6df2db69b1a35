"""One run from its configuration to its results: load, build, train, evaluate, record."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from torch import Tensor

from rednd_core.config import RunConfig, StrictModel
from rednd_core.data import load_recorded
from rednd_core.data.schema import Dataset
from rednd_core.errors import RunError
from rednd_core.graph.bipartite import BipartiteGraph, bipartite_graph
from rednd_core.graph.engine import resolve_device
from rednd_core.graph.propagator import Propagator
from rednd_core.modeling.base import Recommender
from rednd_core.modeling.inputs import build_inputs
from rednd_core.modeling.observe import current_embeddings, current_layers, current_readouts
from rednd_core.modeling.registry import card, create_model
from rednd_core.reproducibility import commit, seed_everything, versions
from rednd_core.runs import ModelFacts
from rednd_core.runs.record import EvaluationRecord, Provenance
from rednd_core.runs.writer import RunWriter
from rednd_core.smoothness.epoch import EpochSmoothness
from rednd_core.training.callbacks import Callback
from rednd_core.training.checkpoint import load_parameters, restore_together
from rednd_core.training.control import Poll
from rednd_core.training.distributed import ALONE, World
from rednd_core.training.machine import machine_facts
from rednd_core.training.memory import peak_memory, require_memory
from rednd_core.training.results import data_facts, record_metrics
from rednd_core.training.run_log import RunLog, write_layers
from rednd_core.training.snapshots import SnapshotTaker
from rednd_core.training.trainer import Trainer


@dataclass(frozen=True)
class Summary:
    """What ``rednd train --json`` prints; metrics are those of the best epoch's parameters."""

    run: str
    state: str
    best_epoch: int | None
    epochs: int
    valid: dict[str, float]
    test: dict[str, float]
    seconds_per_epoch: float
    seconds_per_validation: float
    peak_memory_mb: float

    def to_dict(self) -> dict[str, object]:
        """JSON-able; a time that was not measured is None."""
        return {k: None if v != v else v for k, v in asdict(self).items()}


@dataclass(frozen=True)
class Experiment:
    """A run's data, graph and freshly initialised model, all determined by its configuration."""

    config: RunConfig
    dataset: Dataset
    graph: BipartiteGraph
    propagate: Propagator
    model: Recommender


def build(
    config: RunConfig,
    *,
    digest: str | None = None,
    pairs_digest: str | None = None,
    to_train: bool = True,
) -> Experiment:
    """Load the data and build the model; seeds everything first.

    Args:
        digest, pairs_digest: of the data that a run was trained on, None for a new run; see
            :func:`rednd_core.data.load_recorded`.
        to_train: whether memory for training is asked for; a checkpoint needs only its parameters.

    Raises:
        ConfigError: a setting that cannot be, or more memory needed than there is.
    """
    training = config.training
    device = resolve_device(training.device)
    dataset = load_recorded(config.data, digest, pairs_digest)
    if to_train:
        require_memory(config.model, config.hyperparameters, dataset, device)
    seed_everything(training.seed)
    graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
    inputs = build_inputs(dataset, engine=training.engine, device=device, graph=graph)
    model = create_model(config.model, dict(config.hyperparameters), inputs)
    return Experiment(config, dataset, graph, inputs.user_item, model)


class Task(StrictModel):
    """What process 0 tells the others to train with it."""

    config: RunConfig
    resume: bool
    digest: str | None = None
    pairs_digest: str | None = None


def train_run(
    writer: RunWriter,
    *,
    resume: bool = False,
    watch: Sequence[Callback] = (),
    read_test: bool = True,
    world: World = ALONE,
) -> Summary:
    """Train the run of ``writer`` to its end, or to a stop command, and record the results.

    Args:
        resume: continue after the last checkpoint.
        watch: further callbacks, e.g. a progress bar.
        read_test: False leaves test for ``later_test.record_test``, so that a run that is only a
            candidate has no test figure at all.
        world: the processes that train it together; the others call :func:`take_part`.
    """
    record = writer.record
    task = Task(
        config=record.config,
        resume=resume,
        digest=record.data_digest,
        pairs_digest=record.pairs_digest,
    )
    world.gather(task.model_dump_json().encode())
    with writer.beating():
        experiment = build(
            record.config, digest=record.data_digest, pairs_digest=record.pairs_digest
        )
        model, dataset = experiment.model, experiment.dataset
        record.require_data(dataset.digest, dataset.pairs_digest)
        for watcher in watch:
            watcher.on_data(dataset)
        _agree(world, experiment)
    run_log = RunLog(
        writer,
        EpochSmoothness(experiment.graph, experiment.propagate),
        SnapshotTaker(writer, experiment.graph.degrees),
    )
    trainer = Trainer(
        model,
        dataset.split,
        experiment.config.training,
        callbacks=[run_log, *watch],
        poll=writer.control.poll,
        world=world,
    )
    if resume:
        if not trainer.optimizers:
            raise RunError(
                expected="a model that is trained",
                found=f"{model.name}, which has nothing to train",
                remedy="start a new run",
            )
        restore_together(writer.layout.checkpoints, trainer)
    if writer.layout.metrics.exists():  # also where a run without a checkpoint begins once more
        state = trainer.state
        writer.append_event(
            "continued",
            epoch=state.epoch,
            batch=state.batch,
            weights=dict(state.weights),
        )
    # Not before: what was refused up to here is a run without a model.
    _describe(writer, experiment, processes=world.size)
    writer.status("running", epoch=trainer.state.epoch, message="Training")
    result = trainer.fit()
    best_epoch = result.best_epoch if result.best_epoch is not None else result.epochs
    with writer.beating():
        evaluation = record_results(writer, experiment, epoch=best_epoch, read_test=read_test)
    writer.status(
        result.state,
        epoch=result.epochs,
        best_epoch=result.best_epoch,
        message=_ending(result.state),
    )
    return Summary(
        run=writer.path.name,
        state=result.state,
        best_epoch=result.best_epoch,
        epochs=result.epochs,
        valid=_numbers(evaluation.valid),
        test=_numbers(evaluation.test),
        seconds_per_epoch=result.seconds_per_epoch,
        seconds_per_validation=result.seconds_per_validation,
        peak_memory_mb=peak_memory(trainer.device) / 2**20,
    )


def take_part(world: World, poll: Poll = lambda: ()) -> None:
    """Train beside process 0, which keeps the run, and write nothing.

    Args:
        poll: commands that reach this process, e.g. a signal to stop; all processes obey them.
    """
    task = Task.model_validate_json(world.gather(b"")[0])
    experiment = build(task.config, digest=task.digest, pairs_digest=task.pairs_digest)
    _agree(world, experiment)
    trainer = Trainer(
        experiment.model,
        experiment.dataset.split,
        task.config.training,
        poll=poll,
        world=world,
    )
    if task.resume:
        restore_together(None, trainer)
    trainer.fit()


def open_checkpoint(writer: RunWriter) -> Experiment:
    """Rebuild a run's model with its best parameters and record layers and results from them.

    This is how an imported checkpoint becomes a run that can be looked at.
    """
    record = writer.record
    experiment = build(
        record.config,
        digest=record.data_digest,
        pairs_digest=record.pairs_digest,
        to_train=False,
    )
    of = experiment.dataset
    writer.record.require_data(of.digest, of.pairs_digest)
    epoch = 0
    if experiment.model.trainable:
        epoch = load_parameters(writer.layout.best_checkpoint, experiment.model)
    _describe(writer, experiment)
    record_results(writer, experiment, epoch=epoch)
    return experiment


def record_results(
    writer: RunWriter, experiment: Experiment, *, epoch: int, read_test: bool = True
) -> EvaluationRecord:
    """Write layers, metrics and per-user metrics of the model as it stands; the one look at test."""
    model, dataset = experiment.model, experiment.dataset
    write_layers(writer, model, current_layers(model), epoch=epoch)
    user_emb, item_emb = current_embeddings(model)
    ks = experiment.config.training.ks
    return record_metrics(writer, dataset, user_emb, item_emb, ks, epoch=epoch, read_test=read_test)


def _agree(world: World, experiment: Experiment) -> None:
    """Refuse machines with other data or other code than the first."""
    found = versions()
    facts = {"the data set": experiment.dataset.digest}
    facts |= {f"the version of {name}": found.get(name, "none") for name in ("torch", "rednd")}
    world.agree(resolve_device(experiment.config.training.device), facts)


def _describe(writer: RunWriter, experiment: Experiment, *, processes: int = 1) -> None:
    """Complete config.json with what is known only now; a resumed run keeps its birthday."""
    dataset, model, config = experiment.dataset, experiment.model, experiment.config
    layers = current_layers(model)
    readouts = None if model.reads_out_by_rule else _widths(current_readouts(model))
    writer.describe(
        Provenance(
            created=writer.record.provenance.created,
            seed=config.training.seed,
            versions=versions(),
            commit=commit(),
            processes=processes,
            machine=machine_facts(config.training),
        ),
        data_facts(dataset, reads_features="features" in card(config.model).needs),
        ModelFacts(
            widths=_widths(layers),
            readout=model.readout,
            readout_widths=readouts,
            linear_propagation=model.linear_propagation,
        ),
    )
    writer.save_ids(dataset.user_ids, dataset.item_ids)


def _widths(stacks: Mapping[str, Sequence[Tensor]]) -> dict[str, tuple[int, ...]]:
    return {modality: tuple(x.shape[1] for x in states) for modality, states in stacks.items()}


def _numbers(metrics: dict[str, float | None]) -> dict[str, float]:
    return {name: value for name, value in metrics.items() if value is not None}


def _ending(state: str) -> str:
    return "Finished" if state == "finished" else "Stopped; the results are those of the best epoch"
