"""One update of Soft Actor-Critic without autograd: gradients derived by hand, same numbers, several times the rate.

For small networks an update's time goes into the calls, not into the arithmetic. So this file makes few calls, in
memory made once. It changes the tensors of a `SoftActorCritic` in place, through numpy's views of them, and is proven
equal to `SoftActorCritic.update`, which says the same readably. For the CPU only.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from sac_control.config import SacConfig
from sac_control.sac.learner import SoftActorCritic
from sac_control.sac.losses import Metrics
from sac_control.sac.networks import LOG_STD_BOUNDS
from sac_control.sac.parameters import Parameters
from sac_control.sac.replay_buffer import Batch
from sac_control.sac.squashed_gaussian import LOG_SQRT_TWO_PI
from sac_control.types import Float32Array

_relu_backward_ = torch.ops.aten.threshold_backward.grad_input  # zeroes deltas where the output was 0


class FastUpdate:
    """Makes updates of `sac`, on batches of ``config.batch_size``."""

    def __init__(self, sac: SoftActorCritic, config: SacConfig, *, observation_size: int, action_size: int) -> None:
        rows = config.batch_size
        self._sac, self._config = sac, config
        self._rows, self._observation_size, self._action_size = rows, observation_size, action_size
        self._actor = _Network(sac.actor, sac.actor_adam.gradient, 2 * rows, rows)
        self._critics = _Network(sac.critics, sac.critic_adam.gradient, rows, rows)
        self._targets = _Network(sac.targets, None, rows, 0)
        self._alpha_gradient = sac.alpha_adam.gradient.numpy()
        self._both: Float32Array = np.empty((2 * rows, observation_size), np.float32)  # s above s'
        self._input: Float32Array = np.empty((rows, observation_size + action_size), np.float32)  # (s, a)
        self._next_input: Float32Array = np.empty_like(self._input)  # (s', a')

    def update(self, batch: Batch) -> Metrics:
        """What `SoftActorCritic.update` does, in the same order and with the same noise.

        Raises:
            ValueError: the batch has another size than the configured one.
        """
        sac, n, o, a = self._sac, self._rows, self._observation_size, self._action_size
        if len(batch.reward) != n:
            raise ValueError(f"batch has {len(batch.reward)} rows, this update was made for {n}")
        mean, std = sac.normaliser.mean.numpy(), sac.normaliser.std.numpy()
        both = self._both
        np.subtract(batch.observation.numpy(), mean, out=both[:n])
        np.subtract(batch.next_observation.numpy(), mean, out=both[n:])
        np.divide(both, std, out=both)
        noise = sac.draw_noise(n).numpy().reshape(2 * n, a)
        log_alpha = sac.temperature.flat.numpy()[0]  # a copy: α is that of before its step throughout
        alpha = np.exp(log_alpha)

        # The policy at s and s' in one pass: u = μ + σ ε, a = tanh u
        head = self._actor.forward(both)
        raw_log_std = head[:, a:]
        log_std = np.clip(raw_log_std, *LOG_STD_BOUNDS)
        deviation = np.exp(log_std) * noise  # σ ε
        u = head[:, :a] + deviation
        action = np.tanh(u)
        log_prob = (
            2.0 * (np.logaddexp(0.0, 2.0 * u) - u - np.log(2.0))  # -log(1 - tanh² u)
            - (log_std + 0.5 * np.square(noise) + LOG_SQRT_TWO_PI)  # log N(u; μ, σ)
        ).sum(-1, dtype=np.float32)

        figures = {"alpha": np.array(alpha)}
        if self._config.learn_alpha:
            excess = log_prob[:n] + np.float32(sac.target_entropy)
            self._alpha_gradient[0] = -excess.mean()
            sac.alpha_adam.step()
            figures["alpha_loss"] = -log_alpha * excess

        # Critics: y = r + γ (1 - terminated) (min Q̄(s', a') - α log π(a'|s')), ∂J/∂Q = (Q - y) / n
        self._next_input[:, :o] = both[n:]
        self._next_input[:, o:] = action[n:]
        next_value = self._targets.forward(self._next_input)[..., 0].min(0) - alpha * log_prob[n:]
        next_value[batch.terminated.numpy()] = 0.0
        target_q = batch.reward.numpy() + np.float32(self._config.gamma) * next_value
        self._input[:, :o] = both[:n]
        self._input[:, o:] = batch.action.numpy()
        q = self._critics.forward(self._input)[..., 0].copy()
        error = q - target_q
        np.divide(error, np.float32(n), out=self._critics.deltas[-1][..., 0])
        self._critics.differentiate_parameters(self._input)
        sac.critic_adam.step()

        # Actor: J = mean(α log π - min Q). ∂log π/∂u = 2 tanh u, ∂a/∂u = 1 - a², ∂u/∂μ = 1, ∂u/∂log σ = σ ε
        self._input[:, o:] = action[:n]
        values = self._critics.forward(self._input)[..., 0]
        first_is_least = values[0] <= values[1]
        least = np.where(first_is_least, values[0], values[1])
        delta = self._critics.deltas[-1][..., 0]
        delta[0], delta[1] = first_is_least * np.float32(-1.0 / n), ~first_is_least * np.float32(-1.0 / n)
        of_action = self._critics.differentiate_input(o).sum(0)
        taken = action[:n]
        of_u = of_action * (1.0 - np.square(taken)) + (2.0 * alpha / np.float32(n)) * taken
        of_log_std = of_u * deviation[:n] - alpha / np.float32(n)
        of_log_std[log_std[:n] != raw_log_std[:n]] = 0.0  # clamped
        head_delta = self._actor.deltas[-1]
        head_delta[:, :a], head_delta[:, a:] = of_u, of_log_std
        self._actor.differentiate_parameters(both)
        sac.actor_adam.step()

        sac.targets.flat.lerp_(sac.critics.flat, self._config.tau)
        figures |= {
            "critic_loss": np.square(error),
            "q": q,
            "actor_loss": alpha * log_prob[:n] - least,
            "entropy": -log_prob[:n],
        }
        return {name: torch.from_numpy(values) for name, values in figures.items()}


class _Network:
    """Forward and backward pass of a ReLU network, or of stacked twins, in memory made once.

    Products are numpy's and the rest is torch's, on the same memory: each is the faster one at its part.

    Args:
        parameters: whose tensors are read: weight (…, in, out) and bias of each layer.
        gradient: flat vector that receives the gradients of the parameters, or None.
        rows: rows of the input.
        learning_rows: the first of these, which gradients are made of.
    """

    def __init__(self, parameters: Parameters, gradient: Tensor | None, rows: int, learning_rows: int) -> None:
        tensors = [tensor.detach() for tensor in parameters.tensors]
        self._weights: list[Float32Array] = [tensor.numpy() for tensor in tensors[::2]]
        self._biases = tensors[1::2]
        stack = self._weights[0].shape[:-2]
        widths = [weight.shape[-1] for weight in self._weights]
        self._outputs = [torch.empty((*stack, rows, width)) for width in widths]
        self._output_arrays: list[Float32Array] = [output.numpy() for output in self._outputs]
        if gradient is None:
            return
        parts = gradient.split_with_sizes([tensor.numel() for tensor in tensors])
        shaped = [part.view(tensor.shape).numpy() for part, tensor in zip(parts, tensors, strict=True)]
        self._weight_gradients: list[Float32Array] = shaped[::2]
        self._bias_gradients: list[Float32Array] = [
            array.reshape((*stack, 1, width)) for array, width in zip(shaped[1::2], widths, strict=True)
        ]
        self._learning_outputs = [output[..., :learning_rows, :] for output in self._outputs]
        self._delta_tensors = [torch.empty((*stack, learning_rows, width)) for width in widths]
        self.deltas: list[Float32Array] = [delta.numpy() for delta in self._delta_tensors]  # ∂J/∂(layer before ReLU)
        self._transposed: list[Float32Array] = [
            np.empty((*stack, *weight.shape[:-3:-1]), np.float32) for weight in self._weights
        ]
        self._ones: Float32Array = np.ones((1, learning_rows), np.float32)
        self._learning_rows = learning_rows

    def forward(self, x: Float32Array) -> Float32Array:
        """Output (…, rows, out) for input (rows, in); it is overwritten by the next call."""
        last = self._outputs[-1]
        for weight, bias, output, array in zip(
            self._weights, self._biases, self._outputs, self._output_arrays, strict=True
        ):
            np.matmul(x, weight, out=array)
            output.add_(bias)
            if output is not last:
                output.relu_()
            x = array
        return x

    def differentiate_parameters(self, x: Float32Array) -> None:
        """Gradients of all parameters, from `deltas[-1]` and the input `x` of the last `forward`."""
        for k in reversed(range(len(self._weights))):
            inputs = self._learning_outputs[k - 1].numpy() if k else x[: self._learning_rows]
            np.matmul(inputs.swapaxes(-1, -2), self.deltas[k], out=self._weight_gradients[k])
            np.matmul(self._ones, self.deltas[k], out=self._bias_gradients[k])
            if k:
                self._propagate(k)

    def differentiate_input(self, first: int) -> Float32Array:
        """Gradient (…, rows, in - first) of the input's columns from `first` on, from `deltas[-1]`."""
        for k in reversed(range(1, len(self._weights))):
            self._propagate(k)
        gradient: Float32Array = np.matmul(self.deltas[0], self._weights[0][..., first:, :].swapaxes(-1, -2))
        return gradient

    def _propagate(self, k: int) -> None:
        """`deltas[k - 1]` from `deltas[k]`."""
        np.copyto(self._transposed[k], self._weights[k].swapaxes(-1, -2))  # a product by a copy is the faster one
        np.matmul(self.deltas[k], self._transposed[k], out=self.deltas[k - 1])
        delta = self._delta_tensors[k - 1]
        _relu_backward_(delta, self._learning_outputs[k - 1], 0, grad_input=delta)
