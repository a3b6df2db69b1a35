"""Delete, export and import runs. An import changes the store completely or not at all."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from app import cached
from app.components.text import escape_markdown
from app.components.training_actions import attempt, watch_next
from rednd_core.errors import CheckpointError, RedndError
from rednd_core.runs import Run, export, import_archive, import_checkpoint


def manage_runs() -> None:
    """Two columns: what is here, and what comes from elsewhere."""
    here, elsewhere = st.columns(2)
    with here:
        _own_run()
    with elsewhere:
        _import()


def _own_run() -> None:
    st.subheader("A run of this machine")
    entries = {entry.name: entry for entry in cached.run_entries() if not entry.run.bundled}
    if not entries:
        st.caption("There are no runs of your own yet. The bundled ones cannot be changed.")
        return
    name = st.selectbox("Run", list(entries), key="manage.run")
    entry = entries[name]
    if entry.problem:
        st.warning(f"This folder is broken. {escape_markdown(entry.problem)}")
    if entry.status and entry.status.is_live:
        st.caption("It is in training. Stop it first; then it can be exported or deleted.")
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
        with st.popover("Delete …", icon=":material/delete:", key="manage.delete"):
            st.write(f"Delete **{escape_markdown(name)}** with all of its files, for good?")
            st.button(
                "Yes, delete it",
                key="manage.confirm",
                type="primary",
                on_click=attempt,
                args=(cached.store().delete, name),
            )


def export_bytes(run: Run) -> bytes:
    """The zip of a run that is over."""
    with tempfile.TemporaryDirectory() as folder:
        return export(run, Path(folder) / f"{run.name}.zip").read_bytes()


def _import() -> None:
    st.subheader("A run from elsewhere")
    files = st.file_uploader(
        "A run's zip, or best.safetensors together with its config.json",
        type=["zip", "safetensors", "json"],
        accept_multiple_files=True,
        key="manage.files",
        help="Files that may hold a pickle (.pt, .pkl, …) are never opened.",
    )
    if st.button("Import", key="manage.import", icon=":material/upload:", disabled=not files):
        try:
            with st.spinner("Checking every file of the run …"):
                run = import_files(files)
        except RedndError as error:
            st.error(
                f"Nothing was imported. {escape_markdown(str(error))}", icon=":material/error:"
            )
        else:
            cached.run_entries.clear()
            watch_next(run.name)
            st.rerun()


def import_files(files: Sequence[UploadedFile]) -> Run:
    """One zip, or a checkpoint with its configuration, as a new run.

    Raises:
        CheckpointError: other files, or files that are not what they claim; nothing has changed then.
    """
    by_kind = {Path(file.name).suffix.lower(): file for file in files}
    store = cached.store()
    if len(files) == 1 and ".zip" in by_kind:
        return import_archive(by_kind[".zip"].getvalue(), store)
    if len(files) == 2 and set(by_kind) == {".safetensors", ".json"}:
        from rednd_core.training.importing import complete_import

        checkpoint, config = by_kind[".safetensors"], by_kind[".json"]
        run = import_checkpoint(checkpoint.getvalue(), config.getvalue(), store)
        complete_import(run)
        return run
    raise CheckpointError(
        expected="one .zip, or one .safetensors and one .json",
        found=", ".join(sorted(file.name for file in files))[:200],
        remedy="choose the files of one run",
    )
