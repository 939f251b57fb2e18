"""Environments of Gymnasium as tasks: how they are named, what a learner is told of them, and what is refused."""

from __future__ import annotations

import math
import pickle
import subprocess
import sys

import pytest

from gymnasium_environments import TOLD
from sac_control.errors import ConfigError
from sac_control.tasks.catalogue import is_file, make_robot_task, make_task, short_name
from sac_control.tasks.engine_choice import choose_engine
from sac_control.tasks.gymnasium_reference import parse_reference

SILENT = TOLD.replace("Told", "Silent")


def test_arguments_are_yaml_and_the_same_in_any_order() -> None:
    reference = parse_reference("gymnasium/a.b:Their/Arm-v2, text=soft, on=true ,mass=1e-3,count=-5,none=null,half=0.5")
    assert reference.id == "a.b:Their/Arm-v2"
    assert reference.names_module
    assert reference.arguments == {"text": "soft", "on": True, "mass": 0.001, "count": -5, "none": None, "half": 0.5}
    assert reference.text == "gymnasium/a.b:Their/Arm-v2,count=-5,half=0.5,mass=1e-3,none=null,on=true,text=soft"
    assert parse_reference(reference.text) == reference


def test_task_tells_what_a_learner_must_know() -> None:
    task = make_task("gymnasium/LunarLanderContinuous-v3,gravity=-5,enable_wind=true")
    specification = task.specification
    assert specification.task == "gymnasium/LunarLanderContinuous-v3,enable_wind=true,gravity=-5"
    assert specification.joints == ()
    assert specification.input == "observation"
    assert specification.observation == tuple(f"observation[{k}]" for k in range(8))
    assert specification.actuated_joints == ("action[0]", "action[1]")
    assert specification.interface == ("action", "action")
    assert specification.command_limit == (1.0, 1.0)
    assert specification.control_period == 0.02
    assert (task.max_episode_steps, task.solved_return, task.mirror, task.notes) == (1000, 200.0, None, ())
    assert choose_engine(task) == ("", "")


def test_what_the_registration_leaves_open_is_said() -> None:
    task = make_task(SILENT)
    assert task.specification.control_period == 0.02
    assert task.max_episode_steps == 1000
    assert task.solved_return == math.inf
    assert len(task.notes) == 3
    assert all(SILENT in note for note in task.notes)
    (note,) = make_task("gymnasium/Pendulum-v1").notes
    assert note.endswith("without reward_threshold: learner.max_steps alone ends a training")


def test_numbers_of_a_space_with_several_axes_are_named_by_their_place() -> None:
    names = make_task(f"{TOLD},size=3").specification.observation
    assert names == ("observation[0,0]", "observation[1,0]", "observation[2,0]")


def test_hash_tells_environment_and_arguments_apart_and_nothing_else() -> None:
    hashes = [make_task(f"gymnasium/Pendulum-v1{text}").hash for text in ("", ",g=10.0", ",g=9.81")]
    assert len(set(hashes)) == 3
    assert make_task("gymnasium/Pendulum-v1 , g=9.81").hash == hashes[2]
    again = "from sac_control.tasks.catalogue import make_task; print(make_task('gymnasium/Pendulum-v1').hash)"
    done = subprocess.run([sys.executable, "-c", again], capture_output=True, text=True, timeout=120)
    assert done.stdout.strip() == hashes[0]
    task = make_task("gymnasium/Pendulum-v1")
    assert pickle.loads(pickle.dumps(task)).hash == task.hash  # noqa: S301  our own bytes


@pytest.mark.filterwarnings("ignore:.*unversioned.*")
def test_version_may_be_left_out_and_is_part_of_the_name_then() -> None:
    assert make_task("gymnasium/Pendulum").specification.task == "gymnasium/Pendulum-v1"
    assert make_task("gymnasium/Pendulum").hash == make_task("gymnasium/Pendulum-v1").hash


def test_names_of_runs_and_files_are_plain() -> None:
    assert short_name("gymnasium/LunarLanderContinuous-v3,gravity=-5") == "LunarLanderContinuous-v3"
    assert short_name(TOLD) == "Told-v0"
    assert short_name("robots/arm.yaml") == "arm"
    assert short_name("inverted_pendulum") == "inverted_pendulum"
    assert not is_file("gymnasium/Arm-v0,model=arm.yaml")


