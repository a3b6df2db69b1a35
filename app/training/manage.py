"""Delete, restore and export runs of this machine; beside them stands what comes from elsewhere."""

from __future__ import annotations

import tempfile
from datetime import datetime
from pathlib import Path

import streamlit as st

from app import cached
from app.shared.text import escape_markdown
from app.training.actions import PROBLEM, attempt
from app.training.elsewhere import import_box
from rednd_core.library import known_ids
from rednd_core.runs import Run, export
from rednd_core.runs.recycle_bin import MOST_BYTES, MOST_RUNS

RUN = "manage.run"
DELETED = "manage.deleted"  # the run that was last deleted from this window


def manage_runs() -> None:
    """Two columns: the runs of this machine, and runs from elsewhere."""
    here, elsewhere = st.columns(2)
    with here:
        _own_run()
        _bin()
    with elsewhere:
        import_box()


def _own_run() -> None:
    st.header("A run of this machine")
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
        return export(run, Path(folder) / f"{run.name}.zip", known_ids(run)).read_bytes()


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
