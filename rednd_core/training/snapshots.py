"""When snapshots are taken, and of which nodes: few enough to stay within the megabytes of the settings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from rednd_core.errors import RunError
from rednd_core.runs.facts import ModelFacts
from rednd_core.runs.snapshots import SnapshotWriter, read_snapshots
from rednd_core.runs.writer import RunWriter

EACH_UNTIL = 3
GROWTH = 1.5
"""From an epoch on the schedule to the next one, after EACH_UNTIL: most changes come early."""
BYTES = 2  # of a number in half precision
FEWEST_NODES = 3  # a map needs as many


def schedule(epochs: int) -> tuple[int, ...]:
    """After which of ``epochs`` epochs (1 or more) a snapshot is taken: 0, 1, 2, 3, 5, 8, 12, 18, 27, ..."""
    found = list(range(min(epochs, EACH_UNTIL) + 1))
    while (later := int(np.ceil(found[-1] * GROWTH))) <= epochs:
        found.append(later)
    return tuple(found)


@dataclass(frozen=True)
class SnapshotContents:
    """What every snapshot of a training holds.

    Attributes:
        nodes: (n,) ascending node numbers.
        widths: modality -> the widths of the layers, from x^0 on.
    """

    nodes: NDArray[np.int64]
    widths: Mapping[str, Sequence[int]]

    @property
    def n_bytes(self) -> int:
        """Of one snapshot."""
        return len(self.nodes) * _bytes_of(self.widths)


def snapshot_contents(
    facts: ModelFacts,
    degrees: NDArray[np.int64],
    n_users: int,
    *,
    n_bytes: int,
    n_snapshots: int,
) -> SnapshotContents | None:
    """As much as ``n_snapshots`` can hold in ``n_bytes``; None where that is next to nothing.

    Where propagation is linear and there is room, x^0 of all nodes, as all deeper layers follow from it. Else
    all layers of as many nodes with a train interaction as there is room for: users and items in their true
    proportion, drawn with a generator of their own and always in the same order, so that a larger sample
    holds a smaller one and no draw of the training changes.

    Args:
        degrees: (N,) train interactions of every node.
    """
    room = n_bytes // n_snapshots
    firsts = {modality: widths[:1] for modality, widths in facts.widths.items()}
    if facts.linear_propagation and len(degrees) * _bytes_of(firsts) <= room:
        return SnapshotContents(np.arange(len(degrees)), firsts)
    n = min(len(degrees), room // _bytes_of(facts.widths))
    if n == len(degrees):
        return SnapshotContents(np.arange(n), facts.widths)
    if n < FEWEST_NODES:
        return None
    rng = np.random.default_rng(0)
    users = rng.permutation(np.flatnonzero(degrees[:n_users]))
    items = rng.permutation(n_users + np.flatnonzero(degrees[n_users:]))
    from_users = round(n * len(users) / max(1, len(users) + len(items)))
    nodes = np.sort(np.concatenate([users[:from_users], items[: n - from_users]]))
    return SnapshotContents(nodes.astype(np.int64), facts.widths)


def _bytes_of(widths: Mapping[str, Sequence[int]]) -> int:
    """Of one node."""
    return BYTES * sum(map(sum, widths.values()))


class SnapshotTaker:
    """Takes the snapshots of one training.

    Args:
        degrees: (N,) train interactions of every node.
    """

    def __init__(self, writer: RunWriter, degrees: NDArray[np.int64]) -> None:
        self._run, self._degrees = writer, degrees
        self._due: frozenset[int] = frozenset()

    def begin(self, epoch: int) -> None:
        """Go on after ``epoch``, or begin with 0. The run must be described.

        A training that goes on keeps the nodes and layers of its earlier snapshots, also where more epochs
        are planned than at first; the schedule then ends where the megabytes do.
        """
        record = self._run.record
        facts, data, training = record.model, record.data, record.config.training
        assert facts is not None
        assert data is not None
        planned = schedule(training.epochs)
        n_bytes = training.snapshot_mb * 10**6
        kept = self._kept_before(facts, epoch) or snapshot_contents(
            facts, self._degrees, data.n_users, n_bytes=n_bytes, n_snapshots=len(planned)
        )
        if kept is None:
            return
        self._due = frozenset(planned[: n_bytes // kept.n_bytes])
        self._nodes = kept.nodes
        self._writer = SnapshotWriter(
            self._run.layout, kept.nodes, kept.widths, n_nodes=data.n_nodes, epoch=epoch
        )

    def _kept_before(self, facts: ModelFacts, epoch: int) -> SnapshotContents | None:
        """What the snapshots of the epochs before hold; None where there are none that can be used."""
        try:
            found = read_snapshots(self._run.layout) if epoch else None
        except RunError:
            return None
        fits = found is not None and found.index.widths.keys() == facts.widths.keys()
        if found is None or not fits or not found.epochs:
            return None
        return SnapshotContents(found.nodes.astype(np.int64), found.index.widths)

    def take(self, epoch: int, layers: Mapping[str, Sequence[Tensor]]) -> None:
        """Keep ``layers`` where a snapshot of ``epoch`` is due."""
        if epoch not in self._due:
            return
        rows = {
            modality: [x[self._nodes].float().cpu().numpy() for x in states]
            for modality, states in layers.items()
        }
        self._writer.write(epoch, rows)
