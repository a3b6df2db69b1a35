"""Delete, restore, export and import runs. An import changes the store completely or not at all."""

from __future__ import annotations

import tempfile
import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import cached
from app.shared.text import escape_markdown
from app.training.actions import PROBLEM, attempt, watch_next
from rednd_core.errors import CheckpointError, RedndError, refusals
from rednd_core.runs import Run, export, import_archive, import_checkpoint
from rednd_core.runs.recycle_bin import MOST_BYTES, MOST_RUNS

RUN = "manage.run"
DELETED = "manage.deleted"  # the run that was last deleted from this window
REFUSED = "manage.refused"  # why the last import changed nothing
ATTEMPTS = "manage.attempts"  # imports so far: the number of the uploader's key


def manage_runs() -> None:
    """Two columns: the runs of this machine, and runs from elsewhere."""
    here, elsewhere = st.columns(2)
    with here:
        _own_run()
        _bin()
    with elsewhere:
        _import()


def _own_run() -> None:
    st.subheader("A run of this machine")
    entries = {entry.name: entry for entry in cached.run_entries() if not entry.run.bundled}
    deleted = st.session_state.get(DELETED)
    if st.session_state.get(RUN) is None and deleted and deleted not in entries:
        with st.container(horizontal=True, vertical_alignment="center"):
            st.success(f"{escape_markdown(deleted)} was deleted.", icon=":material/delete:")
            st.button(
                "Undo",
                key="manage.undo",
                icon=":material/undo:",
                on_click=attempt,
                args=(cached.store().restore, deleted),
            )
    if not entries:
        st.caption("There are no runs of your own yet. The bundled runs cannot be changed.")
        return
    if st.session_state.get(RUN) not in entries:
        st.session_state[RUN] = None
    name = st.selectbox("Run", list(entries), index=None, placeholder="Choose a run", key=RUN)
    if name is None:
        return
    entry = entries[name]
    if entry.problem:
        st.warning(f"This folder is broken. {escape_markdown(entry.problem)}")
    if entry.status and entry.status.is_live:
        st.caption("This run is in training. Stop it first, then you can export or delete it.")
        return
    with st.container(horizontal=True):
        if not entry.problem:
            st.download_button(
                "Export as zip",
                lambda: export_bytes(entry.run),
                file_name=f"{name}.zip",
                mime="application/zip",
                key="manage.export",
                icon=":material/download:",
                on_click="ignore",
                help=f"About {entry.run.disk_bytes / 2**20:,.0f} MB.",
            )
        # The keys name the run: otherwise an open question, and a click on it, would be about the next run.
        with st.popover("Delete …", icon=":material/delete:", key=f"manage.delete.{name}"):
            st.write(
                f"Delete **{escape_markdown(name)}** with all of its files? The last {MOST_RUNS} deleted "
                f"runs can be restored, {MOST_BYTES >> 30} GB together."
            )
            st.button(
                "Yes, delete it",
                key=f"manage.confirm.{name}",
                type="primary",
                on_click=_delete,
                args=(name,),
            )


def _delete(name: str) -> None:
    attempt(cached.store().delete, name)
    if PROBLEM not in st.session_state:
        st.session_state[DELETED] = name
        st.session_state[RUN] = None  # Streamlit would choose the next run of the list.


def export_bytes(run: Run) -> bytes:
    """The zip of a run that is over."""
    with tempfile.TemporaryDirectory() as folder:
        return export(run, Path(folder) / f"{run.name}.zip").read_bytes()


def _bin() -> None:
    """The runs that were deleted and can be restored."""
    gone = cached.store().deleted()
    if not gone:
        return
    with st.popover(f"Deleted runs ({len(gone)})", icon=":material/restore_from_trash:"):
        for number, entry in enumerate(gone):
            with st.container(horizontal=True, vertical_alignment="center"):
                when = f"{datetime.fromtimestamp(entry.deleted):%Y-%m-%d %H:%M}"
                st.markdown(f"**{escape_markdown(entry.name)}**, {when}", width="stretch")
                if entry.name not in {other.name for other in gone[:number]}:
                    st.button(
                        "Restore",
                        key=f"manage.restore.{entry.name}",
                        on_click=attempt,
                        args=(cached.store().restore, entry.name),
                    )
        st.button(
            "Delete all of these for good",
            key="manage.empty",
            on_click=attempt,
            args=(cached.store().empty_bin,),
        )


def _import() -> None:
    st.subheader("A run from elsewhere")
    files = st.file_uploader(
        "A run's zip, or best.safetensors together with its config.json",
        type=["zip", "safetensors", "json"],
        accept_multiple_files=True,
        key=f"manage.files.{st.session_state.get(ATTEMPTS, 0)}",
        help="Files that may hold a pickle (.pt, .pkl, …) are never opened.",
    )
    if files:
        st.session_state.pop(REFUSED, None)
    if refused := st.session_state.get(REFUSED):
        st.error(refused, icon=":material/error:")
    if st.button("Import", key="manage.import", icon=":material/upload:", disabled=not files):
        try:
            with st.spinner("Checking every file of the run …"), refusals():
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
