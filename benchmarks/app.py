"""How long does a visitor wait: from the first address to the first picture, and from page to page?

    python benchmarks/app.py [--visits 2] [--json PATH]

Starts the app on the bundled runs with a cache of its own and drives Chromium (``REDND_CHROMIUM`` or the
one on the PATH), which draws in software: a laptop with a GPU is faster. ``picture s`` end when the
page's first picture is painted, ``all drawn s`` with its last long task; ``kB`` is what came over the
websocket, ``server cpu s`` the server's processor time, both until nothing moves any more. A first
visit computes what later ones find in the cache.
"""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psutil
from common import report
from page_clock import HOME, PAGES, PICTURE, change
from reliability.app_server import app_server

ARGUMENTS = ["--no-sandbox", "--disable-background-networking", "--enable-unsafe-swiftshader"]
WARM_SECONDS = 15  # a visitor reads the first page while the server prepares the others


@contextmanager
def server() -> Iterator[tuple[str, psutil.Process]]:
    """The app's address and process."""
    with tempfile.TemporaryDirectory() as home:
        environment = os.environ | {"REDND_RUNS": f"{home}/runs", "REDND_CACHE": f"{home}/cache"}
        with app_server(environment) as (process, port):
            yield f"http://127.0.0.1:{port}", process


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

    def start(self, address: str) -> dict[str, object]:
        began = time.perf_counter()
        with self._costs() as row:
            self.page.goto(address)
            self.page.wait_for_selector(f"{HOME} {PICTURE}")
            row["picture s"] = round(time.perf_counter() - began, 2)
            self.page.wait_for_selector('[data-testid="stStatusWidget"]', state="detached")
            row["all drawn s"] = None
        return row

    def follow(self, title: str) -> dict[str, object]:
        with self._costs() as row:
            painted, drawn = change(self.page, title)
            row |= {"picture s": round(painted, 2), "all drawn s": round(drawn, 2)}
        return row

    @contextmanager
    def _costs(self) -> Iterator[dict[str, object]]:
        """A row that gets what the block cost the server."""
        row: dict[str, object] = {}
        cpu, received = self._cpu(), self.received
        yield row
        row["kB"] = round((self.received - received) / 1000)
        row["server cpu s"] = round(self._cpu() - cpu, 2)


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
        rows.append({"step": "first start", "visit": 1, **visitor.start(address)})
        page.wait_for_timeout(1000 * WARM_SECONDS)
        there_and_back = [step for title in PAGES for step in (title, "Home")]
        for number in range(1, visits + 1):
            rows += ({"step": s, "visit": number, **visitor.follow(s)} for s in there_and_back)
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
