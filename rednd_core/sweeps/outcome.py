"""The outcome of a point, read from its run folder."""

from __future__ import annotations

from rednd_core.runs import Run
from rednd_core.sweeps.campaign_files import Outcome


def read_outcome(run: Run, digest: str, *, with_test: bool) -> Outcome:
    """The result of a run that is over.

    Args:
        digest: of the data set that it must have been trained on.
        with_test: False leaves out test metrics, also if the run has some.

    Raises:
        RunError: the run was trained on other data.
    """
    record = run.record
    record.require_data(digest)
    status = run.status
    if status.state not in ("finished", "stopped"):
        return Outcome(state="failed", message=status.message)
    if any(event["event"] == "set_weight" for event in run.events()):
        return Outcome(
            state="failed",
            message="Expected a run as it was planned, but found loss weights that were changed while "
            f"it trained; delete the run {run.name} and give the same command again.",
        )
    evaluation, epochs = run.evaluation(), run.metrics()
    train = epochs.get("seconds.train")
    return Outcome(
        state="finished" if status.state == "finished" else "stopped",
        valid=evaluation.valid if evaluation else {},
        test=evaluation.test if evaluation and with_test else {},
        best_epoch=status.best_epoch,
        epochs=status.epoch,
        seconds=None if train is None else float(epochs.filter(like="seconds.").sum().sum()),
        seconds_per_epoch=None if train is None else float(train.median()),
        commit=record.provenance.commit,
    )
