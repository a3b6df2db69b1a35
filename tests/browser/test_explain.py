"""The page Explain in a real browser: a class of failing users, their map, slices and weak slices."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pandas as pd

RUNS = "run=shop-rednnd-a0.1&vs=shop-lightgcn"


def test_from_a_class_to_its_users(open_page: Callable[..., Any]) -> None:
    page = open_page(f"/explain?{RUNS}")
    page.get_by_text(re.compile(r"of 995 users with held-out test items fail")).wait_for()
    page.locator(".live-charts .main-svg").first.wait_for()
    page.get_by_role("radio", name="near miss").click()
    page.get_by_role("heading", name=re.compile("^Near miss: ")).wait_for()
    page.wait_for_url(re.compile("verdict=near"))
    with page.expect_download() as download:
        page.get_by_role("button", name=re.compile(r"users \(CSV\)$")).click()
    table = pd.read_csv(download.value.path(), dtype={"user": str})
    assert table["best rank"].between(21, 40).all()

    page.get_by_role("button", name="These users on the map").click()
    page.get_by_role("heading", name="Embeddings").wait_for()


def test_a_link_to_misleading_pictures(open_page: Callable[..., Any]) -> None:
    page = open_page(f"/explain?{RUNS}&verdict=modality+misleads", width=390, height=844)
    page.get_by_text(re.compile("recommendations are there because the features image")).wait_for()
    page.locator(".st-key-misleading-image img").first.wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_slices_of_one_s_own_and_weak_slices(open_page: Callable[..., Any]) -> None:
    page = open_page(f"/explain?{RUNS}&part=Slices&slices=segment")
    page.locator(".live-charts .main-svg").first.get_by_text("Outdoors").first.wait_for()
    page.get_by_role("tab", name="Weak slices").click()
    page.get_by_text(re.compile("slices of at least 30 users were looked at")).first.wait_for()
    page.get_by_role("tab", name="Beyond accuracy").click()
    page.get_by_text(re.compile("share of all items that stand in at least one list")).wait_for()
