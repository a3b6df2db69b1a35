"""The app as a server of its own, started from a folder that is not the project's."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rednd_core.config import PROJECT_ROOT

HOME = PROJECT_ROOT / "app" / "Home.py"
START_SECONDS = 180


@dataclass(frozen=True)
class Answer:
    code: int
    headers: Mapping[str, str]
    body: str


def ask(url: str, *, method: str = "GET", body: bytes | None = None, **headers: str) -> Answer:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    request = urllib.request.Request(url, method=method, data=body, headers=named)
    try:
        with urllib.request.urlopen(request, timeout=30) as reply:
            return Answer(reply.status, dict(reply.headers), reply.read().decode())
    except urllib.error.HTTPError as error:
        return Answer(error.code, dict(error.headers), error.read().decode())


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment(folder: Path, **others: str) -> dict[str, str]:
    """Without what the tests' own machine sets, with caches and runs of the test's own."""
    kept = {k: v for k, v in os.environ.items() if not k.startswith(("STREAMLIT_", "REDND_"))}
    paths = {"PYTHONPATH": str(PROJECT_ROOT), "HOME": str(folder)}
    own = {"REDND_RUNS": str(folder / "runs"), "REDND_CACHE": str(folder / "cache")}
    return kept | paths | own | others


@contextmanager
def serving(folder: Path, *command: str, port: int, **others: str) -> Iterator[str]:
    """``command`` as a process in ``folder``, until it is healthy; its address."""
    log = folder / "server.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=folder,
            env=environment(folder, **others),
            stdout=output,
            stderr=subprocess.STDOUT,
        )
    address = f"http://127.0.0.1:{port}"
    try:
        deadline = time.monotonic() + START_SECONDS
        while True:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            try:
                if ask(f"{address}/_stcore/health").code == 200:
                    break
            except OSError:
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
