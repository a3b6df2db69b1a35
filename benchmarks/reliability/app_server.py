"""The app on a free port, for benchmarks and campaigns that visit it."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import psutil

from rednd_core.config import PROJECT_ROOT

START_SECONDS = 120.0


@contextmanager
def app_server(environment: Mapping[str, str]) -> Iterator[tuple[psutil.Popen, int]]:
    """The process of the app and its port, from its first answer on; ended afterwards.

    Raises:
        OSError: it does not answer within :data:`START_SECONDS`.
    """
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    process = psutil.Popen(
        [sys.executable, "-m", "streamlit", "run", "app/Home.py", "--server.port", str(port)],
        cwd=PROJECT_ROOT,
        env=dict(environment),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        _wait_until_up(port)
        yield process, port
    finally:
        process.terminate()
        process.wait(30)


def _wait_until_up(port: int) -> None:
    deadline = time.monotonic() + START_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/_stcore/health", timeout=2).close()
            return
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)
