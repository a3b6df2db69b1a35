"""What the campaigns share: a budget of time, trials one after the other, and a count of what came out."""

from __future__ import annotations

import argparse
import logging
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

from rednd_core.config import PROJECT_ROOT
from rednd_core.reproducibility import commit
from rednd_core.runs import Run

TRAIN = [
    *(
        sys.executable,
        "-m",
        "rednd_core",
        "train",
        "--data",
        str(PROJECT_ROOT / "sample_data/shop"),
    ),
    *("--model", "lightgcn", "--set", "embedding_size=8", "--set", "device=cpu"),
    *("--set", "engine=csr", "--set", "epochs=30", "--set", "patience=1000"),
]
"""Some seconds on two quiet cores."""
MOST_SECONDS = 10.0


def arguments(words: str, seconds: int) -> argparse.Namespace:
    """``--budget`` in seconds and ``--seed``; ``words`` say what the campaign does."""
    parser = argparse.ArgumentParser(description=words)
    parser.add_argument("--budget", type=float, default=seconds, help="seconds (%(default)s)")
    parser.add_argument("--seed", type=int, default=0)
    logging.disable(logging.WARNING)  # what is refused is counted
    return parser.parse_args()


def trials(budget: float, seed: int) -> Iterator[random.Random]:
    """A generator of numbers for each trial, as long as there is time; at least one."""
    deadline = time.monotonic() + budget
    number = 0
    while number == 0 or time.monotonic() < deadline:
        yield random.Random(f"{seed}-{number}")
        number += 1


def report(name: str, counts: Counter[str], faults: list[str]) -> None:
    """Print the counts, and end with exit code 1 where there were faults."""
    print(f"{name}, commit {commit()}: " + ", ".join(f"{n} {what}" for what, n in counts.items()))
    for fault in faults[:20]:
        print(f"  fault: {fault}")
    sys.exit(bool(faults))


def outcome(run: Run) -> tuple[object, ...]:
    """What must be the same bit for bit, however often a run was interrupted."""
    arrays = [run.layout.users.read_bytes(), run.layout.items.read_bytes()]
    return (*arrays, run.evaluation(), run.metrics()["losses.bpr"].tolist())


def attempt(look: Callable[[], object], counts: Counter[str], faults: list[str], what: str) -> None:
    """Call a reader: an answer, a refusal in one sentence, or a fault."""
    from rednd_core.errors import RedndError

    began = _processor_seconds()
    try:
        look()
        counts["answered"] += 1
    except RedndError as error:
        counts["refused"] += 1
        if "\n" in str(error):
            faults.append(f"{what}: a message of several lines")
    except Exception as error:
        faults.append(f"{what}: {type(error).__name__}: {str(error)[:200]}")
    if (seconds := _processor_seconds() - began) > MOST_SECONDS:
        faults.append(f"{what}: {seconds:.1f} s of processor time")


def _processor_seconds() -> float:
    """Of this process and of those that it waited for, so that a busy machine is no fault."""
    return sum(os.times()[:4])


def torn(folder: Path) -> list[str]:
    """Files of a run that nobody could read."""
    run = Run(folder)
    found = []
    for look in (lambda: run.record, lambda: run.status, run.metrics, run.evaluation):
        try:
            look()
        except Exception as error:
            found.append(f"{folder.name}: {error}")
    return found
