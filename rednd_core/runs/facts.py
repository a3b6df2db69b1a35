"""What config.json says of the data and of the model: sizes, layers, and how layers become what scores."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from rednd_core.config import MODALITY, MOST_MODALITIES, StrictModel
from rednd_core.readout import Readout

MOST_LAYERS = 1000

Count = Annotated[int, Field(ge=0, lt=2**63)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Modality = Annotated[str, Field(pattern=f"^{MODALITY.pattern}$")]
Width = Annotated[int, Field(ge=1, le=65_536)]


def _check_names(names: Sequence[str]) -> None:
    if len({name.lower() for name in names}) < len(names):
        raise ValueError("modalities that differ by more than case")


def _distinct(names: tuple[str, ...]) -> tuple[str, ...]:
    _check_names(names)
    return names


def _distinct_keys(widths: dict[str, tuple[int, ...]]) -> dict[str, tuple[int, ...]]:
    _check_names(list(widths))
    return widths


Widths = Annotated[
    dict[Modality, Annotated[tuple[Width, ...], Field(min_length=1, max_length=MOST_LAYERS + 1)]],
    Field(min_length=1, max_length=MOST_MODALITIES),
    AfterValidator(_distinct_keys),
]


class DataFacts(StrictModel):
    """What the run was trained on.

    Attributes:
        digest: of interactions, split and features. pairs_digest: without the features; None in older runs.
        reads_features: whether the model has read them; if not, they may change.
    """

    name: Name
    digest: Name
    n_users: Annotated[int, Field(ge=1)]
    n_items: Annotated[int, Field(ge=1)]
    n_train: Count
    n_valid: Count
    n_test: Count
    pairs_digest: Name | None = None
    reads_features: bool = True

    def fits(self, digest: str, pairs_digest: str = "") -> bool:
        """Whether a data set with these digests is the one that was read.

        Data that had no features when they were recorded have a digest of pairs alone.
        """
        if self.digest in (digest, pairs_digest):
            return True
        return not self.reads_features and self.pairs_digest == pairs_digest

    def same_pairs(self, other: DataFacts) -> bool:
        """Whether two runs can be compared: the same users, items and split."""
        return self.digest == other.digest or (
            self.pairs_digest is not None and self.pairs_digest == other.pairs_digest
        )

    @property
    def n_nodes(self) -> int:
        return self.n_users + self.n_items

    @property
    def sizes(self) -> str:
        """The numbers of users, items and interactions in words."""
        n_pairs = self.n_train + self.n_valid + self.n_test
        return f"{self.n_users:,} users, {self.n_items:,} items, {n_pairs:,} interactions"


class MachineFacts(StrictModel):
    """What a run was trained with beside the libraries: another one may give other last digits.

    Attributes:
        system: the operating system and the kind of processor, e.g. ``Linux x86_64``.
        processor: its name, and the widest instructions that torch uses of it.
        device: ``cpu``, or the name of the GPU.
        engine: ``dgl`` or ``csr``; what ``auto`` came to.
        threads: of torch, in each process.
    """

    system: Name
    processor: Name
    device: Name
    engine: Name
    threads: Annotated[int, Field(ge=1)]


class LayerFacts(StrictModel):
    """Shapes of the layers x^0 .. x^L of every modality, and of what scores at each depth, z^0 .. z^L.

    Attributes:
        widths: modality -> the width of each layer. Depths and widths may differ.
        readout: the rule that gives z^k from the layers.
        readout_widths: modality -> the width of each z^k, for a model that adds to what the rule gives:
            its readouts are recorded beside the layers. None where the rule gives them exactly.
    """

    widths: Widths
    readout: Readout = Readout()
    readout_widths: Widths | None = None

    @model_validator(mode="after")
    def _fit_each_other(self) -> Self:
        rule = self.readout.rule
        if self.readout_widths is not None:
            if _depths(self.readout_widths) != _depths(self.widths):
                raise ValueError("one readout for each layer of every modality")
        elif rule in ("mean", "sum", "max"):
            for modality, widths in self.widths.items():
                if len(set(widths[self.readout.first :])) > 1:
                    raise ValueError(f"layers of one width in {modality}, as their {rule} scores")
        return self

    @property
    def modalities(self) -> tuple[str, ...]:
        return tuple(self.widths)

    @property
    def n_layers(self) -> int:
        """Propagation steps of the deepest modality."""
        return max(_depths(self.widths).values())

    @property
    def shared_depth(self) -> int:
        """Propagation steps that every modality has."""
        return min(_depths(self.widths).values())

    def like_last(self, modality: str) -> list[int]:
        """The layers that are as wide as the last one: no others can be on a map with it."""
        widths = self.widths[modality]
        return [k for k, width in enumerate(widths) if width == widths[-1]]

    @property
    def has_own_readout(self) -> bool:
        """Whether what scores is more than a layer: false for a model that reads out the last one."""
        return self.readout_widths is not None or self.readout.rule != "last"

    @property
    def scored_widths(self) -> dict[str, int]:
        """Modality -> the width of z^L."""
        if self.readout_widths is not None:
            return {modality: widths[-1] for modality, widths in self.readout_widths.items()}
        return {m: self.readout.width(widths) for m, widths in self.widths.items()}


class ModelFacts(LayerFacts):
    """What config.json says of the model.

    Attributes:
        linear_propagation: whether x^l = A x^(l-1), so that x^0 tells all deeper layers.
    """

    linear_propagation: bool = False

    @property
    def of_layers(self) -> LayerFacts:
        """What the index beside the layers repeats."""
        return LayerFacts(
            widths=self.widths, readout=self.readout, readout_widths=self.readout_widths
        )

    @classmethod
    def uniform(
        cls,
        modalities: Sequence[str],
        n_layers: int,
        width: int,
        *,
        readout: Readout = Readout(),
        linear_propagation: bool = False,
    ) -> ModelFacts:
        """Of a model whose modalities have the same depth, and layers of one width."""
        widths = (width,) * (n_layers + 1)
        return cls(
            widths=dict.fromkeys(modalities, widths),
            readout=readout,
            linear_propagation=linear_propagation,
        )


class ModelFacts1(StrictModel):
    """The same in format 1: one depth and one width for all layers."""

    modalities: Annotated[
        tuple[Modality, ...],
        Field(min_length=1, max_length=MOST_MODALITIES),
        AfterValidator(_distinct),
    ]
    n_layers: Annotated[int, Field(ge=0, le=MOST_LAYERS)]
    embedding_size: Width
    readout: Literal["mean", "last"]
    linear_propagation: bool = False

    def upgraded(self) -> ModelFacts:
        return ModelFacts.uniform(
            self.modalities,
            self.n_layers,
            self.embedding_size,
            readout=Readout(self.readout),
            linear_propagation=self.linear_propagation,
        )


def _depths(widths: dict[str, tuple[int, ...]]) -> dict[str, int]:
    return {modality: len(of_layers) - 1 for modality, of_layers in widths.items()}
