"""One whole training in one process, without ROS; prints one line of JSON.

The parts are those of the nodes - the simulator's episodes, the policy node's controller, the learner node's training
run - in one loop instead of three processes. It waits for every evaluation, so that nothing depends on who is faster.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path

from sac_control.envs.registry import make_env
from sac_control.errors import ConfigError
from sac_control.identity import frame_id
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.simulation.episode_runner import EpisodeRunner
from sac_control.store.run_directory import RunDirectory
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.training_run import TrainingRun


def train(config: LearnerConfig) -> dict[str, object]:
    """Train until solved or out of transitions; solved, transitions, env_steps, updates, seconds."""
    began = time.perf_counter()
    training = TrainingRun(config, say=lambda text: print(text, file=sys.stderr, flush=True))
    env = make_env(config.task)
    frame = frame_id(training.run_id, env.specification.hash)
    episodes = EpisodeRunner(env, source=1, seed=config.seed, frame=frame)
    settings = PolicyConfig(
        run_id=training.run_id,
        accept_weights=training.run_id,
        task=env.specification.task,
        deterministic=False,
        seed=config.seed,
        lockstep=True,
    )
    controller = Controller(settings)
    controller.activate()
    in_force = None
    while not training.is_done:
        has_more = training.work()
        if in_force is None or training.weights.version > in_force.version:
            in_force = training.weights
            report = controller.offer(in_force)
            if report is not None and not report.accepted:
                raise RuntimeError(f"the controller rejected version {in_force.version}: {report.verdict}")
            training.note_version_in_force(in_force.version)
        episodes.is_varied = training.is_varied
        if episodes.sequence and training.credit <= episodes.sequence:
            if not has_more:
                time.sleep(0.001)  # an evaluation is under way
            continue
        action = controller.answer(episodes.signals)
        assert action is not None
        training.ingest(episodes.step(action.command, action.policy_version))
    seconds = time.perf_counter() - began
    training.close()
    episodes.close()
    summary = RunDirectory(Path(config.run_directory)).read_summary()
    return {
        "solved": summary["solved"],
        "transitions": summary["solved_at_step"],
        "env_steps": summary["env_steps"],
        "updates": summary["updates"],
        "seconds": seconds,
    }


def main() -> int:
    """Exit code 2 where a setting is not known."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--settings", required=True, help="settings of the learner, as JSON")
    parser.add_argument("--run-directory", required=True)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--max-steps", type=int, required=True)
    options = parser.parse_args()
    fixed = {
        "run_directory": options.run_directory,
        "seed": options.seed,
        "max_steps": options.max_steps,
        "deterministic": True,
    }
    try:
        config = LearnerConfig.from_mapping({"until": "solved", **json.loads(options.settings), **fixed})
    except ConfigError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    print(json.dumps(train(config)), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
