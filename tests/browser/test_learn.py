"""Lessons in a browser: walked by keys alone, in the type of a hall, one picture a screen."""

from __future__ import annotations

import subprocess
import sys

import pytest
from playwright.sync_api import expect

from rednd_core.lessons.catalogue import CONTENTS, NUMBERS

SMALLEST = """article => Math.min(...[...article.querySelectorAll('*')]
  .filter(e => [...e.childNodes].some(n => n.nodeType === 3 && n.textContent.trim()) && e.checkVisibility())
  .map(e => parseFloat(getComputedStyle(e).fontSize)))"""
OVERFLOW = "article => article.scrollWidth - article.clientWidth"


def opened(page) -> None:
    page.locator("article.lesson h2").first.wait_for()


def test_all_lessons_are_walked_with_the_keyboard_alone(open_page) -> None:
    page = open_page("/learn?lesson=1&present=1", width=1280, height=720)
    opened(page)
    for number in NUMBERS:
        expect(page.locator(".lesson-head")).to_contain_text(f"Lesson {number}:")
        article = page.locator("article.lesson")
        for step in range(1, 5):
            expect(page.locator(".lesson-count")).to_contain_text(f"Step {step} of")
            if page.locator(".lesson-next").inner_text() == "Show the answer":
                page.keyboard.press("2")
                expect(page.locator(".lesson-answer.right")).to_have_count(1)
            assert page.locator(".lesson-claims li").count() > 0
            assert page.locator(".lesson-claims .failed").count() == 0
            assert page.locator("figure.lesson-picture").count() == 1
            assert article.evaluate(SMALLEST) >= 24
            assert article.evaluate(OVERFLOW) <= 0
            last = page.locator(".lesson-next").inner_text() != "Next →"
            if last:
                break
            page.keyboard.press("ArrowRight")
        assert last
        if number < NUMBERS[-1]:
            page.keyboard.press("ArrowRight")
    expect(page.locator(".lesson-next")).to_be_disabled()
    page.keyboard.press("Escape")
    expect(page.locator("article.presenting")).to_have_count(0)
    page.wait_for_url(lambda url: "present" not in url and "lesson=10" in url)


def test_the_address_leads_back_to_the_step(open_page) -> None:
    page = open_page("/learn")
    page.get_by_role("button", name="3. MAD falls").click()
    opened(page)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    page.wait_for_url("**step=zigzag**")
    again = open_page(page.url[page.url.index("/learn") :])
    expect(again.locator("article.lesson h2")).to_have_text("Why the line zigzags")


def test_a_prediction_comes_before_the_picture(open_page) -> None:
    page = open_page("/learn?lesson=4")
    opened(page)
    assert page.locator(".lesson-claims").count() == 0
    before = page.locator(".lesson-legend").inner_text()
    assert "Recall" not in before
    page.get_by_role("button", name="1. Layer 0").click()
    expect(page.locator(".lesson-answer.wrong")).to_have_count(1)
    assert "Recall@20" in page.locator(".lesson-legend").inner_text()


def test_the_sum_of_a_node_lights_up_term_by_term_from_the_keyboard(open_page) -> None:
    page = open_page("/learn?lesson=1")
    opened(page)
    page.locator(".hand-next").focus()
    for lit in (1, 2, 3):
        page.keyboard.press("Enter")
        expect(page.locator(".hand-term.lit")).to_have_count(lit)
    expect(page.locator(".hand-term.sum")).to_contain_text("(0.71, 0.71)")
    assert page.locator(".hand-matrix td.lit").count() == 2
    assert page.locator(".hand .edge.lit").count() == 2
    page.locator(".hand .node").first.focus()
    page.keyboard.press("Enter")
    expect(page.locator(".hand-term.sum")).to_contain_text("x of Ada, layer 1")
    expect(page.locator(".hand-matrix tr.chosen")).to_contain_text("Ada")


def test_a_term_is_explained_where_it_stands(open_page) -> None:
    page = open_page("/learn?lesson=1")
    opened(page)
    page.get_by_role("button", name="propagation").hover()
    tip = page.get_by_role("tooltip")
    expect(tip).to_contain_text("weighted sum of its neighbours' vectors")
    page.mouse.move(0, 0)
    expect(tip).to_be_hidden()
    page.get_by_role("button", name="degree", exact=True).focus()
    expect(tip).to_contain_text("number of train interactions")


@pytest.mark.parametrize("number", [1, 2, 6, 9, 10])
def test_a_phone_shows_a_lesson_within_its_width(open_page, number: int) -> None:
    page = open_page(f"/learn?lesson={number}", width=390, height=844)
    opened(page)
    if page.locator(".lesson-next").inner_text() == "Show the answer":
        page.locator(".lesson-next").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    box = page.locator("article.lesson").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= 390
    assert page.locator("article.lesson").evaluate(OVERFLOW) <= 0


def test_the_contents_name_all_lessons(open_page) -> None:
    page = open_page("/learn")
    for entry in CONTENTS:
        expect(page.get_by_text(entry.title, exact=False).first).to_be_visible()


def test_a_published_lesson_works_on_a_phone_without_a_network(browser, tmp_path) -> None:
    out = tmp_path / "lesson.html"
    command = [sys.executable, "-m", "rednd_core", "publish", "--no-umap", "--out", str(out)]
    command += ["--lesson", "1", "--lesson", "3", "--run", "shop-lightgcn"]
    subprocess.run(command, check=True, timeout=300, capture_output=True)
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    try:
        context.set_offline(True)
        page = context.new_page()
        problems: list[str] = []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on("request", lambda request: problems.append(request.url))
        page.goto(out.as_uri())
        problems.remove(out.as_uri())
        page.locator(".hand-next").tap()
        assert page.locator(".hand-term.lit").count() == 1
        page.get_by_role("button", name="3. MAD falls").tap()
        page.locator(".lesson-answer").first.tap()
        assert page.locator(".lesson-claims li").count() > 0
        assert page.locator(".lesson-body svg").count() == 1
        page.locator(".lesson-next").tap()
        assert page.url.endswith("#lesson=3&step=zigzag")
        assert page.locator(".map-canvas").count() == 2
        assert page.evaluate("document.documentElement.scrollWidth") <= 390
        assert not problems
    finally:
        context.close()


def test_a_handout_prints_all_steps_with_their_answers(open_page, browser, tmp_path) -> None:
    page = open_page("/learn?lesson=3")
    opened(page)
    with page.expect_download() as download:
        page.get_by_role("button", name="Handout").click()
    out = tmp_path / "handout.html"
    download.value.save_as(out)
    context = browser.new_context()
    try:
        sheet = context.new_page()
        sheet.goto(out.as_uri())
        sheet.evaluate("dispatchEvent(new Event('beforeprint'))")
        sheet.emulate_media(media="print")
        assert sheet.locator(".lesson-printed").count() == 3
        assert sheet.locator(".lesson-printed .lesson-answer.right").count() == 3
        assert sheet.locator(".lesson-printed svg").count() == 3
        expect(sheet.locator(".lesson-printed").last).to_be_visible()
        expect(sheet.locator("article.lesson")).to_be_hidden()
        sheet.pdf(path=str(tmp_path / "handout.pdf"))
        assert (tmp_path / "handout.pdf").read_bytes().startswith(b"%PDF")
    finally:
        context.close()
