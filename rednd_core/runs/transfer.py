"""Carry runs between machines: export a run as a zip, and import such a zip.

Imports unpack into a hidden folder, are validated in full, and become a run by one rename; whatever is
wrong with them is one CheckpointError, and the store is as it was.
"""

from __future__ import annotations

import shutil
import uuid
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO

from rednd_core import atomic, confined
from rednd_core.config import resolve_data_path
from rednd_core.errors import CheckpointError, DataError, RedndError, RunError
from rednd_core.runs.archive import COMMAND, FIGURES, is_kept, unpack
from rednd_core.runs.budgets import RECORD_BYTES
from rednd_core.runs.data_place import with_path, with_place, without_place
from rednd_core.runs.figures import figures_page
from rednd_core.runs.ids import IdsRecord
from rednd_core.runs.layout import RUN_NAME, RunLayout
from rednd_core.runs.per_user import read_foreign_csv, write_per_user
from rednd_core.runs.reading import parse_record, read_record
from rednd_core.runs.record import RunRecord, StatusRecord
from rednd_core.runs.run import Run
from rednd_core.runs.store import RunStore
from rednd_core.runs.train_command import train_command
from rednd_core.runs.validation import check_checkpoint, check_run
from rednd_core.runs.writer import publish
from rednd_core.writable import make_folder, require_output

COMPRESSED = frozenset({".json", ".jsonl"})


