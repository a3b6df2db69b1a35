"""The shown vectors as a file with original ids: all nodes, or the nodes of the map."""

from __future__ import annotations

import io
import math

import numpy as np
import pandas as pd
import streamlit as st
from numpy.typing import NDArray

from app.embeddings.controls import MapView
from rednd_core.spreadsheets import to_csv

MOST_VALUES = 1 << 24  # 64 MB as float32, about 200 MB as CSV


def export_panel(view: MapView) -> None:
    """Draw the download buttons; a file is built when its button is pressed."""
    st.header("Download the vectors", anchor=False)
    arrays, nodes = view.arrays(), exported_nodes(view)
    n_rows, d = len(nodes) * len(arrays), arrays[0].shape[1]
    complete = len(nodes) == len(view.names)
    which = f"all {len(nodes):,} nodes" if complete else f"the {view.n_of_total} on the map"
    st.caption(
        f"{', '.join(view.layer_names)} of modality {view.modality}: {n_rows:,} rows ({which} × "
        f"{len(arrays)} layers), {d} values each; columns type, id (as in your data), layer, e0 …"
    )
    if not complete:
        st.caption(
            "A file of all nodes would be too large for a browser. The run's folder has them as "
            "layers/*.npy, with a row for each node, users first."
        )
    name = f"{view.run.name}-{view.modality}-{view.view}s"
    left, right = st.columns(2)
    left.download_button(
        "Parquet",
        lambda: to_parquet(embedding_table(view, nodes)),
        file_name=f"{name}.parquet",
        mime="application/vnd.apache.parquet",
        key="export-parquet",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )
    right.download_button(
        "CSV",
        lambda: to_csv(embedding_table(view, nodes)).encode("utf-8"),
        file_name=f"{name}.csv",
        mime="text/csv",
        key="export-csv",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )


def exported_nodes(view: MapView) -> NDArray[np.int64]:
    """All nodes; if they make more than :data:`MOST_VALUES` values, the nodes on the map."""
    n_values = sum(math.prod(array.shape) for array in view.arrays())
    return np.arange(len(view.names)) if n_values <= MOST_VALUES else view.nodes


def embedding_table(view: MapView, nodes: NDArray[np.int64]) -> pd.DataFrame:
    """A row for each of ``nodes`` and each chosen layer: type, id, layer, e0 .. e(d-1) float32."""
    parts = []
    for layer, array in zip(view.layers, view.arrays(), strict=True):
        values = pd.DataFrame(
            np.asarray(array[nodes]), columns=[f"e{j}" for j in range(array.shape[1])]
        )
        values.insert(0, "layer", layer)
        values.insert(0, "id", view.names.ids[nodes])
        values.insert(0, "type", view.names.kinds(nodes))
        parts.append(values)
    return pd.concat(parts, ignore_index=True)


def to_parquet(table: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()
