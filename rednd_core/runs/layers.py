"""The layers of a run on disk: rewritten as a whole during training, memory-mapped by readers.

Writer: stage every file, remove the index, rename the files, write the index. A reader opens the files
between two looks at the index; the same index twice means that no rewriting had begun, so the
files belong together. The arrays stay readable after a rewriting: they map the old files.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from rednd_core import atomic
from rednd_core.bounded import read_plain
from rednd_core.errors import RunError
from rednd_core.runs.arrays import bad_array, map_array
from rednd_core.runs.budgets import RECORD_BYTES
from rednd_core.runs.facts import LayerFacts
from rednd_core.runs.layer_index import LayersRecord
from rednd_core.runs.layout import RunLayout
from rednd_core.runs.reading import parse_record, unreadable

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    FloatArray = NDArray[np.float32]

REMEDY = "compute the layers of this run again"
PATIENCE_SECONDS = 2.0
"""A rewriting renames a few dozen files, well under this; a longer gap means that its writer died."""


@dataclass(frozen=True, eq=False)
class LayerIndex(Mapping[str, "Sequence[FloatArray]"]):
    """modality -> [x^0 .. x^L], each (N, d) float32, memory-mapped; all of one epoch.

    Attributes:
        recorded: modality -> [z^0 .. z^L], (N, D), where the model's rule does not give them; else empty.
        user_emb, item_emb: what scores, (n_users, s) and (n_items, s), of the same epoch.
        version: changes with every rewriting, so that caches can key on it.
    """

    facts: LayerFacts
    arrays: Mapping[str, Sequence[FloatArray]]
    recorded: Mapping[str, Sequence[FloatArray]]
    user_emb: FloatArray
    item_emb: FloatArray
    epoch: int
    version: str

    def __getitem__(self, modality: str) -> Sequence[FloatArray]:
        return self.arrays[modality]

    def __iter__(self) -> Iterator[str]:
        return iter(self.arrays)

    def __len__(self) -> int:
        return len(self.arrays)

    def readouts(self, modality: str) -> Iterable[NDArray[np.floating]]:
        """z^0 .. z^L, each (N, D), one after the other: what would score if propagation stopped there.

        A z^k that is a layer is that layer's own array.
        """
        if self.recorded:
            return self.recorded[modality]
        return self.facts.readout.each(self.arrays[modality])


def write_layers(
    layout: RunLayout,
    facts: LayerFacts,
    layers: Mapping[str, Sequence[FloatArray]],
    readouts: Mapping[str, Sequence[FloatArray]],
    user_emb: FloatArray,
    item_emb: FloatArray,
    epoch: int,
) -> None:
    """Replace the run's layers by those of ``epoch``; arrays that disagree with ``facts`` raise.

    Args:
        readouts: empty where ``facts`` has no widths of them.
    """
    import numpy as np

    n_nodes = len(user_emb) + len(item_emb)
    _check_shapes("layers", layers, facts.widths, n_nodes)
    _check_shapes("readouts", readouts, facts.readout_widths or {}, n_nodes)
    index = LayersRecord(facts=facts, n_nodes=n_nodes, epoch=epoch, written=time.time_ns())
    files = {
        place(modality, k): array
        for place, stacks in ((layout.layer, layers), (layout.readout, readouts))
        for modality, stack in stacks.items()
        for k, array in enumerate(stack)
    }
    files |= {layout.users: user_emb, layout.items: item_emb}
    layout.layers.mkdir(exist_ok=True)
    if readouts:
        layout.readouts.mkdir(exist_ok=True)
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
            path = Path(error.filename)
            problem = bad_array(path, "float32", (None, None), "no such file", remedy=REMEDY)
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
    facts = index.facts
    arrays = _map_all(layout.layer, facts.widths, index.n_nodes)
    recorded = _map_all(layout.readout, facts.readout_widths or {}, index.n_nodes)
    user_emb, item_emb = _map(layout.users), _map(layout.items)
    n_nodes = len(user_emb) + len(item_emb)
    if n_nodes != index.n_nodes or user_emb.shape[1] != item_emb.shape[1]:
        raise RunError(
            expected=f"users.npy and items.npy with {index.n_nodes} rows together, equally wide, "
            f"in {layout.path.name}/layers",
            found=f"the shapes {user_emb.shape} and {item_emb.shape}",
            remedy=REMEDY,
        )
    return LayerIndex(facts, arrays, recorded, user_emb, item_emb, index.epoch, index.version)


def _map_all(
    place: Callable[[str, int], Path], widths: Mapping[str, Sequence[int]], n_nodes: int
) -> dict[str, list[FloatArray]]:
    return {
        modality: [_map(place(modality, k), (n_nodes, width)) for k, width in enumerate(of_layers)]
        for modality, of_layers in widths.items()
    }


def _map(path: Path, shape: tuple[int | None, int | None] = (None, None)) -> FloatArray:
    return map_array(path, "float32", shape, remedy=REMEDY)


def _missing(layout: RunLayout) -> RunError:
    return RunError(
        expected=f"layers in run {layout.path.name}",
        found="none complete",
        remedy="wait for the first validation, or evaluate the run's checkpoint",
    )


def _check_shapes(
    what: str,
    stacks: Mapping[str, Sequence[FloatArray]],
    widths: Mapping[str, Sequence[int]],
    n_nodes: int,
) -> None:
    found = {modality: [array.shape for array in stack] for modality, stack in stacks.items()}
    expected = {m: [(n_nodes, width) for width in of_layers] for m, of_layers in widths.items()}
    if found != expected:
        raise RunError(
            expected=f"{what} of the shapes {expected}",
            found=f"{found}",
            remedy="record the model's real modalities and sizes",
        )
