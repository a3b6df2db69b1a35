"""The job that the app starts for a run: ``python -m rednd_core.cli.job RUN_DIR``.

It waits for its turn, then trains, and resumes where there is a checkpoint. While it waits it has loaded
neither torch nor numpy: a queue of twenty jobs costs less memory than one that trains.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path

from rednd_core.cli import explaining
from rednd_core.cli.progress_lines import stoppable, train_with_lines
from rednd_core.jobs import StoppedWhileQueued, n_slots, slot
from rednd_core.process_setup import set_up_process
from rednd_core.runs import RunWriter


def main() -> None:
    """Train the run in the folder that the command line names."""
    with explaining():
        _train(RunWriter(Path(sys.argv[1])))


def _train(writer: RunWriter) -> None:
    with stoppable(writer, keep_refused=True), suppress(StoppedWhileQueued), slot(writer):
        set_up_process()
        _share_memory()
        train_with_lines(writer, resume=writer.layout.last_place.exists())


def _share_memory() -> None:
    """Jobs that may train side by side plan with a part of the memory each."""
    if (n_jobs := n_slots()) > 1:
        from rednd_core.training.memory import MEMORY_SHARE, whole_memory

        os.environ.setdefault(MEMORY_SHARE, str(whole_memory() // n_jobs))


if __name__ == "__main__":
    main()
