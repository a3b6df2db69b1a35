"""How long does a visitor wait: from the first address to the first picture, and from page to page?

    python benchmarks/app.py [--visits 2] [--json PATH]

Starts the app on the bundled runs with a cache of its own and drives Chromium (``REDND_CHROMIUM`` or the
one on the PATH), which draws in software: a laptop with a GPU is faster. ``seconds`` end when the page's
main picture is there; ``kB`` is what came over the websocket, ``server cpu s`` the server's processor
time, both until nothing moves any more. A first visit computes what later ones find in the cache.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
from common import report

ROOT = Path(__file__).resolve().parent.parent
PICTURE = ".js-plotly-plot .main-svg"
HOME = ".st-key-home-pca"
PAGES = {  # the first picture of each
    "Embeddings": ".st-key-map-pca",
    "Smoothness": ".st-key-smoothness-main",
    "Recommendations": ".st-key-recommendations-standing",
    "Live training": "[data-chart=losses]",
    "Data": ".st-key-data-degrees",
}
ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--enable-unsafe-swiftshader"]
WARM_SECONDS = 15  # a visitor reads the first page while the server prepares the others


@contextmanager
def server() -> Iterator[tuple[str, psutil.Process]]:
    """The app's address and process."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"REDND_RUNS": f"{home}/runs", "REDND_CACHE": f"{home}/cache"}
        command = ["-m", "streamlit", "run", "app/Home.py", "--server.port", str(port)]
        process = psutil.Popen(
            [sys.executable, *command],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            address = f"http://127.0.0.1:{port}"
            while True:
                try:
                    urllib.request.urlopen(f"{address}/_stcore/health", timeout=2).close()
                    break
                except OSError:
                    time.sleep(0.05)
            yield address, process
        finally:
            process.terminate()
            process.wait()


class Visitor:
    """A browser tab, and what its steps cost."""

    def __init__(self, page: Any, process: psutil.Process) -> None:
        self.page, self.process, self.received = page, process, 0
        page.on("websocket", lambda socket: socket.on("framereceived", self._count))

    def _count(self, frame: str | bytes) -> None:
        self.received += len(frame)

    def _cpu(self) -> float:
        times = self.process.cpu_times()
        return float(times.user + times.system)

    def step(self, act: Any, place: str) -> dict[str, float]:
        cpu, received, began = self._cpu(), self.received, time.perf_counter()
        act()
        self.page.wait_for_selector(f"{place} {PICTURE}")
        seconds = time.perf_counter() - began
        self.page.wait_for_selector('[data-testid="stStatusWidget"]', state="detached")
        self.page.wait_for_timeout(1500)
        return {
            "seconds": round(seconds, 2),
            "kB": round((self.received - received) / 1000),
            "server cpu s": round(self._cpu() - cpu, 2),
        }

    def follow(self, title: str) -> None:
        menu = self.page.locator('[data-testid="stSidebarNav"]')
        menu.get_by_role("link", name=title).click()


def visit(visits: int) -> list[dict[str, object]]:
    """One row a step."""
    from playwright.sync_api import sync_playwright

    rows: list[dict[str, object]] = []
    chromium = os.environ.get("REDND_CHROMIUM") or shutil.which("chromium")
    with server() as (address, process), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(60_000)
        visitor = Visitor(page, process)
        first = visitor.step(lambda: page.goto(address), HOME)
        rows.append({"step": "first start to the first picture", "visit": 1, **first})
        page.wait_for_timeout(1000 * WARM_SECONDS)
        for number in range(1, visits + 1):
            for title, place in PAGES.items():
                there = visitor.step(lambda title=title: visitor.follow(title), place)
                rows.append({"step": title, "visit": number, **there})
                visitor.step(lambda: visitor.follow("Home"), HOME)
        browser.close()
    return rows


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--visits", type=int, default=2)
    parser.add_argument("--json")
    options = parser.parse_args()
    report(visit(options.visits), options.json)


if __name__ == "__main__":
    main()
