"""Soft Actor-Critic on the CPU, by the compiled library of `native/`. Knows nothing of what the library does inside.

Several updates are one call, which holds no interpreter lock. Tests hold it equal to `readable/`.
"""

from __future__ import annotations

import ctypes
import math
from collections.abc import Mapping
from ctypes import POINTER, byref, c_double, c_float, c_int32, c_int64, c_void_p
from functools import cache
from pathlib import Path

import numpy as np

from sac_control import __path__ as package_path  # source tree and installation: the library is in the latter
from sac_control.algorithms.layout import actor_layout, critic_layout, initial_actor
from sac_control.algorithms.learner import actor_from, vector_of
from sac_control.algorithms.replay_buffer import Batch
from sac_control.algorithms.sac.sac_config import SacConfig
from sac_control.algorithms.sac.sac_learner import SacLearner
from sac_control.errors import SacControlError
from sac_control.types import ActorParameters, Array, Float32Array

LIBRARY = "libsac_update.so"
INTERFACE = 1  # of native/sac_update.h


class NativeLearner(SacLearner):
    """The algorithm of `SoftActorCritic`, with gradients derived by hand.

    Raises:
        SacControlError: the library is not there, or is of another version.
    """

    def __init__(self, config: SacConfig, *, observation_size: int, action_size: int, seed: int) -> None:
        super().__init__(config, observation_size=observation_size, action_size=action_size, seed=seed)
        self._library = _library()
        sizes = (observation_size, action_size, config.hidden_sizes)
        self._actor_layout, critics = actor_layout(*sizes), critic_layout(*sizes)
        self._actor = _Trained(initial_actor(self._actor_layout, self.generator))
        self._critics = _Trained(critics.initial(self.generator))
        self._targets: Float32Array = self._critics.parameters.copy()
        self._log_alpha = _Trained(np.full(1, math.log(config.alpha), np.float32))
        self._values = [critics.views(flat)[-1] for flat in (self._critics.parameters, self._targets)]
        hidden = (c_int32 * len(config.hidden_sizes))(*config.hidden_sizes)
        shape = _Shape(observation_size, action_size, config.batch_size, len(hidden), hidden, config.threads)
        self._handle = c_void_p(self._library.sac_create(byref(shape)))
        if not self._handle:
            raise SacControlError(f"no memory for updates of hidden_sizes {config.hidden_sizes}: choose smaller ones")
        self._metrics: _Metrics | None = None
        self._is_finite = True

    def __del__(self) -> None:
        if getattr(self, "_handle", None):
            self._library.sac_destroy(self._handle)

    def update(self, batch: Batch) -> None:
        """Make one update on each of the k batches in turn.

        Raises:
            ValueError: the batches have another size than the configured one.
        """
        config, (count, rows) = self.config, batch.reward.shape
        if rows != config.batch_size:
            raise ValueError(f"batch has {rows} rows, these updates were made for {config.batch_size}")
        settings = _Settings(
            config.actor_learning_rate,
            config.critic_learning_rate,
            self.alpha_learning_rate,
            float(self.learning_rate_scale),
            config.tau,
            float(self.target_entropy),
            config.max_gradient_norm,
            config.learn_alpha,
            config.policy_delay,
            config.target_update_interval,
        )
        trained = [each.fields() for each in (self._actor, self._critics, self._log_alpha)]
        mean, std = self.normaliser.mean, self.normaliser.std
        state = _State(*trained, *map(_address, (self._targets, mean, std)), int(self._updates))
        discount = np.where(batch.terminated, np.float32(0.0), np.float32(config.gamma))
        noise = self.draw_noise(count, rows)
        reward = np.float32(config.reward_scale) * batch.reward
        arrays = (batch.observation, batch.action, reward, batch.next_observation, discount, noise)
        inputs = [np.ascontiguousarray(array, np.float32) for array in arrays]
        metrics = self._metrics or _Metrics()
        result = self._library.sac_update(
            self._handle, byref(settings), byref(state), byref(_Batch(*map(_address, inputs))), count, byref(metrics)
        )
        self._is_finite = result == 1
        self._metrics = metrics
        for each, fields in zip(
            (self._actor, self._critics, self._log_alpha), (state.actor, state.critics, state.log_alpha), strict=True
        ):
            each.steps[()] = fields.steps
        self._updates[()] = state.updates

    def metrics(self) -> dict[str, float]:
        if self._metrics is None:
            return {}
        figures = {name: float(getattr(self._metrics, name)) for name, _ in _Metrics._fields_}
        if not self.config.learn_alpha:
            del figures["alpha_loss"]
        return figures

    def start_values_at(self, value: float) -> None:
        for bias in self._values:
            bias += np.float32(self.config.reward_scale * value)

    def is_finite(self) -> bool:
        # A gradient too large for the second moment makes that infinite, and then no step moves anything any more.
        with np.errstate(over="ignore"):  # what is so large that its sum is infinite has diverged, too
            return self._is_finite and all(math.isfinite(array.sum()) for array in self._arrays().values())

    def actor_parameters(self) -> ActorParameters:
        return actor_from(self._actor.parameters, self._actor_layout, self.normaliser)

    def take_actor(self, actor: ActorParameters) -> None:
        self._actor.parameters[:] = vector_of(actor, self.normaliser)

    def _arrays(self) -> dict[str, Array]:
        parts = {
            "actor": self._actor.arrays(),
            "critics": self._critics.arrays(),
            "targets": {"parameters": self._targets},
            "log_alpha": self._log_alpha.arrays(),
        }
        return {f"{part}.{name}": array for part, arrays in parts.items() for name, array in arrays.items()}

    def _load(self, arrays: Mapping[str, Array]) -> None:
        for name, array in self._arrays().items():
            array[...] = arrays[name]
        self._is_finite = True


