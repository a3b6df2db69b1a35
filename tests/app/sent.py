"""What a page sends to the browser, for the tests to read."""

from __future__ import annotations

import base64
import json
from typing import Any

import numpy as np
from streamlit.testing.v1 import AppTest


def figures(app: AppTest) -> list[dict[str, Any]]:
    """The figures of ``st.plotly_chart`` in their order."""
    return [json.loads(chart.proto.spec) for chart in app.get("plotly_chart")]


def numbers(value: Any) -> np.ndarray:
    """An array as plotly writes it: a list, or typed base64."""
    if isinstance(value, dict):
        return np.frombuffer(base64.b64decode(value["bdata"]), dtype=value["dtype"])
    return np.asarray(value, dtype=float)
