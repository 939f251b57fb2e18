"""What may be commanded just now: limits of the policy and of the settings, and a ramp after arming. Knows no ROS."""

from __future__ import annotations

import numpy as np

from sac_control.policy.joint_limits import command_limits, command_rates
from sac_control.policy.limits import Limiter
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.safe_command import SafeCommand
from sac_control.policy.safety import Safety
from sac_control.types import FloatArray, Specification


class CommandLimiter:
    """Limits one command after the other. Units are those of each joint's interface.

    Args:
        config: says by how much commands are limited further than the policy limits them.
        safety: knows when it was armed.

    Attributes:
        scale: (a,) float64, what an action of 1 commands.
        limits: (a,) float64, largest commands: the policy's own, or less by the settings.
        safe: the command where nothing may move; of length 0 before `fit`.
        clamped: commands that the settings' limits changed; that an action beyond 1 is cut to 1 is no change.
        answered_at: [s] steady time of the newest answer, whatever it commanded. Whoever answers sets it.
    """

    def __init__(self, config: PolicyConfig, safety: Safety) -> None:
        self._config, self._safety = config, safety
        self._specification: Specification | None = None
        self._control_period = 0.0  # [s]
        self.scale: FloatArray = np.zeros(0)
        self.limits: FloatArray = np.zeros(0)
        self.safe = SafeCommand()
        self._limiter = Limiter(self.limits, safe=self.safe)
        self._has_own_limits_alone = _has_own_limits_alone(config)
        self.clamped = 0
        self.answered_at = 0.0

    def fit(self, specification: Specification) -> None:
        """Limit commands of a policy for `specification` from now on.

        Raises:
            ConfigError: the settings limit joints that it does not drive.
        """
        self._specification, self._control_period = specification, specification.control_period
        self.scale = np.array(specification.command_limit)
        self.limits = command_limits(self._config, specification)
        self.safe = SafeCommand.of(specification)
        self._limiter = Limiter(self.limits, command_rates(self._config, specification), self.safe)

    def set(self, config: PolicyConfig) -> None:
        """Limit by other settings from now on."""
        self._config, self._has_own_limits_alone = config, _has_own_limits_alone(config)
        if self._specification is not None:
            self.limits = command_limits(config, self._specification)
            self._limiter.set(self.limits, command_rates(config, self._specification))

    def limit(self, command: FloatArray, last: int | None, stamp: int, now: float) -> FloatArray | None:
        """What may be commanded of `command`, (a,) float64; None where a value is not finite.

        Args:
            command: (a,) float64, what the policy wants.
            last: stamp of the state answered last [ns]; None where there is none.
            stamp: that of the state which is answered [ns].
            now: steady time [s].
        """
        if self._has_own_limits_alone:
            return self._limiter.limit(command)
        limited = self._limiter.limit(command, self._elapsed(last, stamp, now), self.authority(now))
        if limited is not None and limited.tolist() != command.tolist():
            self.clamped += limited.tolist() != np.clip(command, -self.scale, self.scale).tolist()
        return limited

    def release(self) -> FloatArray:
        """The safe command, (a,) float64, at once; the next command starts from there."""
        return self._limiter.release()

    def authority(self, now: float) -> float:
        """Share of the limits that may be used, growing from 0 to 1 after arming."""
        ramp = self._config.ramp_s
        return min(1.0, (now - self._safety.armed_at) / ramp) if ramp else 1.0

    def _elapsed(self, last: int | None, stamp: int, now: float) -> float:
        """Time for which commands may have changed since the last answer [s], at most a control period.

        In lockstep it is simulated, so that the same states give the same commands.
        """
        if not self._config.lockstep:
            return min(now - self.answered_at, self._control_period)
        if last is None or stamp < last:
            return self._control_period
        return min(1e-9 * (stamp - last), self._control_period)


def _has_own_limits_alone(config: PolicyConfig) -> bool:
    """Whether the policy's own limits are all there is, so that no command needs to be changed."""
    return not (config.max_command_rate or config.ramp_s or config.command_limit)
