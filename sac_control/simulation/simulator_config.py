"""Settings of the simulator node."""

from __future__ import annotations

from dataclasses import dataclass

from sac_control.errors import ConfigError
from sac_control.identity import run_id_option
from sac_control.option import Config, option
from sac_control.types import Specification


@dataclass(frozen=True, kw_only=True)
class SimulatorConfig(Config):
    """The simulator node: which task, and how its time advances."""

    run_id: str = run_id_option(
        "training or evaluation that this simulator belongs to: its states are for that one's policy node alone, whose "
        "answers on policy/action are the commands; empty: in realtime it stands in for a robot"
    )

    task: str = option("inverted_pendulum", "task to simulate: a name, the path of a task file, or gymnasium/ID")
    engine: str = option("", "physics engine, as pybullet or mujoco; empty: the task's own")
    mode: str = option(
        "lockstep",
        "lockstep waits for the answer to each state; realtime follows a steady clock, as hardware would",
        choices=("lockstep", "realtime"),
    )
    real_time_factor: float = option(1.0, "realtime: simulated seconds per second", low=0.2, high=100.0)
    seed: int = option(0, "seed of the start states", low=0, high=2**31 - 1)
    headless: bool = option(True, "false opens a window that shows the physics")
    max_episode_steps: int = option(0, "steps until an episode is truncated; 0 takes the task's own", low=0, high=10**6)
    randomise: str = option(
        "",
        "ranges from which the robot of each episode is drawn, as {mass: [0.5, 2], latency: {commands: [0, 2]}}; "
        "empty: the task's own; {}: none",
        is_verbatim=True,
    )
    randomise_when: str = option(
        "solved",
        "when robots begin to vary: solved, as soon as the learner says that the task was solved, or always",
        choices=("solved", "always"),
    )
    answer_timeout: float = option(
        0.2, "lockstep: a state without an answer is sent again after this long [s]", low=0.01, high=10.0
    )
    command_timeout: float = option(
        0.05,
        "realtime: the safe command is applied while the newest command is older than this [s]",
        low=0.001,
        high=0.2,
    )
    publish_clock: bool = option(
        False,
        "publish simulated time on /clock, for nodes with use_sim_time, and stamp states with it; a simulator that "
        "stands in for a robot stamps them with system time otherwise",
    )
    flow_control: bool = option(True, "lockstep: send no more transitions than learner/credit allows")
    await_recorder: float = option(
        0.0,
        "longest time for which the first state waits for a recorder node, so that a bag is complete; 0: for none [s]",
        low=0.0,
        high=600.0,
    )
    wait_warning: float = option(10.0, "warn after this long without a message from a peer [s]", low=0.5, high=600.0)

    def check(self, specification: Specification) -> None:
        """See that a task of this specification can be simulated so.

        Raises:
            ConfigError: what has no joints is to stand in for a robot; see `check_period` for what else.
        """
        if self.mode == "realtime" and not self.run_id and not specification.has_joints:
            raise ConfigError(
                f"simulator.run_id is empty, with which a simulator stands in for a robot, and {specification.task} is "
                "none: train or evaluate it, or choose a task with joints"
            )
        self.check_period(specification.control_period)

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
