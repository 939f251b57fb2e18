"""Every setting of the package: one frozen dataclass per concern, with each default, unit and check written once.

The ROS parameters of the nodes are declared from these classes, and the run directory's ``config.yaml`` is written from
them. Reading and writing files is not done here (see runs/config_file.py).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sac_control import per_joint
from sac_control.errors import ConfigError
from sac_control.identity import PATTERN
from sac_control.option import Config, option

SHORTEST_TIMEOUT, LONGEST_TIMEOUT = 0.001, 0.2  # [s] of the state, unless longer ones are allowed


def _run_id_option(description: str) -> Any:
    return option("", description, pattern=f"{PATTERN}|", form="32 hexadecimal digits, or nothing")


@dataclass(frozen=True, kw_only=True)
class SimulatorConfig(Config):
    """The simulator node: which task, and how its time advances."""

    run_id: str = _run_id_option(
        "training or evaluation that this simulator belongs to: its states are for that one's policy node alone, whose "
        "answers on policy/action are the commands; empty: in realtime it stands in for a robot"
    )

    task: str = option("inverted_pendulum", "task to simulate")
    mode: str = option(
        "lockstep",
        "lockstep waits for the answer to each state; realtime follows a steady clock, as hardware would",
        choices=("lockstep", "realtime"),
    )
    real_time_factor: float = option(1.0, "realtime: simulated seconds per second", low=0.2, high=100.0)
    seed: int = option(0, "seed of the start states", low=0, high=2**31 - 1)
    headless: bool = option(True, "false opens a window that shows the physics")
    max_episode_steps: int = option(0, "steps until an episode is truncated; 0 takes the task's own", low=0, high=10**6)
    answer_timeout: float = option(
        0.2, "lockstep: a state unanswered for this long is sent again [s]", low=0.01, high=10.0
    )
    command_timeout: float = option(
        0.05, "realtime: the force is zero while the newest command is older than this [s]", low=0.001, high=0.2
    )
    publish_clock: bool = option(
        False,
        "publish simulated time on /clock, for nodes with use_sim_time, and stamp states with it; a simulator that "
        "stands in for a robot stamps them with system time otherwise",
    )
    flow_control: bool = option(True, "lockstep: send no more transitions than learner/credit allows")
    wait_warning: float = option(
        10.0, "say what is missing after waiting this long for a peer [s]", low=0.5, high=600.0
    )

    def check_period(self, control_period: float) -> None:
        """See that commands can come in time where this is the control period [s] of the task.

        Raises:
            ConfigError: each would be too old before the next one came, so that nothing would ever move.
        """
        period = control_period / self.real_time_factor
        if self.mode == "realtime" and self.command_timeout <= period:
            raise ConfigError(
                f"simulator.command_timeout is {self.command_timeout:g}, but commands come every {period:.4g} s "
                f"(control period {control_period:g} s, simulator.real_time_factor {self.real_time_factor:g}): "
                "choose a longer one, or a larger factor"
            )


@dataclass(frozen=True, kw_only=True)
class PolicyConfig(Config):
    """The policy node: what it runs, and when it stops trusting its input."""

    run_id: str = _run_id_option(
        "training or evaluation that this node belongs to: it answers its simulator alone, on policy/action alone; "
        "empty: it drives a robot"
    )
    accept_weights: str = _run_id_option("id of the run whose policy_weights are accepted; empty: none are")

    task: str = option("inverted_pendulum", "task for which weights are accepted")
    policy_file: str = option("", "policy.safetensors to start with; empty waits for policy_weights")
    shadow_policy_file: str = option(
        "", "second policy.safetensors, whose hypothetical actions are published on policy/shadow_action; empty: none"
    )
    deterministic: bool = option(True, "false samples actions from the policy, to explore")
    seed: int = option(0, "seed of the exploration noise", low=0, high=2**31 - 1)
    state_timeout: float = option(
        0.0,
        "the commanded effort is zero once the newest state is older than this; "
        "0: three control periods, from 0.05 to 0.2 [s]",
        low=0.0,
        high=10.0,
    )
    allow_long_timeout: bool = option(False, "let state_timeout be longer than 0.2 s")
    lockstep: bool = option(False, "states come from a simulator that waits for each answer: silence disarms nothing")
    check_stamps: bool = option(
        True,
        "on a robot: a state whose stamp differs by more than state_timeout from system time, or from /clock with "
        "use_sim_time, counts as none",
    )
    decimation: int = option(
        1,
        "on a robot whose states come at a whole multiple of the policy's rate: answer one of so many, chosen by its "
        "stamp; 1: each",
        low=1,
        high=1000,
    )
    require_arm: bool = option(False, "move nothing before the service policy/arm, at the start and after each silence")
    dry_run: bool = option(False, "compute and publish everything except the command")
    control_period: float = option(
        0.0,
        "time from one joint state to the next; policies for another one are refused; 0: any [s]",
        low=0.0,
        high=10.0,
    )
    joints: str = option("", "driven joints in the order of the command; policies for others are refused; empty: any")
    accept_without_region: bool = option(
        False, "on a robot: arm a policy whose file does not hold the region of states that training has seen"
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
    max_effort: float | str = option(
        0.0,
        "policies with larger effort limits are refused; of several driven joints by name, 'arm: 0.05, wheel: 3'; "
        "0: none [N or N m]",
        low=0.0,
        high=1e9,
        is_verbatim=True,
    )
    effort_limit: float | str = option(
        0.0,
        "efforts are limited to this, beside the policy's own limits; of several driven joints by name; "
        "0: by those alone [N or N m]",
        low=0.0,
        high=1e9,
        is_verbatim=True,
    )
    max_effort_rate: float | str = option(
        0.0,
        "largest change of a commanded effort per second; of several driven joints by name; 0: any [N/s or N m/s]",
        low=0.0,
        high=1e9,
        is_verbatim=True,
    )
    ramp_s: float = option(0.0, "time in which the effort limits grow from 0 after arming [s]", low=0.0, high=60.0)
    envelope: str = option(
        "", "beyond it the node latches zero; such as '-0.9 < position(cart) < 0.9; -8 < velocity(pole) < 8'"
    )
    frozen_periods: int = option(
        25,
        "on a robot: a joint whose position and velocity stay the same to the last bit for so many control periods, "
        "pushed one way by frozen_share of the effort limit or more, latches zero; 0: none does",
        low=0,
        high=10_000,
    )
    frozen_share: float = option(
        0.3, "share of the effort limit beyond which no friction holds a joint; see frozen_periods", low=0.01, high=1.0
    )
    realtime_priority: int = option(
        0,
        "priority of SCHED_FIFO for all threads of the process, where the system allows it; 0: ordinary",
        low=0,
        high=99,
    )
    lock_memory: bool = option(False, "keep the process's memory from being swapped out, where the system allows it")
    max_weights_bytes: int = option(2**26, "larger policy_weights are refused unread [bytes]", low=1024, high=2**26)
    require_signature: bool = option(
        False, "refuse policies, from policy_file and policy_weights alike, that no key in trusted_keys has signed"
    )
    trusted_keys: str = option("", "file of Ed25519 public keys in PEM; see sac_control keys")
    period_warning: float = option(
        0.05, "diagnostics warn where the mean period of states differs by this share", low=0.0, high=100.0
    )
    period_error: float = option(
        0.2,
        "where the period of states differs by this share, by stamps or on a robot by arrival, nothing is armed, and "
        "what a robot does ends in zero; 100: it is not judged",
        low=0.0,
        high=100.0,
    )
    jitter_warning: float = option(
        0.2, "diagnostics warn where the period's deviation exceeds this share of it", low=0.0, high=100.0
    )
    jitter_error: float = option(
        0.5, "deviation of the period, as a share of it, that is reported as ERROR", low=0.0, high=100.0
    )
    autostart: bool = option(True, "configure and activate without waiting for a lifecycle manager")
    wait_warning: float = option(
        10.0, "say what is missing after waiting this long for a peer [s]", low=0.5, high=600.0
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.state_timeout > LONGEST_TIMEOUT and not self.allow_long_timeout:
            raise ConfigError(
                f"policy.state_timeout is {self.state_timeout!r}: a robot that acts on a state so old is blind; "
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


@dataclass(frozen=True, kw_only=True)
class SacConfig(Config):
    """Hyperparameters of Soft Actor-Critic (Haarnoja et al. 2018b).

    Each option alone is checked here. Which options contradict each other is said by sac/choice.py.
    """

    algorithm: str = option(
        "sac",
        "sac: two critics and a learnt temperature (2018b); sac_v1: value network and scaled rewards (2018a)",
        choices=("sac", "sac_v1"),
    )
    hidden_sizes: tuple[int, ...] = option(
        (64, 64), "units of each hidden layer of actor and critics", low=1, high=4096
    )
    batch_size: int = option(128, "transitions per update", low=1, high=65536)
    buffer_capacity: int = option(1_000_000, "transitions kept for replay", low=1, high=10**8)
    gamma: float = option(0.985, "discount per control period", low=0.0, high=1.0)
    tau: float = option(
        0.1, "Polyak averaging: share of the critics that enters their targets per update", low=0.0, high=1.0
    )
    reward_scale: float = option(
        1.0,
        "factor of the rewards in the losses: bring values to some tens; sac_v1: the inverse of a temperature",
        low=1e-6,
        high=1e6,
    )
    actor_learning_rate: float = option(3e-3, "step size of the actor's optimiser", low=0.0, high=1.0)
    critic_learning_rate: float = option(3e-3, "step size of the critics' optimiser", low=0.0, high=1.0)
    alpha_learning_rate: float = option(3e-3, "step size of the temperature's optimiser", low=0.0, high=1.0)
    alpha: float = option(
        0.2, "temperature (elsewhere: entropy coefficient), or where learn_alpha begins", low=1e-8, high=1e3
    )
    learn_alpha: bool = option(
        True,
        "adjust the temperature until the entropy is target_entropy (elsewhere: entropy_coef auto_0.1, for alpha 0.1)",
    )
    target_entropy: float = option(-0.05, "entropy aimed at, per action dimension [nat]", low=-20.0, high=5.0)
    optimistic_values: bool = option(
        True, "let critics begin at the value of going on for ever at the mean reward of the warm-up, instead of 0"
    )
    normalise_observations: bool = option(True, "scale observations by their running mean and deviation")
    policy_delay: int = option(1, "actor and temperature step at every n-th update", low=1, high=1000)
    target_update_interval: int = option(1, "targets move at every n-th update", low=1, high=100_000)
    max_gradient_norm: float = option(
        0.0, "longer gradients of actor and critics are scaled down to this; 0: never", low=0.0, high=1e6
    )
    noise_correlation: float = option(
        0.0, "correlation of exploration noise between two ticks; high values reach farther", low=0.0, high=0.999
    )
    use_sde: bool = option(
        False, "explore smoothly by a random matrix over the actor's features, kept for some ticks (gSDE, Raffin 2021)"
    )
    sde_sample_interval: int = option(
        8,
        "use_sde: ticks between two draws of the exploration matrix; -1: only when new weights arrive",
        low=-1,
        high=10**6,
    )
    sde_at_warmup: bool = option(
        False, "use_sde: explore so during the warm-up, too, instead of nearly uniformly and independently"
    )
    mirror: bool = option(True, "learn from the mirror image of each transition, too, where the task is symmetric")
    backend: str = option(
        "auto",
        "what makes the updates: native (compiled, for the CPU) or torch (autograd); auto takes native where it can",
        choices=("auto", "native", "torch"),
    )
    device: str = option(
        "cpu", "device for the updates; auto takes a GPU where there is one", choices=("auto", "cpu", "cuda")
    )
    threads: int = option(
        1, "threads of the updates: 1, or 2 for the twin critics side by side; torch takes more", low=1, high=256
    )


@dataclass(frozen=True, kw_only=True)
class LearnerConfig(SacConfig):
    """The learner node: the algorithm's hyperparameters and the schedule of a run."""

    run_id: str = _run_id_option("id of the run: transitions of others are refused; empty makes one")

    task: str = option("inverted_pendulum", "task that is learnt")
    run_directory: str = option("", "directory that receives checkpoints, metrics and curves; empty makes runs/<date>")
    resume: bool = option(False, "continue the run found in run_directory")
    seed: int = option(0, "seed of the networks, the noise and the batches", low=0, high=2**31 - 1)
    max_steps: int = option(20_000, "transitions after which training ends, solved or not", low=1, high=10**9)
    stop_when_solved: bool = option(True, "end as soon as every evaluation episode reaches the task's solved return")
    deterministic: bool = option(
        False,
        "lockstep: same seed, same numbers, to the last bit; the simulator then waits for each update and each swap",
    )
    warmup_steps: int = option(200, "transitions collected before the first update", low=1, high=10**7)
    replay_ratio: float = option(8.0, "updates per transition", low=0.01, high=1000.0)
    solved_replay_ratio: float = option(
        2.0, "updates per transition once the task was solved, where training goes on", low=0.01, high=1000.0
    )
    solved_noise_correlation: float = option(
        0.97,
        "noise_correlation once the task was solved, where training goes on; not with use_sde",
        low=0.0,
        high=0.999,
    )
    solved_target_entropy: float = option(
        0.1, "target_entropy once the task was solved, where training goes on [nat]", low=-20.0, high=5.0
    )
    solved_actor_average: int = option(
        10_000,
        "transitions over which the actors that are published are averaged once the task was solved, where training "
        "goes on; 0: the newest alone",
        low=0,
        high=10**9,
    )
    learning_rate_decay: int = option(
        3000, "transitions to half the learning rates; floor 10 %; 0: constant", low=0, high=10**9
    )
    run_ahead: int = option(8, "transitions the simulator may be ahead of the updates", low=1, high=100_000)
    publish_every: int = option(50, "updates between two publications of policy_weights", low=1, high=10**6)
    evaluation_every: int = option(50, "transitions between two evaluations; 0 never evaluates", low=0, high=10**7)
    evaluation_episodes: int = option(10, "deterministic episodes per evaluation", low=1, high=1000)
    confirmation_episodes: int = option(
        20, "further episodes, from extreme starts, too, that a solution must pass", low=0, high=1000
    )
    checkpoint_every: int = option(2000, "transitions between two checkpoints", low=1, high=10**7)
    signing_key: str = option(
        "", "Ed25519 private key in PEM that signs every policy, published or written; see sac_control keys"
    )
    keep_last: int = option(3, "checkpoints kept beside the best one", low=1, high=10_000)
    progress_period: float = option(
        5.0, "time between two progress lines where output is not a terminal [s]", low=0.1, high=3600.0
    )
    wait_warning: float = option(
        10.0, "say what is missing after waiting this long for a peer [s]", low=0.5, high=600.0
    )


@dataclass(frozen=True, kw_only=True)
class EvaluatorConfig(Config):
    """The evaluator node: counts whole episodes of simulator and policy."""

    run_id: str = _run_id_option("id of this evaluation: transitions of others are refused")

    task: str = option("inverted_pendulum", "task that is evaluated: transitions of others are refused")
    episodes: int = option(10, "episodes to count", low=1, high=100_000)
    output: str = option("", "file that receives the result as JSON; empty writes none")
    json: bool = option(False, "print the result as JSON instead of sentences")
    wait_warning: float = option(
        10.0, "say what is missing after waiting this long for a peer [s]", low=0.5, high=600.0
    )
