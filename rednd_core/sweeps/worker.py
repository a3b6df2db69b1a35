"""What a worker does for a point: make sure that its run exists and is finished.

The function may be called again after any accident: a finished run is left alone, a run whose process died
continues from its last checkpoint, and a run without a checkpoint is begun again.
"""

from __future__ import annotations

import threading
import time
from pathlib import Path

from rednd_core.config import RunConfig
from rednd_core.errors import CheckpointError, RunError, TrainingError
from rednd_core.runs import Provenance, Run, RunRecord, RunStore, RunWriter, create_run
from rednd_core.runs.ownership import continuing
from rednd_core.sweeps.campaign_files import Outcome
from rednd_core.sweeps.outcome import read_outcome

STOP_FILE = "stop"
POLL_SECONDS = 0.5

_one_at_a_time = threading.Lock()
"""Trainings of one process would share torch's random numbers."""


def ensure_run(run_dir: str, config: str, digest: str, campaign: str, read_test: bool) -> str:
    """Train the run in ``run_dir``, with one torch thread; takes and returns plain text.

    Args:
        config: the RunConfig as JSON; digest: of the data set that it must have been trained on.
        campaign: folder of the sweep or study, which must be visible here; a file ``stop`` in it
            means that no more runs are begun.
        read_test: evaluate on test when the run is finished.

    Returns:
        The Outcome as JSON. A training that diverged has the state ``failed``.

    Raises:
        RedndError: the point cannot be trained with these settings or on this machine.
    """
    import torch

    with _one_at_a_time:
        torch.set_num_threads(1)
        parsed = RunConfig.model_validate_json(config)
        try:
            outcome = _ensure(Run(Path(run_dir)), parsed, digest, Path(campaign), read_test)
        except TrainingError as error:
            outcome = Outcome(state="failed", message=str(error))
    return outcome.model_dump_json()


def is_done(run: Run, config: RunConfig, *, read_test: bool) -> bool:
    """Whether the run of a point is finished, and evaluated on test if ``read_test``.

    Raises:
        RunError: there is a run of that name with other settings.
    """
    if not run.path.exists():
        return False
    if run.config != config:
        raise RunError(
            expected=f"the planned settings in the run {run.name}",
            found="others",
            remedy="delete that run or choose another name with --name",
        )
    if run.status.state != "finished":
        return False
    evaluation = run.evaluation()
    return evaluation is not None and (evaluation.has_test or not read_test)


def _ensure(run: Run, config: RunConfig, digest: str, campaign: Path, read_test: bool) -> Outcome:
    if not campaign.is_dir():
        raise RunError(
            expected=f"the folder {campaign}, which every worker must see under this path",
            found="none on this worker",
            remedy="put the runs on a shared disk and name it with --runs-dir",
        )
    while run.path.exists() and run.status.is_live and not (campaign / STOP_FILE).exists():
        # A scheduler may give the run of an unreachable worker to another worker, which waits until the
        # first one has ended: two processes never write one run.
        time.sleep(POLL_SECONDS)
    if (campaign / STOP_FILE).exists():
        return Outcome(state="stopped")
    if not is_done(run, config, read_test=read_test):
        _bring_to_its_end(run, config, read_test)
    return read_outcome(run, digest, with_test=read_test)


def _bring_to_its_end(run: Run, config: RunConfig, read_test: bool) -> None:
    from rednd_core.training.later_test import record_test

    if run.path.exists() and run.status.state == "finished":
        record_test(RunWriter(run.path))
    elif run.layout.last_place.exists():
        with continuing(run):
            writer = RunWriter(run.path)
            writer.claim()
        try:
            _train(writer, resume=True, read_test=read_test)
        except CheckpointError:  # a file is damaged or gone
            _begin(run, config, read_test)
    else:
        _begin(run, config, read_test)


def _begin(run: Run, config: RunConfig, read_test: bool) -> None:
    """Train from the first epoch, without the files of an attempt that died."""
    if run.path.exists():
        RunStore(run.path.parent).delete(run.name, for_good=True)
    record = RunRecord(config=config, provenance=Provenance(seed=config.training.seed))
    writer = create_run(run.path, record)
    writer.claim()
    _train(writer, resume=False, read_test=read_test)


def _train(writer: RunWriter, *, resume: bool, read_test: bool) -> None:
    from rednd_core.training.experiment import train_run

    with writer.recording_failure():
        train_run(writer, resume=resume, read_test=read_test)
