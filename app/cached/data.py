"""Data sets: the data, their report, their graph, and the names and pictures of users and items."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import pandas as pd
import streamlit as st

from rednd_core.config import NO_INTERACTIONS, DataConfig, resolve_data_path
from rednd_core.data.node_names import NodeNames
from rednd_core.data.schema import Dataset
from rednd_core.graph.bipartite import BipartiteGraph
from rednd_core.runs import Run

if TYPE_CHECKING:
    from rednd_core.data import DataReport

THUMBNAIL_PIXELS = 192  # twice the size on the page, for screens with small pixels
PICTURE_FORMATS = ("PNG", "JPEG", "WEBP", "GIF")  # no other decoder sees a file from elsewhere


@st.cache_resource(max_entries=4, show_spinner="Loading the data set …")
def _dataset(config_json: str, signature: str, digest: str | None) -> Dataset:
    from rednd_core.data import load_recorded

    return load_recorded(DataConfig.model_validate_json(config_json), digest)


def dataset(config: DataConfig) -> Dataset:
    """The data set of a configuration, read again when one of its files changes."""
    return _dataset(config.model_dump_json(), _signature(config), None)


def _signature(config: DataConfig) -> str:
    """Name, time and size of every file of a data set, as one text, because that is hashed quickly.

    Empty where its folder cannot be looked into, which reading the data then says.
    """
    if config.path == NO_INTERACTIONS:
        return ""
    place = resolve_data_path(config.path)
    try:
        with os.scandir(place if place.is_dir() else place.parent) as entries:
            files = sorted((file.name, file.stat()) for file in entries if file.is_file())
    except OSError:
        return ""
    return repr([(name, stat.st_mtime_ns, stat.st_size) for name, stat in files])


@st.cache_resource(max_entries=4, show_spinner=False)
def _nodes_alone(path: str, version: str | None, _run: Run) -> Dataset:
    from rednd_core.library import load_run_data

    return load_run_data(_run)


def run_dataset(run: Run) -> Dataset:
    """The data set that ``run`` was trained on; users and items without a pair where it has none.

    Raises:
        RunError: there is nothing at the recorded path any more, or a data set with other content.
    """
    record = run.record
    if not record.has_interactions:
        return _nodes_alone(str(run.path), run.layer_version, run)
    record.require_place()
    loaded = dataset(record.config.data)
    if record.data is not None and not record.data.fits(loaded.digest, loaded.pairs_digest):
        # Numbered as earlier runs were, or changed.
        config = record.config.data
        loaded = _dataset(config.model_dump_json(), _signature(config), record.data_digest)
    record.require_data(loaded.digest, loaded.pairs_digest)
    return loaded


@st.cache_resource(max_entries=4, show_spinner=False)
def _graph(digest: str, _dataset: Dataset) -> BipartiteGraph:
    from rednd_core.graph.bipartite import bipartite_graph

    return bipartite_graph(_dataset.train, _dataset.n_users, _dataset.n_items)


def graph(of: Dataset) -> BipartiteGraph:
    """The user-item graph of a data set's train interactions."""
    return _graph(of.digest, of)


@st.cache_data(max_entries=8, show_spinner="Checking the data …")
def _data_report(config_json: str, signature: str) -> DataReport:
    from rednd_core.data import check_configured

    return check_configured(DataConfig.model_validate_json(config_json))


def data_report(config: DataConfig) -> DataReport:
    """The contents and the problems of a data set, checked again when one of its files changes."""
    return _data_report(config.model_dump_json(), _signature(config))


@st.cache_resource(max_entries=4, show_spinner=False)
def _users(digest: str, stamp: tuple[str, int, int] | None, _dataset: Dataset) -> Any:
    from rednd_core.data.users import user_table

    return user_table(_dataset)


def users(run: Run) -> pd.DataFrame:
    """The original ids of a run's users, with the columns of the users table beside the data."""
    of = run_dataset(run)
    file = of.users_table.table.file.place if of.users_table else None
    stat = file.stat() if file else None
    stamp = (str(file), stat.st_mtime_ns, stat.st_size) if stat else None
    return cast("pd.DataFrame", _users(of.digest, stamp, of))


@st.cache_resource(max_entries=4, show_spinner=False)
def _node_names(
    config_json: str,
    signature: str,
    _dataset: Dataset,
    _users: pd.DataFrame,
) -> NodeNames:
    return NodeNames.of(_dataset, _users)


def node_names(run: Run) -> NodeNames:
    """Names and ids of the nodes of the run's data set."""
    config = run.config.data
    of = run_dataset(run)
    signature = f"{_signature(config)} {of.digest}"
    return _node_names(config.model_dump_json(), signature, of, users(run))


@st.cache_data(max_entries=4096, show_spinner=False)
def _thumbnail(path: str, stamp: int) -> str | None:
    import base64
    import io

    from PIL import Image

    file = io.BytesIO()
    try:
        with Image.open(path, formats=PICTURE_FORMATS) as picture:
            picture.draft("RGB", (THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
            picture.thumbnail((THUMBNAIL_PIXELS, THUMBNAIL_PIXELS))
            opaque = picture.mode in ("RGB", "L")
            kind, mode = ("JPEG", "RGB") if opaque else ("PNG", "RGBA")
            picture.convert(mode).save(file, kind, quality=88)
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        return None  # The file is no picture, or a hostile one: the card has none.
    return f"data:image/{kind.lower()};base64,{base64.b64encode(file.getvalue()).decode()}"


def thumbnail(path: str) -> str | None:
    """A local picture as a small data URI; None if the file is no readable picture.

    A URI, because ``st.image`` would scale bytes down again, at every run and to blurry pixels.
    """
    return _thumbnail(path, Path(path).stat().st_mtime_ns)
