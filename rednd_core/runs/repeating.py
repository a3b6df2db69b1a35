"""Train a run once more: which runs can be, with which settings, and what has changed since."""

from __future__ import annotations

from collections.abc import Iterator

from rednd_core.config import RunConfig
from rednd_core.errors import RunError
from rednd_core.runs.record import Provenance
from rednd_core.runs.run import Run

MACHINE = {
    "system": "system",
    "processor": "processor",
    "device": "device",
    "engine": "engine",
    "threads": "number of threads",
}


def repeated_config(run: Run, path: str) -> RunConfig:
    """The settings with which ``run`` is trained once more, on the data set at ``path``.

    A run that was stopped by hand is trained for as many epochs as it had.

    Raises:
        RunError: its configuration does not tell how it came about.
    """
    record, status = run.record, run.status
    record.require_interactions("trainings")
    if status.is_live or run.evaluation() is None or run.metrics().empty:
        raise RunError(
            expected="a run that was trained to its results",
            found=f"{run.name}, whose state is {status.state} after {status.epoch} epochs",
            remedy="choose another run, or train this one to its end first",
        )
    moved = [event for event in run.events() if event["event"] == "set_weight"]
    if moved:
        raise RunError(
            expected="a run whose settings tell how it was trained",
            found=f"{run.name}, in which the weight of {moved[0]['loss']} was moved after epoch "
            f"{moved[0]['epoch']}",
            remedy="choose a run that nobody steered",
        )
    config = record.config
    data = config.data.model_copy(update={"path": path})
    training = config.training
    if status.state == "stopped":
        training = training.model_copy(update={"epochs": status.epoch})
    return config.model_copy(update={"data": data, "training": training})


def changes(recorded: Provenance, now: Provenance) -> Iterator[str]:
    """What differs between two trainings beside their settings, a sentence each."""
    for package in sorted({*recorded.versions, *now.versions}):
        then, today = (told.versions.get(package, "none") for told in (recorded, now))
        if then != today:
            yield f"The version of {package} was {then} and is {today}."
    if recorded.processes != now.processes:
        yield f"It was trained by {recorded.processes} processes, and now by {now.processes}."
    if recorded.machine is None or now.machine is None:
        yield "The run does not say with which machine, engine and threads it was trained."
    else:
        for name, words in MACHINE.items():
            then, today = (getattr(told, name) for told in (recorded.machine, now.machine))
            if then != today:
                yield f"Another {words}: {then} then, {today} now."
    yield from _code(recorded.commit, now.commit)


def _code(then: str | None, today: str | None) -> Iterator[str]:
    """A sentence where the code is not surely the same."""
    if then is None:
        yield "The run does not say from which commit of the code it was trained."
    elif then != today or then.endswith("+"):
        now = "is not known" if today is None else f"is {_told(today)}"
        yield f"The code may have changed: the run was trained at commit {_told(then)}, and this {now}."


def _told(commit: str) -> str:
    bare = commit.removesuffix("+")
    return bare if bare == commit else f"{bare} with changes that were not committed"
