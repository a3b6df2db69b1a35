"""Start, watch and stop training processes, which outlive whoever started them."""

from rednd_core.jobs.process import (
    kill,
    resume_training,
    start_together,
    start_training,
    stop,
    wait,
)
from rednd_core.jobs.queue import StoppedWhileQueued, n_slots, slot

__all__ = [
    "StoppedWhileQueued",
    "kill",
    "n_slots",
    "resume_training",
    "slot",
    "start_together",
    "start_training",
    "stop",
    "wait",
]