REFUSED = {
    "gymnasium/MountainCar-v0": "has actions Discrete(3): expected numbers within bounds, a Box, so choose "
    "gymnasium/MountainCarContinuous-v0",
    "gymnasium/LunarLander-v3": "so choose gymnasium/LunarLanderContinuous-v3",
    "gymnasium/CartPole-v1": "so choose one such as gymnasium/Pendulum-v1",
    "gymnasium/FrozenLake-v1": "has observations Discrete(16): expected numbers within bounds, a Box",
    f"{TOLD},space=dict": "has observations Dict('a': Discrete(2)): expected numbers within bounds, a Box",
    f"{TOLD},high=.inf": "has actions without bounds, Box(-1.0, inf, (1,), float32): expected a Box with a least",
    f"{TOLD},size=257": "has 257 numbers in its observation: messages have room for 256",
    f"{TOLD},actions=17": "has 17 numbers in its action: messages have room for 16",
    f"{TOLD},size=two": "size is 'two', expected a whole number",
    f"{TOLD},sise=2": "sise is not known; did you mean size?",
    f"{TOLD},kind=float33": f"{TOLD},kind=float33 cannot be made: data type 'float33' not understood",
    "gymnasium/Pendulum-v1,g=strong": "gymnasium/Pendulum-v1,g=strong: g is 'strong', expected a number",
    "gymnasium/LunarLanderContinuous-v3,enable_wind=1": "enable_wind is 1, expected true or false",
    "gymnasium/LunarLanderContinuous-v3,gravity=-20": "cannot be made: gravity (current value: -20) must be between",
    "gymnasium/Pendulm-v1": "is not registered with Gymnasium; did you mean Pendulum-v1?; one of your own: "
    "gymnasium/MODULE:Pendulm-v1",
    "gymnasium/Pendulum-v7": "is not registered with Gymnasium; did you mean Pendulum-v1?",
    "gymnasium/no_such_module:Arm-v0": "needs a package that is missing: No module named 'no_such_module'",
    "gymnasium/a b": "cannot be made: Malformed environment ID: a b.",
    "gymnasium/": "names no environment: expected one such as gymnasium/Pendulum-v1",
    "gymnasium/Pendulum-v1,g": "'g' in task 'gymnasium/Pendulum-v1,g' is no argument: expected KEY=VALUE",
    "gymnasium/Pendulum-v1,g=1,g=2": "has g twice: expected once",
    f"gymnasium/Pendulum-v1,g={'[' * 10_000}": "is no value",
    "gymnasium/Pendulum-v1,g=[1]": "'[1]' in task 'gymnasium/Pendulum-v1,g=[1]' is no value",
    "gymnasium/Pendulum-v1,render_mode=human": "is no argument of an environment: --gui opens a window",
    "Pendulum-v1": "task 'Pendulum-v1' is not known: an environment of Gymnasium is named gymnasium/Pendulum-v1",
}


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("reference", REFUSED)
def test_what_cannot_be_learnt_is_refused_in_one_sentence(reference: str) -> None:
    with pytest.raises(ConfigError) as caught:
        make_task(reference)
    assert REFUSED[reference] in str(caught.value)
    assert "\n" not in str(caught.value)


def test_engine_and_robot_are_refused_where_there_is_none() -> None:
    with pytest.raises(ConfigError, match="engine 'mujoco' was chosen for gymnasium/Pendulum-v1, which simulates itse"):
        choose_engine(make_task("gymnasium/Pendulum-v1"), "mujoco")
    with pytest.raises(ConfigError, match="gymnasium/Pendulum-v1 has no robot: expected a task that has joints"):
        make_robot_task("gymnasium/Pendulum-v1")


WITHOUT = {
    "gymnasium": ("gymnasium/Pendulum-v1", "needs gymnasium, which is not installed: "),
    "Box2D": ("gymnasium/BipedalWalker-v3", "needs the extra box2d of gymnasium, which is not installed: "),
}


@pytest.mark.parametrize("package", WITHOUT)
def test_package_that_is_missing_is_told_with_the_command_that_installs_it(package: str) -> None:
    reference, complaint = WITHOUT[package]
    code = (
        f"import sys; sys.modules[{package!r}] = None\n"
        "from sac_control.errors import ConfigError\n"
        "from sac_control.tasks.catalogue import make_task\n"
        f"try:\n    make_task({reference!r})\nexcept ConfigError as error:\n    print(error)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120)
    assert f"{reference} {complaint}{sys.executable} -m pip install" in done.stdout, done.stderr
