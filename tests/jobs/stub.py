"""Stands in for training: waits for its slot, then runs until told to stop or until ``go`` appears."""

from __future__ import annotations

import sys
import time
from pathlib import Path

from rednd_core.jobs import StoppedWhileQueued, slot
from rednd_core.runs import RunWriter

run_dir = Path(sys.argv[-1])
writer = RunWriter(run_dir)
if writer.record.config.model == "broken":
    raise ImportError("no module named brain")
print("stub ready")
try:
    with slot(writer):
        writer.append_event("started")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if any(command.command == "stop" for command in writer.control.poll()):
                writer.status("stopped")
                break
            if (run_dir / "go").exists():
                writer.status("finished", epoch=1)
                break
            writer.heartbeat()
            time.sleep(0.02)
except StoppedWhileQueued:
    sys.exit(0)
