"""Trainings on a disk that is too small, then given room: one sentence, and the same end bit for bit.

The disk is a tmpfs of its own, which only an administrator can mount. Where that is refused the campaign
says so and ends; tests/cli/test_full_disk.py refuses each write in turn on any machine.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path

from campaign import TRAIN, arguments, outcome, report, torn, trials

from rednd_core.runs import Run

ROOM = 64 * 1024**2


def mount(folder: str, size: int, *options: str) -> bool:
    option = ",".join(["size=" + str(size), *options])
    command = ["mount", "-t", "tmpfs", "-o", option, "tmpfs", folder]
    return subprocess.run(command, capture_output=True).returncode == 0


def main() -> None:
    asked = arguments(__doc__ or "", 300)
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as folder:
        if not mount(folder, ROOM):
            sys.exit("A tmpfs cannot be mounted here; run this as an administrator.")
        try:
            store = ["--runs-dir", folder]
            subprocess.run([*TRAIN, *store, "--run", "whole"], check=True, capture_output=True)
            expected = outcome(Run(Path(folder) / "whole"))
            used = sum(f.stat().st_size for f in Path(folder).rglob("*") if f.is_file())
            for number, chance in enumerate(trials(asked.budget, asked.seed)):
                run = Run(Path(folder) / f"cut-{number}")
                mount(folder, int(used * chance.uniform(1.3, 2.2)), "remount")
                command = [*TRAIN, *store, "--run", run.name]
                done = subprocess.run(command, capture_output=True, text=True)
                mount(folder, ROOM, "remount")
                if "Traceback" in done.stderr:
                    faults.append(f"{run.name}: {done.stderr[-300:]}")
                counts["finished" if done.returncode == 0 else "refused"] += 1
                if run.path.exists():
                    faults += torn(run.path)
                    if done.returncode and run.layout.last_place.exists():
                        resume = [*TRAIN[:4], "--resume", run.name, *store]
                        again = subprocess.run(resume, capture_output=True, text=True)
                        if again.returncode or outcome(run) != expected:
                            faults.append(f"{run.name}: another end {again.stderr[-200:]}")
                        counts["resumed"] += 1
                    subprocess.run(["rm", "-rf", str(run.path)], check=True)
        finally:
            subprocess.run(["umount", folder], check=True)
    report("full disk", counts, faults)


if __name__ == "__main__":
    main()
