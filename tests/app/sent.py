"""What a page sends to the browser, for the tests to read."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest


def charts(app: AppTest) -> list[dict[str, Any]]:
    """What is sent of every chart, in their order; the ``figure`` as the browser gets it together."""
    contents = [json.loads(component.proto.json) for component in app.get("bidi_component")]
    sent = [chart for each in contents for chart in each["charts"] or ()]
    return [chart | {"figure": unpacked(chart["figure"])} for chart in sent]


def figures(app: AppTest) -> list[dict[str, Any]]:
    """The figures of the charts."""
    return [chart["figure"] for chart in charts(app)]


def unpacked(text: str) -> dict[str, Any]:
    """A figure with what its traces share."""
    figure = json.loads(text)
    for trace in figure["data"]:
        for name, value in trace.items():
            if isinstance(value, dict) and "shared" in value:
                trace[name] = figure["shared"][value["shared"]]
    return figure


def numbers(value: Any) -> np.ndarray:
    """An array as plotly writes it: a list, or typed base64."""
    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
    return np.asarray(value, dtype=float)