class _Trained:
    """A vector of parameters with the state of its optimiser."""

    def __init__(self, parameters: Float32Array) -> None:
        self.parameters = parameters
        self.first_moment, self.second_moment = np.zeros_like(parameters), np.zeros_like(parameters)
        self.steps = np.zeros((), np.float32)

    def arrays(self) -> dict[str, Array]:
        return {
            "parameters": self.parameters,
            "first_moment": self.first_moment,
            "second_moment": self.second_moment,
            "steps": self.steps,
        }

    def fields(self) -> _TrainedFields:
        vectors = (self.parameters, self.first_moment, self.second_moment)
        return _TrainedFields(*map(_address, vectors), int(self.steps))


def _address(array: Array) -> int:
    return array.ctypes.data


# The structures of native/sac_update.h, field by field.


class _Shape(ctypes.Structure):
    _fields_ = (
        ("observation_size", c_int32),
        ("action_size", c_int32),
        ("batch_size", c_int32),
        ("hidden_layers", c_int32),
        ("hidden_sizes", POINTER(c_int32)),
        ("threads", c_int32),
    )


class _Settings(ctypes.Structure):
    _fields_ = (
        ("actor_learning_rate", c_double),
        ("critic_learning_rate", c_double),
        ("alpha_learning_rate", c_double),
        ("learning_rate_scale", c_double),
        ("tau", c_double),
        ("target_entropy", c_double),
        ("max_gradient_norm", c_double),
        ("learn_alpha", c_int32),
        ("policy_delay", c_int32),
        ("target_update_interval", c_int32),
    )


class _TrainedFields(ctypes.Structure):
    _fields_ = (
        ("parameters", c_void_p),
        ("first_moment", c_void_p),
        ("second_moment", c_void_p),
        ("steps", c_int64),
    )


class _State(ctypes.Structure):
    _fields_ = (
        ("actor", _TrainedFields),
        ("critics", _TrainedFields),
        ("log_alpha", _TrainedFields),
        ("targets", c_void_p),
        ("mean", c_void_p),
        ("std", c_void_p),
        ("updates", c_int64),
    )


class _Batch(ctypes.Structure):
    _fields_ = (
        ("observation", c_void_p),
        ("action", c_void_p),
        ("reward", c_void_p),
        ("next_observation", c_void_p),
        ("discount", c_void_p),
        ("noise", c_void_p),
    )


class _Metrics(ctypes.Structure):
    _fields_ = (
        ("critic_loss", c_float),
        ("q", c_float),
        ("alpha", c_float),
        ("actor_loss", c_float),
        ("entropy", c_float),
        ("alpha_loss", c_float),
    )


@cache
def _library() -> ctypes.CDLL:
    for directory in package_path:
        path = Path(directory) / LIBRARY
        if path.is_file():
            library = ctypes.CDLL(str(path))
            if library.sac_interface() != INTERFACE:
                raise SacControlError(f"{path} is of another version: build the package again")
            library.sac_create.restype = c_void_p
            library.sac_update.argtypes = (c_void_p, *(c_void_p,) * 3, c_int32, c_void_p)
            library.sac_destroy.argtypes = (c_void_p,)
            return library
    raise SacControlError(
        f"{LIBRARY} is in none of {', '.join(package_path)}: build the package (pip install ., or colcon build), "
        "or set learner.backend to torch"
    )
