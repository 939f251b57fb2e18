"""The optimiser: Adam on a flat vector of parameters."""

from __future__ import annotations

import torch
from torch import Tensor

from sac_control.algorithms.sac.readable.parameters import Parameters


class Adam:
    """Adam (Kingma & Ba 2015, algorithm 1) for one network.

    The arithmetic is that of ``torch.optim.Adam(fused=True)``. Only the bookkeeping of parameter groups is missing: for
    networks this small it takes several times as long as the arithmetic.

    Args:
        parameters: the network.
        learning_rate: the step size.
        max_gradient_norm: longer gradients are scaled down to this Euclidean norm; 0 leaves them as they are.

    Attributes:
        gradient: (n,) float32, of the newest loss.
    """

    def __init__(self, parameters: Parameters, learning_rate: float, max_gradient_norm: float = 0.0) -> None:
        self._parameters = parameters
        self._learning_rate, self._max_gradient_norm = learning_rate, max_gradient_norm
        self.gradient = torch.zeros_like(parameters.flat)
        self._first_moment = torch.zeros_like(parameters.flat)
        self._second_moment = torch.zeros_like(parameters.flat)
        self._steps = torch.zeros((), device=parameters.flat.device)

    def minimise(self, loss: Tensor, scale: float | Tensor = 1.0) -> None:
        """Take one step down the gradient of `loss` with respect to these parameters, and to no others.

        `scale` multiplies the learning rate.
        """
        gradients = torch.autograd.grad(loss, self._parameters.tensors)
        torch.cat([gradient.reshape(-1) for gradient in gradients], out=self.gradient)
        if self._max_gradient_norm:
            norm = torch.linalg.vector_norm(self.gradient)
            self.gradient.mul_((self._max_gradient_norm / (norm + 1e-6)).clamp_max(1.0))
        self._steps += 1.0
        torch._fused_adam_(
            [self._parameters.flat],
            [self.gradient],
            [self._first_moment],
            [self._second_moment],
            [],
            [self._steps],
            lr=self._learning_rate * scale,
            beta1=0.9,
            beta2=0.999,
            weight_decay=0.0,
            eps=1e-8,
            amsgrad=False,
            maximize=False,
        )

    def state(self) -> dict[str, Tensor]:
        """The tensors themselves, by name: copy them to keep them, write into them to restore them."""
        return {"first_moment": self._first_moment, "second_moment": self._second_moment, "steps": self._steps}
