"""Trainings that are killed at random moments and resumed: nothing torn, the same end bit for bit."""

from __future__ import annotations

import signal
import subprocess
import tempfile
import time
from collections import Counter
from pathlib import Path

from campaign import TRAIN, arguments, outcome, report, torn, trials

from rednd_core.runs import Run

SIGNALS = {"SIGKILL": "lost", "SIGTERM": "stopped", "SIGHUP": "stopped"}
EXIT_SECONDS = 120


def main() -> None:
    asked = arguments(__doc__ or "", 300)
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        store = ["--runs-dir", folder]
        subprocess.run([*TRAIN, *store, "--run", "whole"], check=True, capture_output=True)
        expected = outcome(Run(Path(folder) / "whole"))
        for number, chance in enumerate(trials(asked.budget, asked.seed)):
            run = Run(Path(folder) / f"cut-{number}")
            name = chance.choice(list(SIGNALS))
            process = subprocess.Popen(
                [*TRAIN, *store, "--run", run.name],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            while process.poll() is None and not run.layout.metrics.exists():
                time.sleep(0.02)
            time.sleep(chance.uniform(0, 3))
            process.send_signal(getattr(signal, name))
            process.wait(EXIT_SECONDS)
            counts[name] += 1
            faults += torn(run.path)
            state = run.status.state
            if state not in (SIGNALS[name], "finished"):
                faults.append(f"{run.name}: {state} after {name}")
            if state != "finished" and run.layout.last_place.exists():
                resume = [*TRAIN[:4], "--resume", run.name, *store]
                done = subprocess.run(resume, capture_output=True, text=True)
                if done.returncode or outcome(run) != expected:
                    faults.append(f"{run.name}: another end after {name} {done.stderr[-200:]}")
                counts["resumed"] += 1
    report("kills", counts, faults)


if __name__ == "__main__":
    main()
