"""A real server and a real Chromium. Without Chromium the tests are skipped, saying so.

With ``REDND_REQUIRE_BROWSER=1`` (as CI sets it) a missing Chromium is a failure instead.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = (
    os.environ.get("REDND_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
)
START_SECONDS = 180


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def chromium() -> str:
    if CHROMIUM:
        return CHROMIUM
    if os.environ.get("REDND_REQUIRE_BROWSER"):
        pytest.fail("REDND_REQUIRE_BROWSER is set, but there is no chromium on the PATH")
    pytest.skip("no chromium on the PATH; install it or set REDND_CHROMIUM")


@pytest.fixture(scope="module")
def app_home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the app keeps its runs (``runs``) and its cache (``cache``)."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="module")
def app_url(app_home: Path) -> Iterator[str]:
    """The app on a free port, with a folder of runs and a cache of its own."""
    home = app_home
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    environment = os.environ | {
        "REDND_RUNS": str(home / "runs"),
        "REDND_CACHE": str(home / "cache"),
    }
    command = [sys.executable, "-m", "streamlit", "run", "app/Home.py", "--server.port", str(port)]
    with (home / "server.log").open("wb") as log:
        server = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=log, stderr=log)
    try:
        _wait_until_up(f"http://127.0.0.1:{port}/_stcore/health", server, home / "server.log")
        yield f"http://127.0.0.1:{port}"
    finally:
        server.terminate()
        server.wait(timeout=20)


def _wait_until_up(url: str, server: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            with urllib.request.urlopen(url, timeout=2):
                return
        except OSError:
            time.sleep(0.1)
    pytest.fail(f"the app did not start:\n{log.read_text()}")


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[object]:
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        opened = playwright.chromium.launch(
            executable_path=chromium,
            args=[
                "--no-sandbox",
                "--disable-quic",
                "--disable-background-networking",
                "--use-gl=swiftshader",
                "--enable-unsafe-swiftshader",
            ],
        )
        yield opened
        opened.close()


@pytest.fixture
def open_page(browser: object, app_url: str) -> Iterator[Callable[..., object]]:
    """``open_page(path="/", width=1440, height=900, dark=False)`` -> a Playwright page.

    The test fails if Streamlit showed an exception.
    """
    contexts = []

    def opener(
        path: str = "/", *, width: int = 1440, height: int = 900, dark: bool = False
    ) -> object:
        context = browser.new_context(  # type: ignore[attr-defined]
            viewport={"width": width, "height": height},
            color_scheme="dark" if dark else "light",
            accept_downloads=True,
        )
        context.set_default_timeout(120_000)
        contexts.append(context)
        page = context.new_page()
        page.goto(app_url + path)
        return page

    yield opener
    try:
        for context in contexts:
            for page in context.pages:
                assert page.locator('[data-testid="stException"]').count() == 0
    finally:
        for context in contexts:
            context.close()
