"""What a node would refuse, or what makes no sense together, is refused before anything starts.

Each function raises ConfigError with a sentence, and changes nothing.
"""

from __future__ import annotations

import os
from pathlib import Path

from sac_control.algorithms.off_policy_config import OffPolicyConfig
from sac_control.bags.recorded_transitions import read_transitions
from sac_control.cli.config_file import RunConfig
from sac_control.cli.options import TrainingOptions
from sac_control.errors import ConfigError
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.policy_header import LONGEST_RUN_NAME
from sac_control.policy.requirements import check_reach
from sac_control.policy.signature import SigningKey, TrustedKeys
from sac_control.simulation.simulator_config import SimulatorConfig
from sac_control.system.reach import DISCOVERY_RANGE, reach
from sac_control.tasks.catalogue import TASKS, make_task
from sac_control.training.goal import Goal, goal_of
from sac_control.training.learner_config import LearnerConfig

PROTECTIONS = ("require_arm", "deterministic")  # of a robot, which no parameter file takes away

# of a training


def check_run_name(options: TrainingOptions) -> None:
    """See that the name of a run, and what is to be done with that run, are plain."""
    if options.resume and options.overwrite:
        raise ConfigError("resume and overwrite were both given: choose to continue the run or to replace it")
    if options.resume and not options.run:
        raise ConfigError("resume needs the name of the run to continue")
    if options.run and (Path(options.run).name != options.run or options.run in (".", "..")):
        raise ConfigError(f"run name {options.run!r} is not a plain name: give a directory for runs with --runs-dir")
    if len(options.run.encode()) > LONGEST_RUN_NAME:
        raise ConfigError(f"run name {options.run!r} is too long: expected at most {LONGEST_RUN_NAME} bytes")


def check_tasks(config: RunConfig) -> None:
    """See that the nodes have one task, whose control period the simulator can keep, and that it can be simulated."""
    task = make_task(config.learner.task)
    config.simulator.check(task.specification)
    tasks = {name: config.section(name).to_mapping()["task"] for name in ("simulator", "policy", "learner")}
    if tasks["simulator"] != tasks["learner"] or tasks["policy"] != task.specification.task:
        raise ConfigError(f"simulator, policy and learner have different tasks ({tasks}): set all three alike")
    check_simulated(config.simulator)


def check_simulated(config: SimulatorConfig) -> None:
    """See that the task can be simulated, and varied so."""
    if config.task not in TASKS or config.randomise:  # ours are known to run as they are
        from sac_control.envs.registry import try_out  # a robot's computer has no Gymnasium

        try_out(config.task, config.engine, config.randomise)


def check_learner(config: LearnerConfig) -> None:
    """See that the learner has the options, the signing key and the memory that it needs."""
    if config.signing_key:
        SigningKey.read(Path(config.signing_key))
    specification = make_task(config.task).specification
    config.check(observation_size=len(specification.observation), action_size=len(specification.actuated_joints))


def check_goal(options: TrainingOptions, config: LearnerConfig) -> None:
    """See that the task has what the training is to reach, and that it may reach what is required."""
    task = make_task(config.task)
    goal = goal_of(config.until, task, has_gate=config.gate_every > 0)
    if options.require_hardened and (task.exam is None or goal is Goal.SOLVED):
        reason = f"the task {config.task} has no exam" if task.exam is None else "learner.until is solved"
        raise ConfigError(f"it is required that the task be hardened, but {reason}: require that it be solved")


def check_bags(config: LearnerConfig) -> None:
    """See that the bags of a training can be learnt from; all are read.

    Raises:
        RunError: one of them holds no transitions, is damaged, cut off, or of another task.
    """
    if not config.bags:
        return
    if not isinstance(config, OffPolicyConfig):
        raise ConfigError(
            f"--from-bag was given, and learner.algorithm {config.algorithm} learns from what its newest policy does "
            "alone: leave it out, or choose --algorithm sac"
        )
    bags = [Path(name) for name in config.bags.split(os.pathsep)]
    read_transitions(bags, make_task(config.task).hash, config.task, accept_cut=config.accept_cut_bags)


def check_determinism(simulator: SimulatorConfig) -> None:
    """See that a simulator waits for answers and updates, so that time decides nothing."""
    if simulator.mode != "lockstep":
        raise ConfigError(
            "learner.deterministic is set, but simulator.mode is realtime, where time decides: "
            "choose lockstep, or unset it"
        )
    if not simulator.flow_control:
        raise ConfigError(
            "learner.deterministic is set, but simulator.flow_control is not, without which a simulator waits for no "
            "update: set both, or unset learner.deterministic"
        )


# of an evaluation


def check_output(output: str) -> None:
    """See that the evaluator can write its file, if it is to write one."""
    path = Path(output)
    if output and not os.access(path if path.exists() else path.parent, os.W_OK):
        raise ConfigError(f"evaluator.output is {output!r}, which cannot be written: name another file")


# of a deployment


def check_file_of_robot(policy: PolicyConfig, source: object) -> None:
    """See that `source`, a parameter file, is one for a robot: `policy` is what it sets."""
    if policy.run_id:
        raise ConfigError(f"{source} belongs to a run (policy.run_id is set): write one for the robot")
    for name in PROTECTIONS:
        if not policy.to_mapping()[name]:  # as trainings have it
            raise ConfigError(
                f"{source}: policy.{name} is false, which only --set policy.{name}=false may do for a robot"
            )


def check_deployed(config: PolicyConfig, file: PolicyFile, *, network: bool) -> None:
    """See that `file`, and a shadow policy, may run on the robot; PolicyFileError where they may not."""
    if not config.drives_robot:
        raise ConfigError(
            "policy.run_id or policy.lockstep is set, with which the node answers a simulator and commands no robot: "
            "leave them out"
        )
    check_reach(config, reach(os.environ, network=network)[DISCOVERY_RANGE])
    controller = Controller(config)
    controller.install(file)
    if config.shadow_policy_file:
        controller.admit_shadow(PolicyFile.read(Path(config.shadow_policy_file)))


def exam_of(config: PolicyConfig, file: PolicyFile, *, is_required: bool) -> tuple[bool, str]:
    """Whether the policy passed an exam as far as the robot can trust what it says, and a sentence of how it did.

    Raises:
        ConfigError: it did not, and that is required.
    """
    verdict, trusted = file.verdict, TrustedKeys.required_by(config)
    if verdict is None:
        is_passed, text = False, "the policy was never examined: sac_control exam tells how it does on other plants"
    elif trusted is not None and not verdict.is_signed_by(trusted):
        is_passed = False
        text = (
            "the verdict on the policy's exam is not signed by a trusted key and counts as none: "
            "sac_control exam --sign KEY"
        )
    else:
        is_passed = verdict.is_passed
        text = f"the policy {'passed' if is_passed else 'failed'} its exam: {verdict.in_words()}"
    if is_required and not is_passed:
        raise ConfigError(f"{text}; --require-exam lets only a policy run that passed one")
    return is_passed, text


# of trainings and deployments


def check_restarts(restarts: int) -> None:
    """See that a node is started again a number of times."""
    if restarts < 0:
        raise ConfigError(f"restarts is {restarts}: expected at least 0")
