"""Writes requirements.lock: every package that CI installs, with the version and the hash of its file.

``python3.11 .ci/lock.py`` asks pip which files it would take for requirements-dev.txt on this machine (Linux,
x86-64, CPython 3.11) and installs nothing. Call it after a pin has changed. Nothing outside of the standard
library is imported, so that a bare interpreter is enough.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

PROJECT_ROOT = Path(__file__).resolve().parent.parent
HEAD = """\
# Every package that CI installs, with the hash of its file for Linux, x86-64 and CPython 3.11.
# Written by `python3.11 .ci/lock.py`; do not edit it by hand.
# torch is the CPU build. Where pip does not find that build, it stands in the index of PyTorch:
#   pip config set global.find-links https://download.pytorch.org/whl/cpu/torch/
"""


def asked_for() -> str:
    """The lines of both requirements files that name a package; the project itself has no hash."""
    lines = [
        line
        for name in ("requirements.txt", "requirements-dev.txt")
        for line in (PROJECT_ROOT / name).read_text("utf-8").splitlines()
        if not line.startswith("-")
    ]
    return "\n".join(lines)


def report() -> Any:
    """What pip would install into an empty environment: its own report of a dry run."""
    with tempfile.TemporaryDirectory() as folder:
        wanted, answer = Path(folder) / "requirements.txt", Path(folder) / "report.json"
        wanted.write_text(asked_for(), encoding="utf-8")
        options = ["--dry-run", "--ignore-installed", "--report", str(answer)]
        command = [sys.executable, "-m", "pip", "install", *options, "-r", str(wanted)]
        subprocess.run(command, check=True)  # noqa: S603 (our own interpreter)
        return json.loads(answer.read_text("utf-8"))


def lock_of(found: Any) -> str:
    """The text of the lock: a line a package, sorted by the name that indexes use for it."""
    lines = []
    for package in found["install"]:
        about, file = package["metadata"], package["download_info"]
        name = re.sub(r"[-_.]+", "-", about["name"]).lower()
        sha256 = file["archive_info"]["hashes"]["sha256"]
        lines.append(f"{name}=={about['version']} --hash=sha256:{sha256}")
    return HEAD + "\n".join(sorted(lines)) + "\n"


if __name__ == "__main__":
    (PROJECT_ROOT / "requirements.lock").write_text(lock_of(report()), encoding="utf-8")