def export(run: Run, path: Path, ids: IdsRecord | None = None) -> Path:
    """Write ``run`` as a zip at ``path`` and return that.

    Beside the files of the run it has the command that trained it (``command.txt``) and its figures as an
    HTML page (``figures.html``), for people: an import leaves both behind.

    Args:
        ids: original ids, for a run that was made before runs had them.

    What tells of the machine stays behind: the process, the log, and where the data set lay.

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

    record, status = run.record, read_record(StatusRecord, run.layout.status)
    placeless = without_place(record)
    # Why a run failed may name files of the data set or of the run.
    message = status.message
    for place, told in _places(run, placeless.config.data.path):
        message = message.replace(place, told)
    carried: dict[Path, RunRecord | StatusRecord] = {
        run.layout.config: placeless,
        run.layout.status: status.model_copy(update={"process": None, "message": message}),
    }
    ids = None if run.layout.ids.exists() else ids
    kept = {n: f for n, f in files.items() if is_kept(n) and f not in (*carried, run.layout.log)}

    shown = _for_people(run, placeless)

    def write(stream: BinaryIO) -> None:
        # A time that zip cannot say (before 1980) becomes the nearest that it can.
        with zipfile.ZipFile(stream, "w", strict_timestamps=False) as archive:
            for file, told in carried.items():
                content = atomic.encode_json(told, indent=2)
                archive.writestr(f"{run.name}/{file.name}", content, zipfile.ZIP_DEFLATED)
            for name, text in shown.items():
                archive.writestr(f"{run.name}/{name}", text, zipfile.ZIP_DEFLATED)
            for name, file in kept.items():
                if file.is_file() and not file.is_symlink():
                    # Float32 noise hardly shrinks; compressing it would only cost time.
                    method = zipfile.ZIP_DEFLATED if file.suffix in COMPRESSED else None
                    archive.write(file, f"{run.name}/{name}", compress_type=method)
            if ids is not None:
                content = atomic.encode_json(ids)
                archive.writestr(f"{run.name}/{run.layout.ids.name}", content, zipfile.ZIP_DEFLATED)
            if (table := run.per_user()) is not None:
                if ids is not None and "user_id" not in table:
                    of_rows = [ids.users[user] for user in table["user"]]
                    table.insert(1, "user_id", of_rows)
                text = table.to_csv(index=False)
                archive.writestr(f"{run.name}/per_user.csv", text, zipfile.ZIP_DEFLATED)

    atomic.commit(atomic.stage(path, write), path)
    return path


def _for_people(run: Run, record: RunRecord) -> dict[str, str]:
    """The files of an archive that are made for reading; of a run that cannot be drawn the command alone."""
    was_trained = record.has_interactions and run.layout.metrics.exists()
    command = train_command(record) if was_trained else ""
    files = {COMMAND: f"{command}\n"} if command else {}
    with suppress(RunError):
        files[FIGURES] = figures_page(run, record, command)
    return files


def import_archive(
    source: Path | bytes, store: RunStore, name: str | None = None, *, data: str | None = None
) -> Run:
    """The zip ``source`` of a run folder as a new run of ``store``.

    Its data set is at ``data``, or looked for where runs of the store have it. A path of another machine
    that the archive brings along is never looked at, see ``data_place``. Without ``name`` the run
    keeps its own where that is free. A run that was in training arrives as stopped.
    """
    archive = source.name if isinstance(source, Path) else "the archive"
    with _arriving(store) as folder, _on_disk(source, store) as path:
        archived_name = _apart("inspect_archive", str(path), str(folder), archive)
        return _accept(store, folder, Run(folder).record, name, archived_name, data)


def inspect_archive(path: str, folder: str, archive: str) -> str:
    """Unpack the zip at ``path`` into the new ``folder`` and check all of it; the archived folder's name.

    A confined process does this; ``archive`` is what sentences call the zip.
    """
    layout = RunLayout(Path(folder))
    archived_name = unpack(Path(path), layout.path)
    with _as_packed(layout.path, archive):
        record = check_run(layout.path)
        _unpack_per_user(layout, record)
    _settle(layout)
    return archived_name


def import_checkpoint(
    checkpoint: bytes,
    config: bytes,
    store: RunStore,
    name: str | None = None,
    *,
    data: str | None = None,
) -> Run:
    """A ``best.safetensors`` with the config.json of its run, as a new run in state ``imported``.

    It has no layers yet: they are computed from the checkpoint and its data set.
    """
    if len(config) > RECORD_BYTES:
        raise CheckpointError(
            expected=f"a config.json of at most {RECORD_BYTES} bytes",
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
        _apart("inspect_checkpoint", str(layout.best_checkpoint), record.model_dump_json())
        atomic.write_json(layout.config, record)
        atomic.write_json(layout.status, StatusRecord(state="imported"))
        return _accept(store, folder, record, name, "", data)


def inspect_checkpoint(path: str, record: str) -> None:
    """Check the checkpoint at ``path``, of the run whose config.json is ``record``; done confined."""
    check_checkpoint(Path(path), parse_record(RunRecord, record, "config.json"), is_model=True)


def _apart(task: str, *arguments: str) -> Any:
    """Let a function of this module look at what came from elsewhere, in a process of its own."""
    try:
        return confined.run(f"{__name__}:{task}", *arguments, what="the run")
    except DataError as error:
        raise _foreign(error) from None


@contextmanager
def _on_disk(source: Path | bytes, store: RunStore) -> Iterator[Path]:
    """The archive as a file, which a process of its own can read."""
    if isinstance(source, Path):
        yield source
        return
    staged = atomic.stage_bytes(store.root / "import.zip", source)
    try:
        yield staged
    finally:
        staged.unlink(missing_ok=True)


@contextmanager
def _arriving(store: RunStore) -> Iterator[Path]:
    """A hidden folder's path in the store (not made yet); gone afterwards unless it was renamed."""
    make_folder(store.root)
    atomic.remove_leftovers(store.root, older_than=atomic.ABANDONED_SECONDS)
    folder = store.root / f".import.{uuid.uuid4().hex[:12]}.tmp"
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _accept(
    store: RunStore,
    folder: Path,
    record: RunRecord,
    name: str | None,
    archived_name: str,
    data: str | None,
) -> Run:
    """Give the run its name and the place of its data set, ``data`` where that is told."""
    entries, sent = store.list(), record
    record = without_place(record) if data is None else with_path(record, data)
    taken = {entry.name for entry in entries}
    if name is None and RUN_NAME.fullmatch(archived_name) and archived_name not in taken:
        name = archived_name
    placed = record if data is not None else with_place(record, entries)
    if placed != sent:
        atomic.write_json(RunLayout(folder).config, placed)
    dataset = record.data.name if record.data else "imported"
    try:
        place = store.place(name or store.new_name(record.config.model, dataset))
        publish(folder, place)
    except RedndError as error:
        raise _foreign(error) from None
    return Run(place)


def _places(run: Run, told: str) -> Iterator[tuple[str, str]]:
    """How a message may spell where the run and its data set lie, and what is told instead."""
    yield str(run.path), run.name
    stored = run.record.config.data.path
    with suppress(RedndError, OSError, ValueError):
        resolved = str(resolve_data_path(stored))
        if len(resolved) > 1:  # more than the root, which is a part of every path
            yield resolved, told
    if len(stored) > 1:
        yield stored, told


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
    """Remove what belongs to the process that wrote the run: no process here trains it."""
    status = read_record(StatusRecord, layout.status)
    state = "stopped" if status.is_live or status.state == "lost" else status.state
    changes = {"state": state, "process": None}
    atomic.write_json(layout.status, status.model_copy(update=changes))
