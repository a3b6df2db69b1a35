"""A run and its data set as tables with original ids, for the command line and for other programs."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from rednd_core.errors import ConfigError, DataError, RedndError, unknown_name
from rednd_core.runs import Run, default_store
from rednd_core.runs.ids import IdsRecord

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray

    from rednd_core.data.node_names import NodeNames
    from rednd_core.data.schema import Dataset


def load(run: str, runs_dir: str | Path | None = None) -> LoadedRun:
    """The run called ``run``, with what it was trained on.

    Args:
        run: a name from ``rednd runs list``.
        runs_dir: the folder of runs; None for ``$REDND_RUNS`` or ``./runs``. The bundled runs are found
            beside either.

    Raises:
        RunError: no such run.
    """
    return LoadedRun(default_store(None if runs_dir is None else Path(runs_dir)).open(run))


def load_run_data(run: Run) -> Dataset:
    """The data set that a run was trained on; one that was moved or has changed is refused.

    Of vectors that were imported alone it is their users and items without a pair.
    """
    from rednd_core.data import load_recorded, without_interactions

    record = run.record
    if not record.has_interactions:
        name, ids = record.data.name if record.data else run.name, run.ids()
        return without_interactions(name, ids.users if ids else (), ids.items if ids else ())
    record.require_place()
    dataset = load_recorded(record.config.data, record.data_digest, record.pairs_digest)
    record.require_data(dataset.digest, dataset.pairs_digest)
    return dataset


def known_ids(run: Run) -> IdsRecord | None:
    """The original ids of a run; of an older one from its data set, None where that is not there."""
    if (ids := run.ids()) is not None:
        return ids
    try:
        dataset = load_run_data(run)
    except RedndError:
        return None
    return IdsRecord(users=dataset.user_ids.tolist(), items=dataset.item_ids.tolist())


class ChosenLayer(NamedTuple):
    """A layer (N, d) with the index of :attr:`LoadedRun.nodes`, and which one it is."""

    modality: str
    number: int
    table: pd.DataFrame


class LoadedRun:
    """A run and its data set, as tables with original ids.

    Attributes:
        run: the run's folder.
    """

    def __init__(self, run: Run) -> None:
        self.run = run

    @cached_property
    def dataset(self) -> Dataset:
        """What the run was trained on.

        Raises:
            RunError, DataError: the data set was moved or has changed.
        """
        return load_run_data(self.run)

    @cached_property
    def names(self) -> NodeNames:
        """Titles and original ids of all nodes, users first."""
        from rednd_core.data.node_names import NodeNames
        from rednd_core.data.users import user_table

        return NodeNames.of(self.dataset, user_table(self.dataset))

    @cached_property
    def nodes(self) -> pd.MultiIndex:
        """``kind`` ("user" or "item") and original ``id`` of every node, (N,), users first."""
        import numpy as np
        import pandas as pd

        dataset = self.dataset
        kinds = np.repeat(["user", "item"], [dataset.n_users, dataset.n_items])
        ids = np.concatenate([np.asarray(dataset.user_ids), np.asarray(dataset.item_ids)])
        return pd.MultiIndex.from_arrays([kinds, ids], names=["kind", "id"])

    def layers(self, modality: str | None = None) -> list[pd.DataFrame]:
        """x^0 .. x^L of a modality, each (N, d) with the index :attr:`nodes`; read from disk when used.

        Args:
            modality: None for the first one.

        Raises:
            ConfigError: no such modality. RunError: the run has no layers.
        """
        layers = self.run.layers()
        return [self._table(layer) for layer in layers[_modality(layers, modality)]]

    def layer(self, number: int | None = None, modality: str | None = None) -> ChosenLayer:
        """One of :meth:`layers`; None for the last one.

        Raises:
            ConfigError: no such modality or layer. RunError: the run has no layers.
        """
        layers = self.run.layers()
        chosen = _modality(layers, modality)
        last = len(layers[chosen]) - 1
        if number is not None and not 0 <= number <= last:
            raise ConfigError(
                expected=f"a layer of {chosen} from 0 to {last}",
                found=str(number),
                remedy="choose one of them",
            )
        k = last if number is None else number
        return ChosenLayer(chosen, k, self._table(layers[chosen][k]))

    def embeddings(self) -> pd.DataFrame:
        """What scores, (N, s) with the index :attr:`nodes`: the score is the inner product."""
        import numpy as np

        return self._table(np.concatenate(self.run.embeddings()))

    def neighbours(
        self,
        kind: Literal["user", "item"],
        of: str,
        k: int = 10,
        *,
        layer: int | None = None,
        modality: str | None = None,
        among: Literal["both", "users", "items"] = "both",
    ) -> pd.DataFrame:
        """The nearest nodes of one node by cosine in the original space.

        Args:
            of: the original id of the node. layer, modality: as in :meth:`layer`.
            among: the kind of nodes that are listed.

        Returns:
            One row a neighbour, nearest first: ``rank``, ``kind``, ``id``, ``title``, ``cosine``.

        Raises:
            DataError: no such node. ConfigError: no such layer or modality, or ``k`` below 1.
        """
        import numpy as np
        import pandas as pd

        from rednd_core.projection import neighbours

        names, matrix = self.names, self.layer(layer, modality).table.to_numpy()
        node = names.node(f"{kind}:{of}")
        if node is None:
            ids = self.dataset.user_ids if kind == "user" else self.dataset.item_ids
            raise DataError(
                expected=f"the original id of {'a user' if kind == 'user' else 'an item'} of "
                f"{self.dataset.name}, e.g. {ids[0]!r}",
                found=repr(of),
                remedy="give the id as it stands in the data",
            )
        n_users, n_nodes = names.n_users, len(names)
        pools = {"users": np.arange(n_users), "items": np.arange(n_users, n_nodes), "both": None}
        nodes, cosines = neighbours(matrix, node, k, pools[among])
        return pd.DataFrame(
            {"rank": np.arange(1, len(nodes) + 1), "kind": names.kinds(nodes), "id": names.ids[nodes],
             "title": names.titles[nodes], "cosine": cosines}
        )  # fmt: skip

    def measures(self) -> pd.DataFrame:
        """The smoothness of all layers and readouts.

        Returns:
            The table of :func:`rednd_core.smoothness.measure_layers`.

        Raises:
            RunError: the run has no layers.
        """
        from rednd_core.graph.bipartite import bipartite_graph
        from rednd_core.smoothness import measure_layers

        layers, dataset = self.run.layers(), self.dataset
        graph = bipartite_graph(dataset.train, dataset.n_users, dataset.n_items)
        return measure_layers(layers, graph, readouts={m: layers.readouts(m) for m in layers})

    def lists(self, k: int = 20) -> pd.DataFrame:
        """The ``k`` best unseen items of every user.

        Returns:
            One row a recommended item: ``user_id``, ``rank``, ``item_id``, ``title``, ``score``, ``hit``
            (whether the item is held out for the test).

        Raises:
            ConfigError: ``k`` below 1.
        """
        from rednd_core.evaluation.lists import all_lists

        dataset = self.dataset
        user_emb, item_emb = self.run.embeddings()
        found = all_lists(user_emb, item_emb, dataset.train_matrix, k, dataset.test)
        users, items = found.pop("user").to_numpy(), found.pop("item").to_numpy()
        found.insert(0, "user_id", dataset.user_ids[users])
        found.insert(2, "item_id", dataset.item_ids[items])
        found.insert(3, "title", dataset.items["title"].to_numpy()[items])
        return found

    def _table(self, matrix: NDArray[np.floating]) -> pd.DataFrame:
        import pandas as pd

        names = [f"v{column}" for column in range(matrix.shape[1])]
        return pd.DataFrame(matrix, index=self.nodes, columns=names, copy=False)


def _modality(layers: Mapping[str, Any], wanted: str | None) -> str:
    """``wanted`` where there is such a modality; None for the first one."""
    chosen = next(iter(layers)) if wanted is None else wanted
    if chosen not in layers:
        raise unknown_name("modality", chosen, layers)
    return chosen
