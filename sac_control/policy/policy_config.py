"""Settings of the policy node."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from sac_control import per_joint
from sac_control.errors import ConfigError
from sac_control.identity import run_id_option
from sac_control.option import Config, option

SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 0.001, 0.2  # [s] of the state, unless longer ones are allowed


@dataclass(frozen=True, kw_only=True)
class PolicyConfig(Config):
    """The policy node: what it runs, and when it stops trusting its input."""

    renamed: ClassVar[Mapping[str, str]] = {
        "max_effort": "max_command",
        "effort_limit": "command_limit",
        "max_effort_rate": "max_command_rate",
    }

    run_id: str = run_id_option(
        "training or evaluation that this node belongs to: it answers its simulator alone, on policy/action alone; "
        "empty: it drives a robot"
    )
    accept_weights: str = run_id_option("id of the run whose policy_weights are accepted; empty: none are")

    task: str = option("inverted_pendulum", "task for which weights are accepted")
    policy_file: str = option("", "policy.safetensors to start with; empty waits for policy_weights")
    shadow_policy_file: str = option(
        "", "second policy.safetensors, whose hypothetical actions are published on policy/shadow_action; empty: none"
    )
    deterministic: bool = option(True, "false samples actions from the policy, to explore")
    seed: int = option(0, "seed of the exploration noise", low=0, high=2**31 - 1)
    state_timeout: float = option(
        0.0,
        "the safe command (effort 0, velocity 0, or the position last measured) is sent once the newest state is older "
        "than this; "
        "0: three control periods, from 0.05 to 0.2 [s]",
        low=0.0,
        high=10.0,
    )
    allow_long_timeout: bool = option(False, "allow a state_timeout longer than 0.2 s")
    lockstep: bool = option(False, "states come from a simulator that waits for each answer: a pause disarms nothing")
    check_stamps: bool = option(
        True,
        "on a robot: reject a state whose stamp differs by more than state_timeout from system time, or from /clock "
        "with use_sim_time",
    )
    decimation: int = option(
        1,
        "on a robot whose states come at n times the policy's rate: answer every n-th state, by its stamp; 1: each",
        low=1,
        high=1000,
    )
    require_arm: bool = option(
        False, "move nothing before the service policy/arm, at start and after each loss of joint_states"
    )
    dry_run: bool = option(False, "compute and publish everything except the command")
    control_period: float = option(
        0.0,
        "control period of the robot; policies with another one are rejected; 0: any [s]",
        low=0.0,
        high=10.0,
    )
    joints: str = option("", "driven joints in the order of the command; policies for others are rejected; empty: any")
    accept_without_region: bool = option(
        False, "on a robot: arm a policy whose file holds no region of training states"
    )
    joint_map: str = option(
        "",
        "names that joints have on the robot, by the policy's, as 'cart: robot1/cart, pole: robot1/pole'",
        is_verbatim=True,
    )
    joint_offset: str = option(
        "",
        "robot's position where the policy has zero, by the policy's joint, as 'pole: 3.14159'; "
        "policy's position = sign * (robot's - offset) [m or rad]",
        is_verbatim=True,
    )
    joint_sign: str = option(
        "",
        "-1 where a joint's positive directions differ, as 'pole: -1'; of positions, velocities and commands",
        is_verbatim=True,
    )
    max_command: float | str = option(
        0.0,
        "policies with larger limits are rejected; of several driven joints by name, 'arm: 0.05, wheel: 3'; "
        "0: none [unit of the joint's interface: N or N m, m/s or rad/s, m or rad]",
        low=0.0,
        high=1e9,
        is_verbatim=True,
    )
    command_limit: float | str = option(
        0.0,
        "limit of commands, in addition to the policy's own limits; of several driven joints by name; "
        "0: none [unit of the joint's interface]",
        low=0.0,
        high=1e9,
        is_verbatim=True,
    )
    max_command_rate: float | str = option(
        0.0,
        "rate limit of commands; of several driven joints by name; 0: none [unit of the joint's interface, per second]",
        low=0.0,
        high=1e9,
        is_verbatim=True,
    )
    ramp_s: float = option(
        0.0,
        "soft start: time in which the limits grow from 0 after arming; of positions, from the measured one [s]",
        low=0.0,
        high=60.0,
    )
    envelope: str = option(
        "",
        "outside of it the safe command is latched; such as '-0.9 < position(cart) < 0.9; -8 < velocity(pole) < 8'",
    )
    frozen_periods: int = option(
        25,
        "on a robot: control periods after which a joint counts as frozen, and latches the safe command, where its "
        "position and velocity do not change by a bit under frozen_share of the limit or more; 0: off",
        low=0,
        high=10_000,
    )
    frozen_share: float = option(
        0.3,
        "share of the command limit (positions: of the distance left) that overcomes the friction of a joint; see "
        "frozen_periods",
        low=0.01,
        high=1.0,
    )
    realtime_priority: int = option(
        0,
        "priority of SCHED_FIFO for all threads of the process, where the system allows it; 0: ordinary",
        low=0,
        high=99,
    )
    lock_memory: bool = option(False, "lock the memory of the process (mlockall), where the system allows it")
    max_weights_bytes: int = option(2**26, "larger policy_weights are rejected unread [bytes]", low=1024, high=2**26)
    require_signature: bool = option(
        False, "reject policies, of policy_file and policy_weights, without a signature by a key in trusted_keys"
    )
    trusted_keys: str = option("", "file of Ed25519 public keys in PEM; see sac_control keys")
    period_warning: float = option(
        0.05, "relative deviation of the mean state period that is reported as WARN", low=0.0, high=100.0
    )
    period_error: float = option(
        0.2,
        "relative deviation of the state period, by stamps or on a robot by arrival, at which arming is rejected and a "
        "robot gets the safe command; 100: off",
        low=0.0,
        high=100.0,
    )
    jitter_warning: float = option(
        0.2, "standard deviation of the state period, as a share of it, that is reported as WARN", low=0.0, high=100.0
    )
    jitter_error: float = option(
        0.5, "standard deviation of the state period, as a share of it, that is reported as ERROR", low=0.0, high=100.0
    )
    autostart: bool = option(True, "configure and activate without waiting for a lifecycle manager")
    wait_warning: float = option(10.0, "warn after this long without a message from a peer [s]", low=0.5, high=600.0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.state_timeout > LONGEST_TIMEOUT and not self.allow_long_timeout:
            raise ConfigError(
                f"policy.state_timeout is {self.state_timeout!r}: an older state is stale for a robot; "
                f"expected at most {LONGEST_TIMEOUT:g}, or set policy.allow_long_timeout"
            )
        if 0.0 < self.state_timeout < SHORTEST_TIMEOUT:
            raise ConfigError(f"policy.state_timeout is {self.state_timeout!r}: expected 0 or at least 0.001")
        self._check_joints()
        if self.control_period and (complaint := self.timeout_complaint(self.control_period)):
            raise ConfigError(complaint)
        if self.decimation > 1 and not self.drives_robot:
            raise ConfigError(
                f"policy.decimation is {self.decimation}: a simulator waits for an answer to each of its states; "
                "leave it out in a training or an evaluation"
            )

    def _check_joints(self) -> None:
        """See that what tells of the robot's joints is written as it must be; whose joints they are is seen later."""
        per_joint.parse_texts("policy.joint_map", self.joint_map, "'cart: robot1/cart, pole: robot1/pole'")
        per_joint.parse_numbers("policy.joint_offset", self.joint_offset, "'pole: 3.14159'")
        signs = per_joint.parse_numbers("policy.joint_sign", self.joint_sign, "'pole: -1'")
        for name, sign in signs.items():
            if abs(sign) != 1.0:
                raise ConfigError(f"policy.joint_sign of joint {name!r} is {sign:g}: expected 1 or -1")
        for name in ("joint_map", "joint_offset", "joint_sign"):
            if getattr(self, name).strip() and not self.drives_robot:
                raise ConfigError(
                    f"policy.{name} is set, but this node belongs to a training or an evaluation, whose simulator has "
                    "the policy's own joints: leave it out"
                )

    @property
    def drives_robot(self) -> bool:
        """Whether the node commands a robot: one in lockstep, or of a training or an evaluation, does not."""
        return not (self.lockstep or self.run_id)

    def timeout_complaint(self, control_period: float) -> str:
        """Why no policy with `control_period` [s] could ever be armed with this state_timeout; empty where it could."""
        timeout = self.timeout(control_period)
        if timeout > control_period or self.lockstep:
            return ""
        return (
            f"policy.state_timeout is {timeout:g} s, the control period {control_period:g} s: each state would be too "
            f"old before the next one comes; set policy.state_timeout to {3.0 * control_period:g}"
            + (" and policy.allow_long_timeout" if 3.0 * control_period > LONGEST_TIMEOUT else "")
        )

    def timeout(self, control_period: float) -> float:
        """The timeout in force [s] for a policy with `control_period` [s]."""
        return self.state_timeout or min(max(3.0 * control_period, 0.05), LONGEST_TIMEOUT)
