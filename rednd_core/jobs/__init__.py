"""Start, watch and stop training processes, which outlive whoever started them."""

from rednd_core.jobs.process import kill, resume_training, start_training, stop, wait
from rednd_core.jobs.queue import StoppedWhileQueued, slot

__all__ = [
    "StoppedWhileQueued",
    "kill",
    "resume_training",
    "slot",
    "start_training",
    "stop",
    "wait",
]
