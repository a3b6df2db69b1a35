"""A card for one item: picture, title and facts.

Pictures come from local files only. An item whose picture is a web address, is missing or cannot be
read has the same card with an empty frame, so that a page looks alike with and without internet.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Literal

import streamlit as st

from app import cached
from app.shared.text import escape_markdown
from rednd_core.data.items import image_path
from rednd_core.data.schema import Dataset

CARD_WIDTH = 300  # pixels: three cards beside each other on a laptop, one on a phone
PICTURE_WIDTH = 72
# Six cards in a row, the picture above the text; on a phone a list, the picture beside the text.
GRID = """<style>
.st-key-{key} {{ display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: .6rem; }}
.st-key-{key} > * {{ width: 100%; }}
.st-key-{key} [class*="st-key-{key}-"] {{ height: 100%; flex-direction: column; gap: .4rem; padding: .6rem; }}
.st-key-{key} [class*="st-key-{key}-"] > * {{ width: 100%; }}
.st-key-{key} p {{ font-size: .875rem; line-height: 1.3; margin: 0; }}
@media (max-width: 1000px) {{ .st-key-{key} {{ grid-template-columns: repeat(4, minmax(0, 1fr)); }} }}
@media (max-width: 640px) {{
  .st-key-{key} {{ grid-template-columns: minmax(0, 1fr); gap: .3rem; }}
  .st-key-{key} [class*="st-key-{key}-"] {{ flex-direction: row; padding: .4rem; }}
  .st-key-{key} [class*="st-key-{key}-"] > * {{ width: auto; }}
}}
</style>"""


def product_card(
    dataset: Dataset,
    item: int,
    *,
    key: str,
    lead: str = "",
    facts: Sequence[str] = (),
    badges: Sequence[str] = (),
    on_why: Callable[[int], None] | None = None,
    width: int | Literal["stretch"] = CARD_WIDTH,
) -> None:
    """Draw the card of a dense item id, in most cases inside a horizontal container that wraps.

    Args:
        key: unique on the page.
        lead: Markdown before the title, e.g. ``"3"`` for a rank.
        facts: plain texts below the title (escaped here), after the item's category and original id.
        badges: Markdown of badges, e.g. ``":green-badge[hit]"``.
        on_why: called with ``item`` when the button "Why?" is pressed; None draws no button.
        width: pixels, or the whole row.
    """
    title, item_id = title_of(dataset, item), str(dataset.item_ids[item])
    below = " · ".join(
        escape_markdown(fact)
        for fact in (
            *categories_of(dataset, [item]),
            "" if title == item_id else f"id {item_id}",  # Without a title, the id is the heading.
            *facts,
        )
        if fact
    )
    with st.container(border=True, width=width, horizontal=True, wrap=False, gap="small", key=key):
        st.image(picture_of(dataset, item), width=PICTURE_WIDTH, alt=title)
        with st.container(gap="xxsmall"):
            st.markdown(
                f"{f'**{lead}** · ' if lead else ''}{escape_markdown(title)}"
                + (f"  \n:small[{below}]" if below else "")
            )
            if badges or on_why is not None:
                with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                    if badges:
                        st.markdown(" ".join(badges), width="content")
                    if on_why is not None:
                        st.button(
                            "Why?", key=f"{key}-why", type="tertiary", on_click=on_why, args=(item,)
                        )


@contextmanager
def card_grid(key: str) -> Iterator[None]:
    """A place for cards whose keys begin with ``key`` and a dash: rows of six, on a phone a list."""
    with st.container(key=key):
        st.html(GRID.format(key=key))
        yield


def title_of(dataset: Dataset, item: int) -> str:
    """The title in the items table; the original id if there is none."""
    return str(dataset.items.at[item, "title"])


def categories_of(dataset: Dataset, items: Sequence[int]) -> list[str]:
    """The category of each item; ``""`` if the items table has none."""
    if "category" not in dataset.items:
        return [""] * len(items)
    return [str(category) for category in dataset.items["category"].iloc[list(items)]]


def picture_of(dataset: Dataset, item: int) -> str:
    """A small picture of the item as a data URI, or the empty frame."""
    path = image_path(dataset, item)
    if path is None or path.lower().startswith(("http://", "https://")):
        return _empty_frame()
    return cached.thumbnail(path) or _empty_frame()


@cache
def _empty_frame() -> str:
    """A grey square with a crossed-out picture frame, readable on light and on dark."""
    drawing = (
        "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 10 10' width='96' height='96'>"
        "<rect width='10' height='10' fill='#808080' fill-opacity='.18'/>"
        "<path d='M3 3H7V7H3Z M3 7 7 3' fill='none' stroke='#808080' stroke-width='.4'/></svg>"
    )
    return f"data:image/svg+xml;base64,{base64.b64encode(drawing.encode()).decode()}"
