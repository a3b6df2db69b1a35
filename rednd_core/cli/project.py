"""``rednd project``: maps of a run's layers as a picture or as coordinates."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rednd_core.cli.options import RunName, RunsDir, open_store
from rednd_core.cli.speech import tell
from rednd_core.errors import ConfigError, unknown_name
from rednd_core.library import load_run_data
from rednd_core.spreadsheets import to_csv
from rednd_core.writable import require_output

if TYPE_CHECKING:
    import plotly.graph_objects as go

    from rednd_core.projection import Projection

TITLES = {"pca": "PCA on shared axes", "umap": "UMAP, one layout"}
UMAP_HIDES = (
    "UMAP gives every neighbourhood room and hides a collapse: read it beside the PCA and the "
    "figures above each panel."
)


def project(
    run: RunName,
    out: Annotated[Path, typer.Option(help="CSV (coordinates) or HTML (picture) to write.")],
    method: Annotated[str, typer.Option(help="pca or umap.")] = "pca",
    modality: Annotated[str | None, typer.Option(help="Default: the first.")] = None,
    n_nodes: Annotated[int, typer.Option("--nodes", min=3, help="Most nodes to map.")] = 3000,
    runs_dir: RunsDir = None,
) -> None:
    """Map all layers of a run onto two shared axes and write the map.

    Layers of another width than the last one have no axes in common with it and are left out.
    In a picture, UMAP stands beside PCA, because UMAP alone hides a collapse. A map that was computed
    before, by this command or in the app, is not computed again.

    Example: `rednd project --run shop-lightgcn --method umap --out map.html`
    """
    from rednd_core.atomic import write_bytes
    from rednd_core.plots.embedding import embedding_figure
    from rednd_core.projection import default_map_cache, sample_nodes
    from rednd_core.projection import project as fit

    suffix = out.suffix.lower()
    if suffix not in (".csv", ".html"):
        raise ConfigError(
            expected="an output file ending in .csv or .html",
            found=out.name,
            remedy="choose one of these endings",
        )
    require_output(out)
    opened = open_store(runs_dir).open(run)
    dataset = load_run_data(opened)
    layers = opened.layers()
    chosen = modality or next(iter(layers))
    if chosen not in layers:
        raise unknown_name("modality", chosen, layers)
    sample = sample_nodes(dataset.n_users, dataset.n_items, n_nodes)

    numbers = layers.facts.like_last(chosen)
    states = [layers[chosen][k] for k in numbers]

    def mapped(by: str) -> Projection:
        return fit(states, by, sample, n_users=dataset.n_users, cache=default_map_cache())

    found = mapped(method)
    is_user = found.nodes < dataset.n_users
    ids = [
        dataset.user_ids[node] if user else dataset.item_ids[node - dataset.n_users]
        for node, user in zip(found.nodes, is_user, strict=True)
    ]
    kinds = ["user" if user else "item" for user in is_user]
    n_of_total = f"{len(found.nodes):,} of {found.n_total:,} nodes"
    if suffix == ".csv":
        write_bytes(out, _table(found, numbers, kinds, ids).encode())
    else:
        shown = [found] if method == "pca" else [mapped("pca"), found]
        figures = [
            embedding_figure(
                each.coords,
                each.nodes,
                [f"layer {k}" for k in numbers],
                each.quality,
                each.collapsed,
                title=TITLES[each.method],
                color=kinds,
                color_name="type",
                hover=ids,
            )
            for each in shown
        ]
        head = f"{run} · {chosen} · {n_of_total}"
        write_bytes(out, _page(head, UMAP_HIDES if len(shown) > 1 else "", figures).encode())
    n_layers, n_all = len(numbers), len(layers[chosen])
    left_out = f", without {n_all - n_layers} of another width" if n_layers < n_all else ""
    tell(f"{n_of_total}, {n_layers} layer{'s' if n_layers != 1 else ''}{left_out}: {out}")


def _table(found: Projection, numbers: list[int], kinds: list[str], ids: list[str]) -> str:
    """CSV with a row a layer and node."""
    import pandas as pd

    layers = [
        pd.DataFrame({"layer": k, "type": kinds, "id": ids, "x": flat[:, 0], "y": flat[:, 1]})
        for k, flat in zip(numbers, found.coords, strict=True)
    ]
    return to_csv(pd.concat(layers))


def _page(head: str, note: str, figures: Iterable[go.Figure]) -> str:
    """An HTML page that opens offline: figures beside each other, below each other on a phone."""
    from rednd_core.plots import theme

    parts = [
        theme.on_paper(figure).to_html(
            full_html=False, include_plotlyjs=number == 0, config=theme.LOCAL
        )
        for number, figure in enumerate(figures)
    ]
    return f"""<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{escape(head)}</title>
<style>
body {{ font: 17px/1.4 system-ui, sans-serif; margin: 1rem; }}
h1 {{ font-size: 1.4rem; }}
main {{ display: grid; grid-template-columns: repeat(auto-fit, minmax(min(340px, 100%), 1fr)); }}
section {{ min-width: 0; max-width: 820px; }}
</style>
<h1>{escape(head)}</h1>
<p>{escape(note)}</p>
<main>{"".join(f"<section>{part}</section>" for part in parts)}</main>
</html>
"""
