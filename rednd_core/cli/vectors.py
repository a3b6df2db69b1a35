"""``rednd vectors``: a run's vectors with original ids, for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from rednd_core import atomic
from rednd_core.cli.options import RunName, RunsDir, open_store
from rednd_core.cli.speech import tell
from rednd_core.cli.table_files import require_table, write_table
from rednd_core.errors import ConfigError
from rednd_core.library import LoadedRun
from rednd_core.spreadsheets import as_text
from rednd_core.writable import make_folder

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

PROJECTOR = """embeddings {
  tensor_path: "tensors.tsv"
  metadata_path: "metadata.tsv"
}
"""
"""What TensorBoard reads first: the names of the other two files."""


def vectors(
    run: RunName,
    out: Annotated[
        Path, typer.Option(help="CSV or Parquet file, or a folder for TensorBoard's Projector.")
    ],
    layer: Annotated[
        int | None, typer.Option(help="Number of a layer; left out: the vectors that score.")
    ] = None,
    modality: Annotated[str | None, typer.Option(help="Of the layer; default: the first.")] = None,
    runs_dir: RunsDir = None,
) -> None:
    """Write the vectors of all users and items with their original ids.

    The inner products of the vectors that score are the scores. A table has the columns kind, id, v0, v1
    and so on. A name without an ending is a folder: tensors.tsv and metadata.tsv (kind, id, title), which
    the Projector in TensorBoard opens and projector.tensorflow.org loads.

    Examples:

    * `rednd vectors --run shop-lightgcn --layer 3 --out v.parquet`
    * `rednd vectors --run shop-lightgcn --out projector`
    """
    import numpy as np

    if out.suffix:
        require_table(out)
    loaded = LoadedRun(open_store(runs_dir).open(run))
    frame = _chosen(loaded, layer, modality)
    if out.suffix:
        write_table(out, frame.reset_index())
    else:
        make_folder(out, remedy="choose another folder", kind=ConfigError)
        _write_projector(out, frame, loaded.names.titles[np.arange(len(frame))])
    what = "scoring vectors" if layer is None else f"vectors of layer {layer}"
    tell(f"{len(frame):,} {what}, {frame.shape[1]} wide: {out}")


def _chosen(loaded: LoadedRun, layer: int | None, modality: str | None) -> pd.DataFrame:
    """A layer, or what scores."""
    if layer is None:
        if modality is not None:
            raise ConfigError(
                expected="--layer with --modality",
                found="--modality alone: the vectors that score are of all modalities",
                remedy="add --layer, or leave --modality out",
            )
        return loaded.embeddings()
    return loaded.layer(layer, modality).table


def _write_projector(folder: Path, frame: pd.DataFrame, titles: NDArray[np.object_]) -> None:
    """The three files of the Projector; all are staged before one is replaced."""
    tensors = frame.to_csv(sep="\t", header=False, index=False)
    about = frame.index.to_frame(index=False).assign(title=titles)
    # The Projector knows no quoting: a tab or a line break would begin another cell.
    cells = about.astype(str).replace(r"\s+", " ", regex=True).map(as_text)
    lines = ["\t".join(row) for row in [cells.columns.tolist(), *cells.to_numpy().tolist()]]
    contents = {
        "tensors.tsv": tensors,
        "metadata.tsv": "".join(f"{line}\n" for line in lines),
        "projector_config.pbtxt": PROJECTOR,
    }
    staged = atomic.stage_all(
        (folder / name, atomic.raw(text.encode())) for name, text in contents.items()
    )
    for temporary, path in staged:
        atomic.commit(temporary, path)
