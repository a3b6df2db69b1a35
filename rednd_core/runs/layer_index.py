"""layers/index.json: what lies beside it."""

from __future__ import annotations

from typing import ClassVar, Literal, Self

from rednd_core.runs.facts import Count, LayerFacts, ModelFacts1
from rednd_core.runs.record import AnyRecord, is_format_1


class LayersRecord1(AnyRecord):
    """layers/index.json of format 1; ``shape`` is (N, d) of every layer."""

    format: Literal[1] = 1
    modalities: tuple[str, ...]
    n_layers: int
    shape: tuple[Count, int]
    readout: str
    epoch: Count
    written: Count


class LayersRecord(AnyRecord):
    """layers/index.json: which layers and readouts there are, written last.

    Attributes:
        facts: their shapes. n_nodes: their rows.
        written: nanoseconds since 1970; tells two writings of one epoch apart.
    """

    formats: ClassVar[str] = "format 1 or 2"
    format: Literal[2] = 2
    facts: LayerFacts
    n_nodes: Count
    epoch: Count
    written: Count

    @classmethod
    def from_text(cls, content: bytes | str) -> Self:
        if not is_format_1(content):
            return super().from_text(content)
        old = LayersRecord1.from_text(content)
        facts = ModelFacts1.model_validate(
            {
                "modalities": old.modalities,
                "n_layers": old.n_layers,
                "embedding_size": old.shape[1],
                "readout": old.readout,
            }
        ).upgraded()
        return cls(
            facts=facts.of_layers, n_nodes=old.shape[0], epoch=old.epoch, written=old.written
        )

    @property
    def version(self) -> str:
        return f"{self.epoch}-{self.written}"
