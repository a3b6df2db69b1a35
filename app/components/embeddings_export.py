"""The vectors of the view as a file: all nodes, with original ids."""

from __future__ import annotations

import io

import numpy as np
import pandas as pd
import streamlit as st

from app.components.embeddings_view import View


def export_panel(view: View) -> None:
    """Download buttons; a file is built when its button is pressed."""
    st.subheader("Take the vectors with you", anchor=False)
    arrays = view.arrays()
    n_rows, d = len(view.names) * len(arrays), arrays[0].shape[1]
    st.caption(
        f"{', '.join(view.layer_names)} of modality {view.modality}: {n_rows:,} rows (all "
        f"{len(view.names):,} nodes × {len(arrays)} layers), {d} values each; columns type, id (as in "
        "your data), layer, e0 …"
    )
    name = f"{view.run.name}-{view.modality}-{view.view}s"
    left, right = st.columns(2)
    left.download_button(
        "Parquet",
        lambda: to_parquet(embedding_table(view)),
        file_name=f"{name}.parquet",
        mime="application/vnd.apache.parquet",
        key="export-parquet",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )
    right.download_button(
        "CSV",
        lambda: embedding_table(view).to_csv(index=False).encode("utf-8"),
        file_name=f"{name}.csv",
        mime="text/csv",
        key="export-csv",
        on_click="ignore",
        icon=":material/download:",
        width="stretch",
    )


def embedding_table(view: View) -> pd.DataFrame:
    """type, id, layer, e0 .. e(d-1) float32; all nodes of every chosen layer, users first."""
    nodes = np.arange(len(view.names))
    parts = []
    for layer, array in zip(view.layers, view.arrays(), strict=True):
        values = pd.DataFrame(np.asarray(array), columns=[f"e{j}" for j in range(array.shape[1])])
        values.insert(0, "layer", layer)
        values.insert(0, "id", view.names.ids)
        values.insert(0, "type", view.names.kinds(nodes))
        parts.append(values)
    return pd.concat(parts, ignore_index=True)


def to_parquet(table: pd.DataFrame) -> bytes:
    stream = io.BytesIO()
    table.to_parquet(stream, index=False)
    return stream.getvalue()
