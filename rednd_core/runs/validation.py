"""Is a folder that came from elsewhere a run? Every file is checked before the run is accepted.

Nothing here unpickles: arrays are opened with ``allow_pickle=False``, parameters by safetensors.
"""

from __future__ import annotations

from pathlib import Path

from pydantic_core import from_json

from rednd_core.bounded import read_plain, require_plain
from rednd_core.errors import CheckpointError, RedndError
from rednd_core.runs.budgets import RECORD_BYTES
from rednd_core.runs.facts import LayerFacts
from rednd_core.runs.layer_index import LayersRecord
from rednd_core.runs.layers import read_layers
from rednd_core.runs.layout import CHECKPOINT_FORMAT, EPOCH
from rednd_core.runs.reading import read_record
from rednd_core.runs.record import RunRecord
from rednd_core.runs.run import Run

REMEDY = "export the run again"


def check_run(path: Path) -> RunRecord:
    """The record of the run in ``path`` if all of its files fit; else a CheckpointError."""
    run = Run(path)
    try:
        record = run.record
        # Raises where one of them is broken; a live state is what its sender saw, not checked here.
        for look in (lambda: run.status, run.metrics, run.evaluation):
            look()
        _check_ids(run, record)
        if run.layout.layers.exists() or run.layout.readouts.exists():
            _check_layers(run, record)
        if run.layout.snapshots.exists():
            _check_snapshots(run, record)
        for file in sorted(run.layout.checkpoints.glob("*.safetensors")):
            check_checkpoint(file, record, is_model=file == run.layout.best_checkpoint)
        for file in sorted(run.layout.checkpoints.glob("*.json")):
            _check_json(file)
    except CheckpointError:
        raise
    except RedndError as error:
        raise CheckpointError(
            expected=error.expected, found=error.found, remedy=error.remedy
        ) from None
    return record


def check_checkpoint(path: Path, record: RunRecord, *, is_model: bool) -> None:
    """Header, offsets and, for a model, the metadata of a safetensors file; no tensor is read."""
    from safetensors import SafetensorError, safe_open

    try:
        require_plain(path)
        with safe_open(path, framework="numpy") as file:
            metadata = file.metadata() or {}
            n_tensors = len(file.keys())
    except (SafetensorError, OSError, ValueError) as error:
        raise CheckpointError(
            expected=f"a whole safetensors file in {path.name}",
            found=str(error).splitlines()[0][:200].rstrip("."),
            remedy=REMEDY,
        ) from None
    wanted = {"format": CHECKPOINT_FORMAT, "model": record.config.model}
    found = {key: metadata.get(key) for key in wanted}
    if is_model and (
        found != wanted or not EPOCH.fullmatch(metadata.get("epoch", "")) or not n_tensors
    ):
        raise CheckpointError(
            expected=f"{path.name} with the metadata {wanted}, an epoch and parameters",
            found=f"{str(metadata)[:200]} and {n_tensors} tensors",
            remedy="import a checkpoint together with the config.json of its own run",
        )


def _check_layers(run: Run, record: RunRecord) -> None:
    """The layers have the modalities, depths and widths that config.json claims, and nothing more."""
    facts, data = record.model, record.data
    if facts is None or data is None:
        raise CheckpointError(
            expected="the data's and the model's sizes in config.json, as there are layers",
            found="none",
            remedy=REMEDY,
        )
    index = read_record(LayersRecord, run.layout.layer_index)
    if (index.facts, index.n_nodes) != (facts.of_layers, data.n_nodes):
        raise CheckpointError(
            expected=f"the layers of config.json, {_shapes(facts.of_layers, data.n_nodes)}",
            found=f"{_shapes(index.facts, index.n_nodes)} in layers/index.json",
            remedy=REMEDY,
        )
    layers = read_layers(run.layout)
    if len(layers.user_emb) != data.n_users:
        raise CheckpointError(
            expected=f"{data.n_users} rows in layers/users.npy",
            found=str(len(layers.user_emb)),
            remedy=REMEDY,
        )
    known = {run.layout.layer_index, run.layout.users, run.layout.items}
    for place, widths in (
        (run.layout.layer, facts.widths),
        (run.layout.readout, facts.readout_widths or {}),
    ):
        known |= {place(modality, k) for modality, of in widths.items() for k in range(len(of))}
    folders = [folder for folder in (run.layout.layers, run.layout.readouts) if folder.exists()]
    found = {path for folder in folders for path in folder.iterdir()}
    if strays := sorted(path.name for path in found - known):
        raise CheckpointError(
            expected="only the layers and readouts that layers/index.json lists",
            found=strays[0],
            remedy=REMEDY,
        )


def _check_snapshots(run: Run, record: RunRecord) -> None:
    """The snapshots are of layers that config.json claims, whole, finite, and nothing lies beside them."""
    facts, data = record.model, record.data
    snapshots = run.snapshots()
    if facts is None or data is None or snapshots is None:
        raise CheckpointError(
            expected="sizes in config.json and an index.json in the folder snapshots",
            found="none",
            remedy=REMEDY,
        )
    index = snapshots.index
    widths = {m: facts.widths.get(m, ())[: len(kept)] for m, kept in index.widths.items()}
    if (index.n_nodes, index.widths) != (data.n_nodes, widths):
        raise CheckpointError(
            expected=f"snapshots of the layers of config.json, {_shapes(facts.of_layers, data.n_nodes)}",
            found=f"{index.n_nodes} nodes and {index.widths}"[:1000],
            remedy=REMEDY,
        )
    if set(index.widths) != set(facts.widths):
        raise CheckpointError(
            expected=f"snapshots of the modalities {', '.join(facts.widths)}",
            found=", ".join(index.widths),
            remedy=REMEDY,
        )
    for epoch in snapshots.epochs:
        snapshots.layers(epoch)
    known = {run.layout.snapshot_index, run.layout.snapshot_nodes}
    known |= {run.layout.snapshot(epoch) for epoch in snapshots.epochs}
    if strays := sorted(path.name for path in {*run.layout.snapshots.iterdir()} - known):
        raise CheckpointError(
            expected="only snapshots in the folder snapshots", found=strays[0], remedy=REMEDY
        )


def _check_ids(run: Run, record: RunRecord) -> None:
    """As many distinct ids as users and items; a run without a data set has nothing else to show for them."""
    ids, data = run.ids(), record.data
    if ids is None and record.has_interactions:
        return
    wanted = None if data is None else (data.n_users, data.n_items)
    found = None if ids is None else (len(set(ids.users)), len(set(ids.items)))
    if (
        wanted is None
        or wanted != found
        or ids is None
        or len(ids.users) + len(ids.items) != sum(found)
    ):
        raise CheckpointError(
            expected=f"the distinct ids of {wanted or 'no'} users and items in ids.json",
            found=str(found or "none"),
            remedy=REMEDY,
        )


def _shapes(facts: LayerFacts, n_nodes: int) -> str:
    return f"{n_nodes} rows and {facts.model_dump_json()}"[:1000]


def _check_json(path: Path) -> None:
    try:
        valid = isinstance(from_json(read_plain(path, RECORD_BYTES), allow_inf_nan=False), dict)
    except (OSError, ValueError):
        valid = False
    if not valid:
        raise CheckpointError(
            expected=f"a JSON object in {path.name}", found="something else", remedy=REMEDY
        )
