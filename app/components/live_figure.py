"""A Plotly figure that the browser updates in place.

``st.plotly_chart`` makes the data a part of the chart's identity, so a chart with one more epoch is a new
one: the browser builds it from nothing beside the old one, which flickers, forgets the reader's zoom
and takes several times as long as ``Plotly.react`` on the chart that is there. No argument turns that
off, so this sends the same message with an identity made of the key alone. It is the only place of
the app that uses an inner part of Streamlit; the tests say so if that changes.
"""

from __future__ import annotations

import json

import plotly.graph_objects as go
import streamlit as st
from streamlit.elements.lib.layout_utils import LayoutConfig
from streamlit.proto.PlotlyChart_pb2 import PlotlyChart

from app.components.downloads import figure_config


def live_figure(figure: go.Figure, *, key: str, alt: str, name: str) -> None:
    """Draw ``figure`` over the full width, or bring the one drawn under ``key`` up to date.

    Args:
        alt: what the figure shows, in a sentence; constant while it is live.
        name: file name of the picture that the camera button saves, without ending.
    """
    message = PlotlyChart(
        id=f"$$ID-live-{key}",  # the form of Streamlit's own: its end becomes the CSS class st-key-<key>
        spec=figure.to_json(validate=False),
        config=json.dumps(figure_config(name)),
        alt=alt,
    )
    place = LayoutConfig(width="stretch", height=figure.layout.height)
    st.container()._enqueue("plotly_chart", message, layout_config=place)
