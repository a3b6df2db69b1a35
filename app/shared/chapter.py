"""A run with its title, its alignment weight, and the depth to which its layers can be continued."""

from __future__ import annotations

from dataclasses import dataclass

from app import cached
from rednd_core.modeling.registry import model_title
from rednd_core.runs import AlignmentWeight, Run, RunRecord

DEEP = 16  # layers, after which a linear model has collapsed


@dataclass(frozen=True)
class Chapter:
    """One run."""

    run: Run
    record: RunRecord

    @property
    def title(self) -> str:
        """Name for legends, e.g. ``RedNⁿD, alignment 0.1``."""
        name = model_title(self.record.config.model)
        return name if self.alignment is None else f"{name}, alignment {self.alignment}"

    @property
    def alignment(self) -> AlignmentWeight | None:
        """Weight of the alignment loss; None for models without it."""
        return cached.alignment_weight(self.run)

    @property
    def n_layers(self) -> int:
        """Propagation steps that every modality of the run has."""
        return self.record.model.shared_depth if self.record.model else 0

    @property
    def mapped_layers(self) -> list[int]:
        """The layers that have axes in common with the last one, all modalities side by side."""
        if self.record.model is None:
            return [0]
        widths = [
            sum(of_layers[k] for of_layers in self.record.model.widths.values())
            for k in range(self.n_layers + 1)
        ]
        return [k for k, width in enumerate(widths) if width == widths[-1]]

    @property
    def can_go_on(self) -> bool:
        """Whether propagation is linear, so that all deeper layers follow from x^0."""
        model = self.record.model
        return bool(model and model.linear_propagation and model.n_layers < DEEP)

    @property
    def reach(self) -> int:
        """The deepest layer that can be known."""
        return DEEP if self.can_go_on else self.n_layers
