"""Files of one's own in a real browser: a data set on the page Data, vectors of another program as a run."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np


def test_an_uploaded_data_set_is_recognised_and_offered_for_training(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    pairs = [(user, item) for user in range(6) for item in range(8) if (user + item) % 3]
    ratings = "".join(
        f"{u + 1}::{10 * i}::{1 + (u + i) % 5}::{978300760 + u + i}\n" for u, i in pairs
    )
    movies = "".join(f"{10 * i}::Film {i} (1995)::Action|War\n" for i in range(8))
    (tmp_path / "ratings.dat").write_text(ratings)
    (tmp_path / "movies.dat").write_text(movies)
    page = open_page("/data")
    page.get_by_role("radio", name="Upload").click()
    page.locator("input[type=file]").set_input_files(
        [tmp_path / "ratings.dat", tmp_path / "movies.dat"]
    )
    page.get_by_text("Read as MovieLens: ratings.dat").wait_for()
    page.get_by_text("Table of items: movies.dat").wait_for()
    page.get_by_text("The first 5 rows, as they were understood").click()
    page.get_by_test_id("stDataFrame").first.wait_for()
    page.get_by_role("button", name="Use this folder for training").click()
    page.get_by_role("heading", name="Training", level=1).wait_for()


def test_uploaded_vectors_become_a_run_with_maps(
    open_page: Callable[..., Any], tmp_path: Path
) -> None:
    rng = np.random.default_rng(0)
    for name, n in (("users", 30), ("items", 40)):
        np.save(tmp_path / f"{name}.npy", rng.normal(size=(n, 8)).astype(np.float32))
    page = open_page("/training")
    page.get_by_text("Manage runs: delete, export, import").click()
    page.get_by_role("heading", name="From elsewhere").wait_for()
    page.locator("input[type=file]").last.set_input_files(
        [tmp_path / "users.npy", tmp_path / "items.npy"]
    )
    page.get_by_role("button", name="Import", exact=True).click()
    said = page.get_by_text("Imported ").first
    said.wait_for()
    run = said.inner_text().removeprefix("Imported ").rstrip(".")
    page.goto(page.url.partition("/training")[0] + f"/embeddings?run={run}")
    page.locator(".js-plotly-plot").first.wait_for()
