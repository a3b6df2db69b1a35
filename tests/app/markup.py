"""Finds markup that a page would let a browser read, in what the page sends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

from google.protobuf.json_format import MessageToDict
from streamlit.testing.v1 import AppTest

from tests.app.sent import unpacked

PLAIN = {
    # Streamlit shows these as they stand.
    ("selectbox", "options"),
    ("selectbox", "rawValue"),
    ("multiselect", "options"),
    ("multiselect", "rawValues"),
    ("text_input", "value"),
    ("text_input", "placeholder"),
    ("code", "codeText"),
    ("text", "body"),
}
"""(kind of element, field) whose text is no Markdown."""
ATTRIBUTES = ("id", "alt")
"""Fields of any element that become attributes, which hold no markup."""
BINARY = ("arrow_data_frame", "bidi_component")
"""Tables are plain text; what a component gets is looked at by itself."""


def live_markup(app: AppTest, payload: str) -> list[str]:
    """Where ``payload``, which a file of the data set holds, would become markup: path and text."""
    found = []
    for kind, path, text in _texts(app):
        if payload in text:
            found.append(f"{kind}.{path}: {text[:300]}")
    found += [f"figure: {text[:300]}" for text in figure_texts(app) if _is_tag(text)]
    return found


def figure_texts(app: AppTest) -> list[str]:
    """Every text in the figures of the page that Plotly would read as HTML."""
    texts: list[str] = []
    for component in app.get("bidi_component"):
        for chart in json.loads(component.proto.json).get("charts") or ():
            texts += _strings(unpacked(chart["figure"]))
    return texts


def _texts(app: AppTest) -> Iterator[tuple[str, str, str]]:
    """(kind, path, text) of every text that Streamlit may read as Markdown or HTML."""
    for node in _nodes(app._tree):
        proto = getattr(node, "proto", None)
        kind = getattr(node, "type", "block")
        if proto is None or kind in BINARY:
            continue
        for path, text in _fields(MessageToDict(proto)):
            field = path.split(".")[-1].removesuffix("[]")
            if (kind, field) not in PLAIN and field not in ATTRIBUTES:
                yield kind, path, text


def _nodes(node: Any) -> Iterator[Any]:
    yield node
    for child in getattr(node, "children", {}).values():
        yield from _nodes(child)


def _fields(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    if isinstance(value, str):
        yield path, value
    elif isinstance(value, dict):
        for key, part in value.items():
            yield from _fields(part, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for part in value:
            yield from _fields(part, f"{path}[]")


def _strings(value: Any) -> list[str]:
    return [text for _, text in _fields(value)]


def _is_tag(text: str) -> bool:
    """Whether Plotly would make a link or run a script of ``text``."""
    return bool(re.search(r"<\s*(a|img|script|svg)\b", text, re.IGNORECASE)) or "%{evil" in text
