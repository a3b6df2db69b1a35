"""The layers of a run on disk: rewritten as a whole during training, memory-mapped by readers.

Writer: stage every file, remove the index, rename the files, write the index. A reader opens the files
between two looks at the index; the same index twice means that no rewriting had begun, so the
files belong together. The arrays stay readable after a rewriting: they map the old files.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rednd_core import atomic
from rednd_core.bounded import read_plain, require_plain
from rednd_core.errors import RunError
from rednd_core.runs.budgets import RECORD_BYTES
from rednd_core.runs.layout import RunLayout
from rednd_core.runs.record import LayersRecord, ModelFacts, Readout, parse_record, unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

PATIENCE_SECONDS = 2.0
"""A rewriting renames a few dozen files, well under this; a longer gap means that its writer died."""


@dataclass(frozen=True, eq=False)
class LayerIndex(Mapping[str, "Sequence[FloatArray]"]):
    """modality -> [x^0 .. x^L], each (N, d) float32, memory-mapped; all of one epoch.

    Attributes:
        user_emb, item_emb: what scores, (n_users, s) and (n_items, s), of the same epoch.
        version: changes with every rewriting, so that caches can key on it.
    """

    arrays: Mapping[str, Sequence[FloatArray]]
    user_emb: FloatArray
    item_emb: FloatArray
    epoch: int
    readout: Readout
    version: str

    def __getitem__(self, modality: str) -> Sequence[FloatArray]:
        return self.arrays[modality]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)


def write_layers(
    layout: RunLayout,
    facts: ModelFacts,
    layers: Mapping[str, Sequence[FloatArray]],
    user_emb: FloatArray,
    item_emb: FloatArray,
    epoch: int,
) -> None:
    """Replace the run's layers by those of ``epoch``; arrays that disagree with ``facts`` raise."""
    import numpy as np

    shape = (len(user_emb) + len(item_emb), facts.embedding_size)
    _check_layers(facts, layers, shape)
    index = LayersRecord(
        modalities=facts.modalities,
        n_layers=facts.n_layers,
        shape=shape,
        readout=facts.readout,
        epoch=epoch,
        written=time.time_ns(),
    )
    files = {
        layout.layer(modality, depth): layers[modality][depth]
        for modality in facts.modalities
        for depth in range(facts.n_layers + 1)
    }
    files |= {layout.users: user_emb, layout.items: item_emb}
    layout.layers.mkdir(exist_ok=True)
    # All slow work comes first: readers find no index only while files are renamed.
    staged = atomic.stage_all(
        (path, atomic.npy(np.asarray(array, dtype=np.float32))) for path, array in files.items()
    )
    layout.layer_index.unlink(missing_ok=True)
    for temporary, path in staged:
        atomic.commit(temporary, path)
    atomic.write_json(layout.layer_index, index)


def read_layers(layout: RunLayout) -> LayerIndex:
    """The layers as last written; :class:`RunError` where there are none or they do not fit."""
    deadline = time.monotonic() + PATIENCE_SECONDS
    while True:
        index = _index_bytes(layout)
        layers, problem = None, _missing(layout)
        try:
            layers = None if index is None else _open(layout, index)
        except FileNotFoundError as error:
            problem = _bad_array(Path(error.filename), "no such file")
        except RunError as error:
            problem = error
        if index is not None and index == _index_bytes(layout):  # nothing was rewritten meanwhile
            if layers is None:
                raise problem
            return layers
        never_written = not layout.users.exists()
        if never_written or time.monotonic() > deadline:
            raise problem
        time.sleep(0.01)


def read_index(layout: RunLayout) -> LayersRecord | None:
    """layers/index.json, or None where there are no layers (yet)."""
    content = _index_bytes(layout)
    return None if content is None else _parse(layout, content)


def _index_bytes(layout: RunLayout) -> bytes | None:
    try:
        return read_plain(layout.layer_index, RECORD_BYTES)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise unreadable(f"{layout.path.name}/layers/index.json", error) from None


def _parse(layout: RunLayout, content: bytes) -> LayersRecord:
    return parse_record(LayersRecord, content, f"{layout.path.name}/layers/index.json")


def _open(layout: RunLayout, content: bytes) -> LayerIndex:
    index = _parse(layout, content)
    arrays = {
        modality: [
            _map(layout.layer(modality, depth), index.shape) for depth in range(index.n_layers + 1)
        ]
        for modality in index.modalities
    }
    user_emb, item_emb = _map(layout.users), _map(layout.items)
    n_nodes = len(user_emb) + len(item_emb)
    if n_nodes != index.shape[0] or user_emb.shape[1] != item_emb.shape[1]:
        raise RunError(
            expected=f"users.npy and items.npy with {index.shape[0]} rows together, equally wide, "
            f"in {layout.path.name}/layers",
            found=f"the shapes {user_emb.shape} and {item_emb.shape}",
            remedy="compute the layers of this run again",
        )
    return LayerIndex(arrays, user_emb, item_emb, index.epoch, index.readout, index.version)


def _map(path: Path, shape: tuple[int, int] | None = None) -> FloatArray:
    """``path`` memory-mapped, read-only; two-dimensional float32 of ``shape`` or a RunError."""
    import numpy as np

    try:
        require_plain(path)
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise
    except Exception as error:
        # numpy parses a header that may be anybody's: whatever it trips over, the file is at fault.
        found = str(error).splitlines()[0][:200].rstrip(".") if str(error) else "nothing readable"
        raise _bad_array(path, found) from None
    if not isinstance(array, np.ndarray):
        array.close()
        raise _bad_array(path, "an archive of several arrays")
    if array.dtype != np.float32 or array.ndim != 2 or (shape is not None and array.shape != shape):
        raise _bad_array(path, f"{array.dtype} of shape {array.shape}", shape)
    return array


def _bad_array(path: Path, found: str, shape: tuple[int, int] | None = None) -> RunError:
    of_shape = f" of shape {shape}" if shape else ""
    return RunError(
        expected=f"a float32 matrix{of_shape} in {path.parent.parent.name}/layers/{path.name}",
        found=found,
        remedy="compute the layers of this run again",
    )


def _missing(layout: RunLayout) -> RunError:
    return RunError(
        expected=f"layers in run {layout.path.name}",
        found="none complete",
        remedy="wait for the first validation, or evaluate the run's checkpoint",
    )


def _check_layers(
    facts: ModelFacts, layers: Mapping[str, Sequence[FloatArray]], shape: tuple[int, int]
) -> None:
    found = {modality: [array.shape for array in arrays] for modality, arrays in layers.items()}
    if found != {modality: [shape] * (facts.n_layers + 1) for modality in facts.modalities}:
        raise RunError(
            expected=f"{facts.n_layers + 1} layers of shape {shape} for {', '.join(facts.modalities)}",
            found=f"the shapes {found}",
            remedy="record the model's real modalities and sizes",
        )
