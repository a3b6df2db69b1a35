"""Carry runs between machines: export as a zip, import what somebody else exported.

Imports unpack into a hidden folder, are validated in full, and become a run by one rename; whatever is
wrong with them is one CheckpointError, and the store is as it was.
"""

from __future__ import annotations

import shutil
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from rednd_core.errors import CheckpointError, RedndError, RunError
from rednd_core.places import make_folder, require_output
from rednd_core.runs import atomic
from rednd_core.runs.archive import is_kept, unpack
from rednd_core.runs.layout import RUN_NAME, RunLayout
from rednd_core.runs.per_user import read_foreign_csv, write_per_user
from rednd_core.runs.record import RunRecord, StatusRecord, parse_record, read_record
from rednd_core.runs.run import Run
from rednd_core.runs.store import RunStore
from rednd_core.runs.validation import check_checkpoint, check_run
from rednd_core.runs.writer import publish

MAX_CONFIG_BYTES = 4 * 1024**2
COMPRESSED = frozenset({".json", ".jsonl", ".txt"})


def export(run: Run, path: Path) -> Path:
    """Write ``run`` as a zip at ``path`` and return that; which machine trained it stays behind.

    Raises:
        RunError: it is in training. ConfigError: ``path`` cannot be written.
    """
    require_output(path)
    state = run.status.state
    if run.status.is_live:
        raise RunError(
            expected=f"run {run.name} to be over",
            found=f"the state {state}",
            remedy="stop it first",
        )
    files = {file.relative_to(run.path).as_posix(): file for file in sorted(run.path.rglob("*"))}

    def write(stream: BinaryIO) -> None:
        with zipfile.ZipFile(stream, "w") as archive:
            for name, file in files.items():
                if file == run.layout.status:
                    told = read_record(StatusRecord, file).model_copy(update={"process": None})
                    content = atomic.encode_json(told, indent=2)
                    archive.writestr(f"{run.name}/{name}", content, zipfile.ZIP_DEFLATED)
                elif is_kept(name) and file.is_file() and not file.is_symlink():
                    # Float32 noise hardly shrinks; compressing it would only cost time.
                    method = zipfile.ZIP_DEFLATED if file.suffix in COMPRESSED else None
                    archive.write(file, f"{run.name}/{name}", compress_type=method)
            if (table := run.per_user()) is not None:
                text = table.to_csv(index=False)
                archive.writestr(f"{run.name}/per_user.csv", text, zipfile.ZIP_DEFLATED)

    atomic.commit(atomic.stage(path, write), path)
    return path


def import_archive(source: Path | bytes, store: RunStore, name: str | None = None) -> Run:
    """The zip ``source`` of a run folder as a new run of ``store``.

    Without ``name`` it keeps its own where that is free. A run that was in training arrives as stopped.
    """
    archive = source.name if isinstance(source, Path) else "the archive"
    with _arriving(store) as folder:
        archived_name = unpack(source, folder)
        with _as_packed(folder, archive):
            record = check_run(folder)
            _unpack_per_user(RunLayout(folder), record)
        _settle(RunLayout(folder))
        return _accept(store, folder, record, name, archived_name)


def import_checkpoint(
    checkpoint: bytes, config: bytes, store: RunStore, name: str | None = None
) -> Run:
    """A ``best.safetensors`` with the config.json of its run, as a new run in state ``imported``.

    It has no layers yet: they are computed from the checkpoint and its data set.
    """
    if len(config) > MAX_CONFIG_BYTES:
        raise CheckpointError(
            expected=f"a config.json of at most {MAX_CONFIG_BYTES} bytes",
            found=str(len(config)),
            remedy="choose the config.json of the checkpoint's run",
        )
    try:
        record = parse_record(RunRecord, config, "config.json")
    except RunError as error:
        raise CheckpointError(
            expected=error.expected,
            found=error.found,
            remedy="choose the config.json of the checkpoint's run",
        ) from None
    with _arriving(store) as folder:
        layout = RunLayout(folder)
        layout.checkpoints.mkdir(parents=True)
        atomic.write_bytes(layout.best_checkpoint, checkpoint)
        check_checkpoint(layout.best_checkpoint, record, is_model=True)
        atomic.write_json(layout.config, record)
        atomic.write_json(layout.status, StatusRecord(state="imported"))
        return _accept(store, folder, record, name, "")


@contextmanager
def _arriving(store: RunStore) -> Iterator[Path]:
    """A hidden folder's path in the store (not made yet); gone afterwards unless it was renamed."""
    make_folder(store.root)
    folder = store.root / f".import.{uuid.uuid4().hex[:12]}.tmp"
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _accept(
    store: RunStore, folder: Path, record: RunRecord, name: str | None, archived_name: str
) -> Run:
    taken = {entry.name for entry in store.list()}
    if name is None and RUN_NAME.fullmatch(archived_name) and archived_name not in taken:
        name = archived_name
    dataset = record.data.name if record.data else "imported"
    try:
        place = store.place(name or store.new_name(record.config.model, dataset))
        publish(folder, place)
    except RedndError as error:
        raise _foreign(error) from None
    return Run(place)


def _unpack_per_user(layout: RunLayout, record: RunRecord) -> None:
    """Turn the per_user.csv of an archive into the run's own parquet file."""
    if not layout.per_user_csv.exists():
        return
    try:
        n_users = record.data.n_users if record.data else 0
        write_per_user(layout.per_user, read_foreign_csv(layout.per_user_csv, n_users))
    except RunError as error:
        expected = f"{error.expected} as {layout.per_user_csv.name}"
        raise CheckpointError(expected=expected, found=error.found, remedy=error.remedy) from None
    layout.per_user_csv.unlink()


@contextmanager
def _as_packed(folder: Path, archive: str) -> Iterator[None]:
    """Say what is wrong in ``folder`` of the files of ``archive``, which is all that its reader knows."""
    try:
        yield
    except RedndError as error:
        expected, found = (
            text.replace(f"{folder}/", "").replace(f"{folder.name}/", "")
            for text in (error.expected, error.found)
        )
        raise CheckpointError(
            expected=f"{expected} (in {archive})",
            found=found,
            remedy="export the run again, or ask for another archive",
        ) from None


def _foreign(error: RedndError) -> CheckpointError:
    """The same sentence, about something that came from elsewhere."""
    return CheckpointError(expected=error.expected, found=error.found, remedy=error.remedy)


def _settle(layout: RunLayout) -> None:
    """Cut the ties to the process that wrote the run: here nobody trains it."""
    status = read_record(StatusRecord, layout.status)
    state = "stopped" if status.is_live or status.state == "lost" else status.state
    changes = {"state": state, "process": None}
    atomic.write_json(layout.status, status.model_copy(update=changes))
