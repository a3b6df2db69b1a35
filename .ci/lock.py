"""Writes requirements.lock: every package that CI installs, with the version and the hash of its file.

Call ``python3.11 .ci/lock.py`` after a pin was added or changed, on Linux, x86-64. It asks pip which files
pip would take, and installs nothing. Only the pins that the lock lacks are asked for, with what these pins
need. Remove requirements.lock first where a pin was taken away: then all is asked for.
Nothing outside of the standard library is imported, so that a bare interpreter is enough.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT_ROOT = Path(__file__).resolve().parent.parent
LOCK = PROJECT_ROOT / "requirements.lock"
HEAD = """\
# Every package that CI installs, with the hash of its file for Linux, x86-64 and CPython 3.11.
# Written by `python3.11 .ci/lock.py`; do not edit it by hand.
# torch is the CPU build. Where pip does not find that build, it stands in the index of PyTorch:
#   pip config set global.find-links https://download.pytorch.org/whl/cpu/torch/
"""


def canonical(name: str) -> str:
    """The spelling that indexes use."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages(file: Path) -> dict[str, str]:
    """The lines of a file that name a package, by that name; the project itself has no hash."""
    lines = file.read_text("utf-8").splitlines() if file.exists() else []
    found = (line.partition(" #")[0].strip() for line in lines if line[:1] not in ("#", "-", ""))
    return {canonical(line.partition("==")[0]): line for line in found}


def version(line: str) -> str:
    """Of a pin or of a line of the lock; a build such as ``+cpu`` is of the same version."""
    return re.split(r"[+; ]", line.partition("==")[2])[0]


def taken_by_pip(wanted: list[str], others: list[str]) -> dict[str, str]:
    """The lines of the lock for ``wanted`` and their needs, with ``others`` as they are: pip's dry run."""
    with tempfile.TemporaryDirectory() as folder:
        pins, limits, answer = (Path(folder) / name for name in ("pins", "limits", "report"))
        pins.write_text("\n".join(wanted), encoding="utf-8")
        limits.write_text("\n".join(line.partition(" ")[0] for line in others), encoding="utf-8")
        options = ["--dry-run", "--ignore-installed", "-r", str(pins), "-c", str(limits)]
        command = [sys.executable, "-m", "pip", "install", *options, "--report", str(answer)]
        subprocess.run(command, check=True)  # noqa: S603 (our own interpreter)
        report = json.loads(answer.read_text("utf-8"))
    lines = {}
    for package in report["install"]:
        about, hashes = package["metadata"], package["download_info"]["archive_info"]["hashes"]
        name = canonical(about["name"])
        lines[name] = f"{name}=={about['version']} --hash=sha256:{hashes['sha256']}"
    return lines


def main() -> None:
    pins = packages(PROJECT_ROOT / "requirements.txt")
    pins |= packages(PROJECT_ROOT / "requirements-dev.txt")
    lock = packages(LOCK)
    missing = [n for n, pin in pins.items() if n not in lock or version(lock[n]) != version(pin)]
    if missing:
        kept = [line for name, line in lock.items() if name not in missing]
        lock |= taken_by_pip([pins[name] for name in missing], kept)
    LOCK.write_text(HEAD + "".join(f"{lock[name]}\n" for name in sorted(lock)), encoding="utf-8")


if __name__ == "__main__":
    main()
