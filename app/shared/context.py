"""What all pages share, in the sidebar: the run that is looked at, and the one beside it."""

from __future__ import annotations

from dataclasses import dataclass

import streamlit as st

from app import state
from app.shared.choose import pick_run, readable_runs, run_box
from rednd_core.runs import Run, RunEntry

NO_RUN = "none"  # as the address has it


@dataclass(frozen=True)
class Context:
    """Run A, and run B on the same data and split; None without a second run."""

    run: Run
    other: Run | None


def choose_runs() -> Context | None:
    """Draw the choice of runs in the sidebar; where there is no run yet, say so on the page: None."""
    if not runs_with_layers():
        st.info("There is no run to show yet. Train one on the page **Live training**.")
        return None
    with st.sidebar:
        run = pick_run("Run A")
        assert run is not None
        entries = {entry.name: entry for entry in comparable(run)}
        state.begin(state.OTHER_RUN, (NO_RUN, *entries), NO_RUN)
        other = run_box(
            "Run B",
            entries,
            state.OTHER_RUN,
            none=[NO_RUN],
            help="A second run on the same data and split, shown beside run A.",
        )
    return Context(run, other)


def runs_with_layers() -> dict[str, RunEntry]:
    """The runs that can be looked at, by name."""
    return {n: e for n, e in readable_runs().items() if e.run.layer_version is not None}


def comparable(run: Run) -> list[RunEntry]:
    """The other runs on the same data and split that have layers."""
    facts = run.record.data
    return [
        entry
        for entry in runs_with_layers().values()
        if entry.run.path != run.path
        and facts is not None
        and entry.record is not None
        and entry.record.data is not None
        and entry.record.data.digest == facts.digest
    ]
