"""Snapshots of a run: the layers of some nodes after some epochs, in half precision.

``layers/`` holds the layers of one epoch, of all nodes. Snapshots show how the layers came to be. All
snapshots of a run hold the same nodes and the same layers, which ``index.json`` says. A snapshot is a file of
its own, renamed into its place when it is whole, so that snapshots can be read while a run trains.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from rednd_core import atomic
from rednd_core.errors import RunError
from rednd_core.runs.arrays import bad_array, map_array
from rednd_core.runs.facts import Count, Widths
from rednd_core.runs.layout import RunLayout
from rednd_core.runs.reading import read_record
from rednd_core.runs.record import VersionedRecord

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

MOST_SNAPSHOTS = 64
MOST_VALUE = 65504.0
"""Of half precision; a larger number would become infinity."""
REMEDY = "train the run again, or remove its folder snapshots"

_FILE = re.compile(r"(0|[1-9][0-9]{0,8})\.npy")


class SnapshotIndex(VersionedRecord):
    """snapshots/index.json: what every snapshot of the run holds.

    Attributes:
        widths: modality -> the widths of the layers that are kept, from x^0 on. Where x^0 of all nodes is
            kept and propagation is linear, deeper layers follow from it and are not kept.
        n_nodes: nodes of the run. n_kept: how many of them are kept.
        begun: nanoseconds since 1970; tells two trainings of one run apart.
    """

    widths: Widths
    n_nodes: Count
    n_kept: Annotated[int, Field(ge=1)]
    begun: Count

    @property
    def width(self) -> int:
        """Numbers that are kept of one node."""
        return sum(map(sum, self.widths.values()))

    def same_rows(self, other: SnapshotIndex) -> bool:
        """Whether snapshots of both hold the same layers of as many nodes."""
        return self.model_copy(update={"begun": other.begun}) == other


@dataclass(frozen=True, eq=False)
class Snapshots:
    """The snapshots of a run, as they lay there at one moment.

    Attributes:
        nodes: (n,) ascending node numbers whose rows are kept.
        epochs: ascending; 0 is the model before its training.
    """

    layout: RunLayout
    index: SnapshotIndex
    nodes: NDArray[np.int32]
    epochs: tuple[int, ...]

    @property
    def is_complete(self) -> bool:
        """Whether all nodes of the run are kept."""
        return self.index.n_kept == self.index.n_nodes

    @property
    def version(self) -> str:
        """Changes with every new snapshot, so that caches can key on it."""
        return f"{self.index.begun}-{len(self.epochs)}-{self.epochs[-1] if self.epochs else ''}"

    def layers(self, epoch: int) -> dict[str, list[NDArray[np.float32]]]:
        """Modality -> [x^0 .. x^k] after ``epoch``, each (n, d), as many layers as are kept.

        Raises:
            RunError: no such snapshot by now, or not a whole one.
        """
        import numpy as np

        rows = _rows(self.layout, self.index, epoch).astype(np.float32)
        ends = np.cumsum([width for of in self.index.widths.values() for width in of])
        parts = iter(np.split(rows, ends[:-1], axis=1))
        return {m: [next(parts) for _ in widths] for m, widths in self.index.widths.items()}


def read_snapshots(layout: RunLayout) -> Snapshots | None:
    """The snapshots of a run; None where it keeps none.

    Raises:
        RunError: files that do not fit each other.
    """
    if not layout.snapshot_index.exists():
        return None
    index = read_record(SnapshotIndex, layout.snapshot_index)
    epochs = sorted(
        int(named[1])
        for path in layout.snapshots.iterdir()
        if (named := _FILE.fullmatch(path.name))
    )
    if len(epochs) > MOST_SNAPSHOTS:
        raise RunError(
            expected=f"at most {MOST_SNAPSHOTS} snapshots in {layout.path.name}/snapshots",
            found=str(len(epochs)),
            remedy=REMEDY,
        )
    return Snapshots(layout, index, _nodes(layout, index), tuple(epochs))


def _nodes(layout: RunLayout, index: SnapshotIndex) -> NDArray[np.int32]:
    import numpy as np

    path, shape = layout.snapshot_nodes, (index.n_kept,)
    try:
        nodes = np.array(map_array(path, "int32", shape, remedy=REMEDY))
    except FileNotFoundError:
        raise bad_array(path, "int32", shape, "no such file", remedy=REMEDY) from None
    if nodes[0] < 0 or nodes[-1] >= index.n_nodes or (np.diff(nodes) <= 0).any():
        found = "numbers that are not ascending node numbers of the run"
        raise bad_array(path, "int32", shape, found, remedy=REMEDY)
    return nodes


def _rows(layout: RunLayout, index: SnapshotIndex, epoch: int) -> NDArray[np.float16]:
    import numpy as np

    path, shape = layout.snapshot(epoch), (index.n_kept, index.width)
    try:
        rows = map_array(path, "float16", shape, remedy=REMEDY)
    except FileNotFoundError:
        raise bad_array(path, "float16", shape, "no such file", remedy=REMEDY) from None
    if not np.isfinite(rows).all():
        raise bad_array(path, "float16", shape, "NaN or infinity", remedy=REMEDY)
    return rows


class SnapshotWriter:
    """Writes the snapshots of a training, which may have been resumed.

    Args:
        nodes: (n,) ascending node numbers to keep. widths: of the layers to keep, from x^0 on.
        n_nodes: of the run. epoch: where the training stands; later snapshots are of a training that was
            lost, and go.
    """

    def __init__(
        self,
        layout: RunLayout,
        nodes: NDArray[np.int64],
        widths: Mapping[str, Sequence[int]],
        *,
        n_nodes: int,
        epoch: int,
    ) -> None:
        self._layout, self._nodes = layout, nodes
        self._index = SnapshotIndex(
            widths={modality: tuple(of) for modality, of in widths.items()},
            n_nodes=n_nodes,
            n_kept=len(nodes),
            begun=time.time_ns(),
        )
        kept = self._usable()
        for old in kept.epochs if kept else ():
            if old > epoch:
                layout.snapshot(old).unlink()
        if kept is None:
            self._begin()

    def _usable(self) -> Snapshots | None:
        """The snapshots that lie there, if they hold the same rows."""
        import numpy as np

        try:
            found = read_snapshots(self._layout)
        except RunError:
            return None
        same = found is not None and found.index.same_rows(self._index)
        return found if found and same and np.array_equal(found.nodes, self._nodes) else None

    def _begin(self) -> None:
        import numpy as np

        layout = self._layout
        layout.snapshots.mkdir(exist_ok=True)
        # Readers find no index until the nodes are there and no other snapshot is.
        layout.snapshot_index.unlink(missing_ok=True)
        for path in layout.snapshots.iterdir():
            path.unlink()
        nodes = self._nodes.astype(np.int32)
        atomic.commit(atomic.stage(layout.snapshot_nodes, atomic.npy(nodes)), layout.snapshot_nodes)
        atomic.write_json(layout.snapshot_index, self._index)

    def write(self, epoch: int, layers: Mapping[str, Sequence[NDArray[np.float32]]]) -> None:
        """Keep ``layers``, the rows of the nodes, as those after ``epoch``; more layers may follow.

        Args:
            layers: modality -> [x^0 .. x^k], each (n, d).
        """
        import numpy as np

        kept = [
            np.asarray(layer)
            for modality, widths in self._index.widths.items()
            for layer in layers[modality][: len(widths)]
        ]
        rows = np.clip(np.concatenate(kept, axis=1), -MOST_VALUE, MOST_VALUE).astype(np.float16)
        if rows.shape != (self._index.n_kept, self._index.width):
            raise RunError(
                expected=f"rows of the shape {(self._index.n_kept, self._index.width)}",
                found=str(rows.shape),
                remedy="pass the rows of the nodes that are kept",
            )
        path = self._layout.snapshot(epoch)
        atomic.commit(atomic.stage(path, atomic.npy(rows)), path)
