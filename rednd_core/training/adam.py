"""Adam (Kingma and Ba, ICLR 2015) and AdamW (arXiv 1711.05101), by torch's fused kernel.

``torch.optim.Adam`` does the same, but its first use imports the compiler (torch._dynamo), which takes
more than a second: as long as everything else between a click and the first step.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor, nn
from torch.optim.adam import adam

MOMENTS = ("step", "exp_avg", "exp_avg_sq")
EPSILON = 1e-8


class Adam:
    """One learning rate for all parameters; ``weight_decay`` is decoupled from the gradient, as in AdamW."""

    def __init__(
        self,
        parameters: Iterable[nn.Parameter],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.999),
        weight_decay: float = 0.0,
    ) -> None:
        self.lr, self.betas, self.weight_decay = lr, betas, weight_decay
        self.parameters = list(parameters)
        self._moments = [
            {
                "step": torch.zeros((), device=values.device),
                "exp_avg": torch.zeros_like(values, requires_grad=False),
                "exp_avg_sq": torch.zeros_like(values, requires_grad=False),
            }
            for values in self.parameters
        ]

    def zero_grad(self) -> None:
        for values in self.parameters:
            values.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update every parameter that has a gradient."""
        moved = [
            (values, values.grad, moments)
            for values, moments in zip(self.parameters, self._moments, strict=True)
            if values.grad is not None
        ]
        adam(
            [values for values, _, _ in moved],
            [grad for _, grad, _ in moved],
            [moments["exp_avg"] for _, _, moments in moved],
            [moments["exp_avg_sq"] for _, _, moments in moved],
            [],
            [moments["step"] for _, _, moments in moved],
            fused=True,
            amsgrad=False,
            beta1=self.betas[0],
            beta2=self.betas[1],
            lr=self.lr,
            weight_decay=self.weight_decay,
            decoupled_weight_decay=True,
            eps=EPSILON,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        """``<parameter's number>.<moment>`` -> tensor, all that a resumed training needs."""
        return {
            f"{number}.{name}": moments[name]
            for number, moments in enumerate(self._moments)
            for name in MOMENTS
        }

    def restore(self, state: Mapping[str, Tensor]) -> None:
        """Take over a :meth:`state`; one that :meth:`check` refuses changes nothing."""
        self.check(state)
        own = self.state()
        for key, value in state.items():
            own[key].copy_(value)

    def check(self, state: Mapping[str, Tensor]) -> None:
        """Refuse a state that is not of this optimiser.

        Raises:
            ValueError: other names or shapes than its own.
        """
        own = self.state()
        if state.keys() != own.keys():
            raise ValueError(f"moments {sorted(state.keys() ^ own.keys())}")
        for key, value in state.items():
            if value.shape != own[key].shape:
                raise ValueError(f"moment {key} has another shape")
