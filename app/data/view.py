"""The page Data: whether a data set is fit for training, and what it looks like."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from app import cached, exposure, state
from app.charts.drawn import drawn
from app.data.items import show_items
from app.data.uploads import SUFFIXES, lifetime, save_upload, upload_root
from app.shared.data_paths import bundled, declared, path_field
from app.shared.downloads import show_figure
from app.shared.errors import explained
from app.shared.reading import reading
from app.shared.text import escape_markdown
from app.sitemap import go_to
from rednd_core.config import DataConfig
from rednd_core.data import DataReport, Dataset
from rednd_core.data.report import DegreeFigures, InteractionFigures
from rednd_core.data.tables import counted
from rednd_core.plots.data import degree_figure, lorenz_figure
from rednd_core.spreadsheets import without_formulas

DATASET = "dataset"  # the key of the chosen path, in the session and in the address
HERE, UPLOAD = "On this machine", "Upload"
BOX_WIDTH = (
    160  # pixels, at least: four boxes fill a row of a wide page, two boxes a row of a phone
)
FIGURES = "data-figures"
MOST_SAID = 5  # sentences above the first picture
GROWING = f".st-key-{FIGURES} > * {{ flex: 1 1 {BOX_WIDTH}px; }}"


@explained
def render() -> None:
    st.title("Data")
    st.caption(
        "What a recommender can learn is in its data: can training read it, and what is there?"
    )
    config = _choose()
    if config is None:
        return
    row = st.container(horizontal=True, vertical_alignment="center")
    with row:
        config = reading(config)
    report = cached.data_report(config)
    _verdict(report, config, row)
    data = cached.dataset(config) if report.ok else None
    if data is not None:
        _charts(data)
    if report.interactions is not None:
        _figures(report.interactions)
    _understood(report)
    _modalities(report)
    if data is not None:
        show_items(data)


def prepare() -> None:
    """Fill the caches of the data set that the page opens with."""
    first = next(iter(bundled()), None)
    if first is not None:
        cached.data_report(DataConfig(path=first))
        cached.dataset(DataConfig(path=first))


def _choose() -> DataConfig | None:
    """The data set to look at; without one, a hint on the page and None."""
    public = exposure.is_public()
    if public:
        left, right = st.columns(2)
    else:
        source, left, right = st.columns([5, 6, 6], vertical_alignment="bottom")
        with source:
            where = st.segmented_control(
                "Where is it?", (HERE, UPLOAD), default=HERE, required=True, **state.keep("where")
            )
        if where == UPLOAD:
            return _uploaded()
    known = _known()
    chosen = left.selectbox(
        "Data set",
        list(known),
        placeholder="choose one",
        help="Sample data, and the data sets of all runs.",
        **state.keep(DATASET),
    )
    if not public:
        with right:
            path_field(DATASET)
    if not chosen:
        st.info("Choose a data set, or type the path of a folder or file.")
        return None
    exposure.require_offered(chosen, known)
    return known.get(chosen, DataConfig(path=chosen))


def _known() -> dict[str, DataConfig]:
    """Path -> configuration: samples, the data sets of the runs, and a path that was typed or linked to."""
    known = {path: DataConfig(path=path) for path in (*bundled(), *declared())}
    for entry in cached.run_entries():
        if entry.record is not None and entry.record.has_interactions:
            known.setdefault(entry.record.config.data.path, entry.record.config.data)
    for path in (st.session_state.get(DATASET), st.query_params.get(DATASET)):
        if path and not exposure.is_public():
            known.setdefault(path, DataConfig(path=path))
    return known


def _uploaded() -> DataConfig | None:
    files = st.file_uploader(
        "The files of one data set, all at once",
        accept_multiple_files=True,
        help="Interactions in almost any layout (tables, lists, JSON, packed or not), and if you have them: "
        "features (<modality>_feat.npy, one row an item) and tables of items and users.",
        key="data.files",
    )
    if not files:
        st.info(
            f"Upload files that end in {', '.join(SUFFIXES)}: the interactions, and beside them "
            "features and tables of items and users if there are any. They stay on the machine that "
            "runs this app, in a temporary folder. "
            f"A file may have {st.get_option('server.maxUploadSize')} MB; "
            f"put larger ones on that machine and type their folder under **{HERE}**."
        )
        return None
    ids = tuple(file.file_id for file in files)
    saved = st.session_state.get("data.saved")
    if saved is None or saved[0] != ids:
        saved = ids, str(save_upload(files, upload_root()))
        st.session_state["data.saved"] = saved
    return DataConfig(path=saved[1])


def _verdict(report: DataReport, config: DataConfig, row: DeltaGenerator) -> None:
    """Whether training can read it, in ``row``; below that what it was read as, and what was handled."""
    for error in report.errors:
        st.error(escape_markdown(error), icon=":material/error:")
    if report.ok:
        with row:
            st.success("Training can read this data set.", icon=":material/check_circle:")
            if st.button("Use this folder for training", icon=":material/play_circle:"):
                st.session_state[state.DATA_PATH] = config.path
                go_to("training")
        lifetime(config.path)
    else:
        st.caption(
            "Training would stop at the first of these problems. Correct the files, or choose others."
        )
    said = [f"Read as {report.recognised}"] if report.recognised else []
    said += [notice.message for notice in report.notices]
    first, rest = said[:MOST_SAID], said[MOST_SAID:]
    if first:
        st.caption(_lines(first))
    if rest:
        with st.expander(f"{counted(len(rest), 'more notice')}: what was found and handled"):
            st.caption(_lines(rest))


def _lines(sentences: Sequence[str]) -> str:
    return "  \n".join(escape_markdown(sentence) for sentence in sentences)


def _understood(report: DataReport) -> None:
    """The first rows as they were read, and the files that were not read."""
    if report.preview:
        with st.expander(f"The first {len(report.preview)} rows, as they were understood"):
            st.dataframe(
                without_formulas(pd.DataFrame(report.preview)),
                hide_index=True,
                alt="Table of the first rows",
            )
    if report.left_out:
        st.caption(f"Left out: {escape_markdown(', '.join(report.left_out))}.")


def _figures(found: InteractionFigures) -> None:
    total = found.n_train + found.n_valid + found.n_test
    parts = f"{found.n_train:,} train · {found.n_valid:,} validation · {found.n_test:,} test pairs"
    possible = found.n_users * found.n_items
    st.html(f"<style>{GROWING}</style>")
    with st.container(horizontal=True, key=FIGURES):
        for label, value, explanation in (
            ("Users", f"{found.n_users:,}", _degrees(found.users)),
            ("Items", f"{found.n_items:,}", _degrees(found.items)),
            ("Interactions", f"{total:,}", parts),
            ("Density", f"{found.density:.3%}", f"of {possible:,} user-item pairs are known"),
        ):
            with st.container(border=True, width=BOX_WIDTH):
                st.metric(label, value)
                st.caption(explanation)


def _degrees(figures: DegreeFigures) -> str:
    alone = f"; {figures.n_isolated:,} with none" if figures.n_isolated else ""
    return f"{figures.min} to {figures.max:,} train pairs, median {figures.median:g}{alone}"


def _charts(data: Dataset) -> None:
    degrees, popularity = st.columns(2, gap="medium")
    with degrees:
        show_figure(
            drawn(degree_figure, data.user_degrees, data.item_degrees),
            key="data-degrees",
            name=f"degrees-{data.name}",
            alt=f"{data.name}: share of users and of items with at least k train interactions, log-log.",
        )
        st.caption(
            "The share of users, or items, that have k or more train interactions. A nearly "
            "straight line down is a heavy tail: a few nodes have very many interactions and most have few, "
            "and a graph layer mixes the vectors of these few into all others."
        )
    with popularity:
        show_figure(
            drawn(lorenz_figure, data.item_degrees),
            key="data-lorenz",
            name=f"popularity-{data.name}",
            alt=f"{data.name}: Lorenz curve, the share of the interactions that the most popular items have.",
        )
        st.caption(_popularity(data))


def _popularity(data: Dataset) -> str:
    ranked = np.sort(data.item_degrees)[::-1]
    top = max(1, len(ranked) // 10)
    share = ranked[:top].sum() / max(int(ranked.sum()), 1)
    return (
        f"The {top:,} most popular of {data.n_items:,} items (10%) have {share:.0%} of the "
        "train interactions. Gini: 0 if all items have the same number, 1 if one item has all of them."
    )


def _modalities(report: DataReport) -> None:
    st.header("Item features")
    if not report.features:
        st.caption(
            "There are none. Models that read features, such as RedNⁿD, need at least one modality."
        )
        return
    table = pd.DataFrame(
        {
            "modality": feature.modality,
            "rows": feature.rows,
            "dimensions": feature.dim,
            "type in the file": feature.dtype,
            "zero rows": feature.n_zero_rows,
            "mean norm": feature.mean_norm,
        }
        for feature in report.features
    )
    st.dataframe(
        table,
        hide_index=True,
        column_config={"mean norm": st.column_config.NumberColumn(format="%.3f")},
        alt="Table of the feature files",
    )
    st.caption(
        "A row for each item. A zero row says nothing about its item. Norms that differ much between "
        "modalities do not change an item graph of cosines, but they change a model's first layer."
    )
