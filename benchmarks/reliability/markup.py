"""Markup in ids, titles, categories, column names and run names, on every page in a real browser.

    python benchmarks/reliability/markup.py

A data set has each of the payloads below as the id of a user and of an item, as a title, as a category and as
the name of a column. Two models are trained on it, and every page that shows a run or a data set is opened. A
fault is a script that ran, a request to another host, or an element of the page that a payload made.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
from app_server import app_server
from campaign import report
from playwright.sync_api import Page, sync_playwright

HOST = "payload.example"
PAYLOADS = (
    "<script>window.ran=1</script>",
    "<img src=x onerror=window.ran=1>",
    f"<img src=https://{HOST}/a.png>",
    "<svg onload=window.ran=1>",
    "<svg><script>window.ran=1</script></svg>",
    f"<iframe src=https://{HOST}></iframe>",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe>",
    f"<a href=https://{HOST}>link</a>",
    "<a href='javascript:window.ran=1'>link</a>",
    "<body onload=window.ran=1>",
    "<details open ontoggle=window.ran=1>",
    "<video><source onerror=window.ran=1></video>",
    f"<link rel=stylesheet href=https://{HOST}/a.css>",
    f"<style>@import 'https://{HOST}/b.css'</style>",
    f"<object data=https://{HOST}/c></object>",
    f"<form action=https://{HOST}><button>go</button></form>",
    f"![picture](https://{HOST}/d.png)",
    f"[link](https://{HOST})",
    "[link](javascript:window.ran=1)",
    f"<https://{HOST}/auto>",
    f"https://{HOST}/bare",
    f"[named]: https://{HOST}",
    "'\"><script>window.ran=1</script>",
    "</textarea><script>window.ran=1</script>",
    "</script><script>window.ran=1</script>",
    "{{constructor.constructor('window.ran=1')()}}",
    "${window.ran=1}",
    "$$\\href{javascript:window.ran=1}{x}$$",
    "&lt;img src=x onerror=window.ran=1&gt;",
)
N_USERS, N_ITEMS, PER_USER = 3 * len(PAYLOADS), 2 * len(PAYLOADS), 12
RUNS = {"plain": "lightgcn", "aligned": "rednnd"}
TIMEOUT = 120_000  # ms

MADE = f"""() => [...document.querySelectorAll(
    '[href*="{HOST}"], [src*="{HOST}"], [data*="{HOST}"], [action*="{HOST}"], [href^="javascript:"], ' +
    '[onerror], [onload], [ontoggle], iframe[srcdoc*="ran=1"]'
)].map(element => element.outerHTML.slice(0, 120))"""
DRAWN = """() => !document.querySelector('[data-testid="stStatusWidget"]')
    && !document.querySelector('[data-testid="stSkeleton"]')"""

UNFOLD = "() => document.querySelectorAll('details:not([open]) > summary').forEach(s => s.click())"


def named(number: int) -> str:
    return f"{number} {PAYLOADS[number % len(PAYLOADS)]}"


def write_data(folder: Path) -> None:
    """A data set of two groups of users, with tables whose every cell and column is a payload."""
    rng = np.random.default_rng(0)
    rows = []
    for user in range(N_USERS):
        half = rng.permutation(np.arange(user % 2, N_ITEMS, 2))[:PER_USER]
        rows += [(named(user), named(int(item)), time) for time, item in enumerate(half)]
    pairs = pd.DataFrame(rows, columns=["user_id", "item_id", "timestamp"])
    pairs.to_csv(folder / "interactions.csv", index=False)
    for kind, size in (("user", N_USERS), ("item", N_ITEMS)):
        names = [named(number) for number in range(size)]
        table = pd.DataFrame({f"{kind}_id": names, "title": names, "category": names[::-1]})
        for number, payload in enumerate(PAYLOADS):
            table[payload] = [named((row + number) % 4) for row in range(size)]
        table.to_csv(folder / f"{kind}s.csv", index=False)
    np.save(folder / "image_feat.npy", rng.normal(size=(N_ITEMS, 8)).astype(np.float32))


def addresses(data: Path) -> Iterator[str]:
    """Pages and their tabs, with the payloads where a link may carry words."""
    user, item = (urllib.parse.quote(named(1)), urllib.parse.quote(named(2)))
    column = urllib.parse.quote(PAYLOADS[16])
    runs = "run=aligned&vs=plain"
    yield ""
    yield f"depth?{runs}"
    yield f"embeddings?{runs}"
    yield f"embeddings?{runs}&node=item:{item}"
    yield f"embeddings?{runs}&node=user:{user}&color={column}"
    yield f"smoothness?{runs}"
    yield f"recommendations?{runs}&user={user}"
    yield f"recommendations?{runs}&user={user}&why={item}"
    yield f"recommendations?{runs}&user={user}&tab=What+if"
    yield f"recommendations?{runs}&user={user}&tab=Two+runs"
    yield f"explain?{runs}"
    yield f"explain?{runs}&tab=Slices&by={column}"
    yield f"explain?{runs}&tab=Weak+slices"
    yield "learn?lesson=9"
    yield "training?job=aligned"
    yield f"data?data_path={urllib.parse.quote(str(data))}"
    yield f"embeddings?run={column}&slice={column}&user={column}"


def require_detectors(page: Page) -> None:
    """Make sure that a payload which does become markup would be found."""
    page.set_content("".join(PAYLOADS))
    page.wait_for_function("window.ran", timeout=TIMEOUT)
    assert page.evaluate(MADE), "no detector found the elements of the payloads"


def look(page: Page, address: str, faults: list[str]) -> bool:
    """Open an address, wait until it is drawn, open what is folded, and look for traces of a payload.

    Returns:
        Whether the page shows a payload as text, which most should.
    """
    page.goto(address)
    page.locator("h1, .lesson, [data-testid=stException]").first.wait_for(timeout=TIMEOUT)
    page.wait_for_timeout(1500)
    page.wait_for_function(DRAWN, timeout=TIMEOUT)
    page.evaluate(UNFOLD)
    page.wait_for_timeout(500)
    if page.evaluate("window.ran"):
        faults.append(f"{address}: a script ran")
    faults += [f"{address}: {made}" for made in page.evaluate(MADE)]
    return any(word in page.locator("body").inner_text() for word in (HOST, "window.ran"))


def main() -> None:
    counts: Counter[str] = Counter()
    faults: list[str] = []
    with tempfile.TemporaryDirectory() as home, sync_playwright() as playwright:
        data = Path(home) / "data"
        data.mkdir()
        write_data(data)
        environment = os.environ | {"REDND_RUNS": f"{home}/runs", "REDND_CACHE": f"{home}/cache"}
        train = [sys.executable, "-m", "rednd_core", "train", "--data", str(data)]
        for run, model in RUNS.items():
            settings = ["--run", run, "--model", model, "--set", "epochs=3", "--set", "device=cpu"]
            subprocess.run(
                [*train, *settings], check=True, env=environment, stdout=subprocess.DEVNULL
            )
        chromium = os.environ.get("REDND_CHROMIUM") or shutil.which("chromium")
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        require_detectors(browser.new_page())
        with app_server(environment) as (_, port):
            for address in addresses(data):
                page = browser.new_page()
                page.on(
                    "request",
                    lambda request, here=address: (
                        faults.append(f"{here}: a request to {request.url}")
                        if HOST in urllib.parse.urlsplit(request.url).netloc
                        else None
                    ),
                )
                shown = look(page, f"http://127.0.0.1:{port}/{address}", faults)
                page.close()
                counts["pages"] += 1
                counts["pages with a payload in their text"] += shown
        browser.close()
    counts["payloads"] = len(PAYLOADS)
    report("markup", counts, faults)


if __name__ == "__main__":
    main()
