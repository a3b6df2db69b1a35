"""Import a run, or the vectors of another program. An import changes the store completely or not at all."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import cached
from app.shared.data_paths import bundled, declared
from app.shared.text import escape_markdown
from app.training.actions import watch_next
from rednd_core.config import DataConfig
from rednd_core.errors import CheckpointError, RedndError, refusals
from rednd_core.foreign.files import STATE_DICTS, SUFFIXES
from rednd_core.runs import Run, import_archive, import_checkpoint

REFUSED = "manage.refused"  # why the last import changed nothing
SAID = "manage.said"  # what the last import of vectors has found
ATTEMPTS = "manage.attempts"  # imports so far: the number of the uploader's key
NO_DATA = "none: look at the vectors alone"
MOST_LAYERS = 32
SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,99}")


def import_box() -> None:
    """The uploader, and for vectors the questions that only their owner can answer."""
    st.header("From elsewhere")
    files = st.file_uploader(
        "A run's zip; best.safetensors with its config.json; or vectors and checkpoints of another program",
        type=["zip", "json", *(suffix[1:] for suffix in SUFFIXES)],
        accept_multiple_files=True,
        key=f"manage.files.{st.session_state.get(ATTEMPTS, 0)}",
        help="Vectors: users.npy and items.npy, one pair for each layer (users_0.npy, ...), a table with a "
        "column of ids, or a PyTorch state dict (.pth). Nothing is ever unpickled.",
    )
    if files:
        st.session_state.pop(REFUSED, None)
        st.session_state.pop(SAID, None)
    if refused := st.session_state.get(REFUSED):
        st.error(refused, icon=":material/error:")
    if said := st.session_state.get(SAID):
        st.success("\n".join(f"- {escape_markdown(sentence)}" for sentence in said))
    are_vectors = bool(files) and not _is_own(files)
    data, layers, user_key, item_key = _questions(files) if are_vectors else (None, 0, None, None)
    if st.button("Import", key="manage.import", icon=":material/upload:", disabled=not files):
        try:
            with st.spinner("Checking every file …"), refusals():
                if are_vectors:
                    run, found = import_uploaded(files, data, layers, user_key, item_key)
                    st.session_state[SAID] = [f"Imported {run.name}.", *found]
                else:
                    run = import_files(files)
        except RedndError as error:
            said = f"Nothing was imported from {_names(files)}. {error}"
            st.session_state[REFUSED] = escape_markdown(said)
        else:
            cached.run_entries.clear()
            watch_next(run.name)
        # A new uploader is empty; the old one would add the files of this attempt to the next attempt.
        st.session_state[ATTEMPTS] = st.session_state.get(ATTEMPTS, 0) + 1
        st.rerun()


def _questions(
    files: Sequence[UploadedFile],
) -> tuple[DataConfig | None, int, str | None, str | None]:
    """The data set, the layers to make, and the names of two tables."""
    known = _known_data()
    chosen = st.selectbox(
        "Data set that the model was trained on",
        [NO_DATA, *known],
        help="Sample data, and the data sets of all runs. To add another one, look at it on the page Data "
        "and train a model on it.",
        key="manage.data",
    )
    layers = 0
    if chosen in known:
        layers = st.number_input(
            "Layers of LightGCN to make from these vectors",
            0,
            MOST_LAYERS,
            help="0: the vectors score as they are. A graph model's tables are its layer 0: give the number "
            "of its layers.",
            key="manage.layers",
        )
    user_key = item_key = None
    if any(Path(file.name).suffix.lower() in STATE_DICTS for file in files):
        with st.expander("Names of the tables, where they are not found"):
            user_key = st.text_input("Table of users", key="manage.user_key").strip() or None
            item_key = st.text_input("Table of items", key="manage.item_key").strip() or None
    return known.get(chosen), int(layers), user_key, item_key


def _known_data() -> dict[str, DataConfig]:
    """Path -> how the data set there is read: the samples, declared folders, and the data of the runs."""
    known = {path: DataConfig(path=path) for path in (*bundled(), *declared())}
    for entry in cached.run_entries():
        if entry.record is not None and entry.record.has_interactions:
            known.setdefault(entry.record.config.data.path, entry.record.config.data)
    return known


def import_uploaded(
    files: Sequence[UploadedFile],
    data: DataConfig | None,
    layers: int,
    user_key: str | None = None,
    item_key: str | None = None,
) -> tuple[Run, list[str]]:
    """Uploaded vectors as a new run, and what was found.

    Raises:
        CheckpointError: unsafe names, or vectors that cannot be used; nothing has changed then.
    """
    from rednd_core.foreign.imported import How, import_vectors

    names = [Path(file.name.replace("\\", "/")).name for file in files]
    for name in names:
        if not SAFE.fullmatch(name) or names.count(name) > 1:
            raise CheckpointError(
                expected="different file names of letters, digits, spaces, dots, _ and -",
                found=name[:60],
                remedy="rename the file",
            )
    with tempfile.TemporaryDirectory(prefix="rednd-import-") as folder:
        paths = [Path(folder) / name for name in names]
        for path, file in zip(paths, files, strict=True):
            path.write_bytes(file.getbuffer())
        how = How(propagate=layers or None, user_key=user_key, item_key=item_key)
        return import_vectors(paths, cached.store(), data=data, how=how)


def _is_own(files: Sequence[UploadedFile]) -> bool:
    """Whether this project has written the files: an exported run, or a checkpoint with its config.json."""
    return bool({".zip", ".json"} & {Path(file.name).suffix.lower() for file in files})


def import_files(files: Sequence[UploadedFile]) -> Run:
    """One zip, or a checkpoint with its configuration, as a new run.

    Raises:
        CheckpointError: other files, or files that are not what they claim; nothing has changed then.
    """
    by_kind = {Path(file.name).suffix.lower(): file for file in files}
    store = cached.store()
    if len(files) == 1 and ".zip" in by_kind:
        if not zipfile.is_zipfile(by_kind[".zip"]):
            raise CheckpointError(
                expected="a zip archive of a run folder",
                found="a file of another kind that is only called .zip, or one that is cut off",
                remedy="export the run again and import that file",
            )
        return import_archive(by_kind[".zip"].getvalue(), store)
    if len(files) == 2 and set(by_kind) == {".safetensors", ".json"}:
        from rednd_core.training.importing import complete_import

        checkpoint, config = by_kind[".safetensors"], by_kind[".json"]
        run = import_checkpoint(checkpoint.getvalue(), config.getvalue(), store)
        complete_import(run)
        return run
    raise CheckpointError(
        expected="one .zip, or one .safetensors and one .json",
        found=_names(files),
        remedy="choose the files of one run",
    )


def _names(files: Sequence[UploadedFile]) -> str:
    return ", ".join(sorted(file.name for file in files))[:200]
