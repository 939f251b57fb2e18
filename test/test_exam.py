"""What `sac_control exam` promises: on which plants, what counts as kept, what is written where, what is refused."""

from __future__ import annotations

import dataclasses
import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from policies import RUN_ID, make_file
from sac_control.cli.config_file import RunConfig, write_text
from sac_control.cli.exam import ExamOptions
from sac_control.cli.main import main
from sac_control.envs.env import Env
from sac_control.envs.motion import MotionRecord, root_mean_square, wrapped
from sac_control.envs.registry import make_robot_env
from sac_control.errors import ConfigError, RunError
from sac_control.exam import measures
from sac_control.exam.examination import Paper, choose_engines, examine
from sac_control.exam.filing import check_policy_file, write_verdict
from sac_control.exam.findings import Findings, Hour, InMotion, OnPlant, Push, Skipped
from sac_control.exam.table import as_text
from sac_control.exam.workers import Workers
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.signature import SigningKey, TrustedKeys, make_key_pair
from sac_control.robots.engines import is_installed
from sac_control.store.checkpoints import CheckpointStore
from sac_control.store.run_directory import RunDirectory
from sac_control.tasks.catalogue import TASKS, make_robot_task, make_task
from sac_control.tasks.plants_reader import read_plants
from sac_control.types import ActorParameters, Float32Array
from sac_control.variation.fields import NOMINAL, Quantity
from sac_control.variation.plants import Plant

SPECIFICATION = make_robot_task("inverted_pendulum").specification
JOINTS = SPECIFICATION.joints
GAINS = (0.2, 0.3, 0.0, 3.0, 0.6)  # of position, velocity, cos, sin and velocity of the pole: it stands
TASK = Path(make_robot_task("inverted_pendulum").path).read_text()  # type: ignore[attr-defined]
PLANTS = "heavy: {mass: 1.5}\nlate: {latency: {commands: 1}}\n"


def linear_policy(gains: tuple[float, ...], *, version: int = 3) -> PolicyFile:
    """tanh of a linear feedback, as a network: each sum once as it is and once with the other sign."""
    column = np.array(gains, np.float32)[:, None]
    hidden = np.concatenate((column, -column), axis=1)
    head = np.array([[1.0, 0.0], [-1.0, 0.0]], np.float32)
    actor = ActorParameters(
        layers=((hidden, np.zeros(2, np.float32)), (head, np.zeros(2, np.float32))),
        observation_mean=np.zeros(5, np.float32),
        observation_std=np.ones(5, np.float32),
        log_std_bounds=(-20.0, 2.0),
    )
    return PolicyFile(
        specification=SPECIFICATION, actor=actor, run="linear", run_id=RUN_ID, policy_version=version, env_steps=10
    )


STANDS, FALLS = linear_policy(GAINS), linear_policy((0.0, 0.0, 0.0, -1.0, 0.0))


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """With a short task, two plants, and two policies, of which one stands."""
    monkeypatch.chdir(tmp_path)
    robots = Path(make_robot_task("inverted_pendulum").path).parent  # type: ignore[attr-defined]
    text = TASK.replace("../robots", str((robots / "../robots").resolve()))
    text = text.replace("episode: 1000", "episode: 80").replace("solved_return: 1000", "solved_return: 80")
    text = text.replace("engine: pybullet", "engine: mujoco")
    text = text[: text.index("engines:")]
    text = re.sub(r"(?ms)^exam:.*?(?=^\w)", "exam:\n  mass: [0.7, 1.5]\n  gain: [0.8, 1]\n", text)
    (tmp_path / "short.yaml").write_text(text)
    (tmp_path / "none.yaml").write_text(re.sub(r"(?ms)^exam:.*?(?=^\w)", "", text))
    (tmp_path / "plants.yaml").write_text(PLANTS)
    (tmp_path / "stands.safetensors").write_bytes(STANDS.to_bytes())
    (tmp_path / "falls.safetensors").write_bytes(FALLS.to_bytes())
    return tmp_path


def exam(policy: str, *options: str) -> int:
    return main(["exam", policy, "--task", "short.yaml", "--episodes", "2", "--workers", "1", *options])


def refusal(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    assert main(["exam", *arguments]) == 2
    error = capsys.readouterr().err
    assert error.count("\n") == 1
    return error.removeprefix("error: ").strip()


# the whole of it


def test_policy_that_stands_passes_and_its_file_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exam("stands.safetensors", "--require-passed") == 0
    table = capsys.readouterr().out
    assert "passed: 20 of 20 plants, in mujoco, kept in at least 2 of 2 episodes" in table
    found = json.loads((folder / "stands.exam.json").read_text())
    assert found["is_passed"] is True
    assert found["engines"] == ["mujoco"]
    assert list(found["plants"])[:4] == ["as described", "mass ×0.7", "mass ×1.5", "gain ×0.8"]
    assert {push["joint"] for push in found["pushes"]} == set(JOINTS)
    assert min(push["largest"] for push in found["pushes"]) > 0.05
    assert found["motion"][0]["episodes"] == 20
    assert (folder / "stands.exam.png").read_bytes().startswith(b"\x89PNG")
    file = PolicyFile.read(folder / "stands.safetensors")
    assert file.digest == PolicyFile.from_bytes(STANDS.to_bytes()).digest
    assert file.verdict is not None
    assert file.verdict.is_passed
    assert (file.verdict.plants, file.verdict.judged) == ("inverted_pendulum", 20)


def test_policy_that_falls_fails_and_its_file_says_so(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exam("falls.safetensors", "--plants", "plants.yaml") == 0
    assert "failed: 0 of 2 plants" in capsys.readouterr().out
    verdict = PolicyFile.read(folder / "falls.safetensors").verdict
    assert verdict is not None
    assert not verdict.is_passed
    assert verdict.plants == "plants.yaml"
    assert exam("falls.safetensors", "--plants", "plants.yaml", "--require-passed") == 3
    assert "error: the exam was not passed, which --require-passed asks for: failed: 0" in capsys.readouterr().err


def test_findings_are_printed_as_json_alone_and_written_where_told(
    folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    before = (folder / "falls.safetensors").read_bytes()
    assert exam("falls.safetensors", "--json", "--no-verdict", "--output", "mine.json") == 0
    assert json.loads(capfd.readouterr().out) == json.loads((folder / "mine.json").read_text())
    assert (folder / "mine.png").exists()
    assert (folder / "falls.safetensors").read_bytes() == before
    assert not (folder / "falls.exam.json").exists()


def test_findings_do_not_depend_on_how_many_processes_look_for_them(folder: Path) -> None:
    task = make_robot_task("short.yaml")
    paper = Paper(
        task=str(folder / "short.yaml"),
        source="here",
        plants=[
            Plant(name="noisy", variation={Quantity("noise", JOINTS[1]): 0.02}),
            Plant(name="heavy", variation={Quantity("mass", JOINTS[0]): 2.0}),
        ],
        described=NOMINAL,
        engines=(task.engine,),
        missing_engines=(),
        is_strict=True,
        joints=JOINTS,
        units={},
        episodes=3,
        seed=4,
        pass_mark=0.5,
        has_hours=False,
    )
    data = FALLS.to_bytes()
    file = PolicyFile.from_bytes(data)
    told: list[tuple[int, int]] = []
    alone = examine(paper, file, data, processes=1, date="2026-11-26", progress=lambda *how: told.append(how))
    both = examine(paper, file, data, processes=2, date="2026-11-26")
    assert dataclasses.replace(both, seconds=alone.seconds) == alone
    assert told == [(done, 5) for done in range(6)]


def test_process_that_dies_ends_the_exam_in_a_sentence(folder: Path) -> None:
    with (
        Workers("no_such_task", b"no policy", 1) as workers,
        pytest.raises(RunError, match="a process of the exam ended with exit code 1; see its output above"),
    ):
        list(workers.ask([measures_job()]))


def measures_job() -> Any:
    from sac_control.exam.jobs import Job

    return Job(kind="plant", engine="mujoco", seed=0, episodes=1)


# of a run


def run_with(folder: Path, file: PolicyFile, **learner: object) -> RunDirectory:
    run = RunDirectory(folder / "runs" / "mine")
    task = str(folder / "short.yaml")
    config = RunConfig().with_values({"learner": {"task": task, "run_id": RUN_ID, **learner}})
    run.create(write_text(config))
    files = {"policy.safetensors": file.to_bytes(), "learner.safetensors": b"critics"}
    CheckpointStore(run.checkpoints, 2).save(100, files, {"updates": 7}, is_best=True)
    return run


def test_exam_of_a_run_lies_in_it_and_leaves_its_checkpoint_whole(folder: Path) -> None:
    run = run_with(folder, FALLS)
    assert main(["exam", "mine", "--episodes", "1", "--plants", "plants.yaml"]) == 0
    assert json.loads(run.exam.read_text())["run"] == "linear"
    assert run.exam_picture.exists()
    checkpoint = CheckpointStore(run.checkpoints, 2).load(100)
    assert checkpoint.state["updates"] == 7
    assert PolicyFile.from_bytes(checkpoint.files["policy.safetensors"]).verdict is not None
    run.lock()  # nobody holds it any more
    run.unlock()
    run.create("", overwrite=True)
    assert not run.exam.exists()
    assert not run.exam_picture.exists()


def test_exam_of_a_checkpoint_lies_in_its_run_and_is_there_when_it_is_said_so(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = run_with(folder, FALLS)
    file = run.checkpoints / "100" / "policy.safetensors"
    options = ("--task", "short.yaml", "--episodes", "1", "--plants", "plants.yaml")
    assert main(["exam", str(file), *options]) == 0
    said = capsys.readouterr().out
    for name in ("exam.100.json", "exam.100.png"):
        assert f"runs/mine/{name}" in said
        assert (run.path / name).exists()
    assert PolicyFile.read(file).verdict is not None
    error = refusal(capsys, str(file), *options, "--output", str(file.with_name("mine.json")))
    assert "in a checkpoint, which is replaced as a whole with its verdict: name another place" in error
    run.create("", overwrite=True)
    assert not list(run.path.glob("exam*"))


def test_run_that_is_being_written_is_left_alone(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = run_with(folder, FALLS)
    run.lock()
    error = refusal(capsys, "mine", "--episodes", "1", "--plants", "plants.yaml")
    run.unlock()
    assert "is being written by process" in error
    assert "sac_control export writes its policy into a file that can be examined, and --no-verdict" in error


def test_verdict_of_a_signed_run_is_signed_by_its_key(folder: Path) -> None:
    private, public = make_key_pair(folder / "keys")
    run = run_with(folder, FALLS, signing_key=str(private))
    assert main(["exam", "mine", "--episodes", "1", "--plants", "plants.yaml"]) == 0
    verdict = PolicyFile.read(run.policy_file()).verdict
    assert verdict is not None
    assert verdict.is_signed_by(TrustedKeys.read(public))


def test_signed_policy_without_the_key_gets_an_unsigned_verdict_and_a_note(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    private, public = make_key_pair(folder / "keys")
    path = folder / "falls.safetensors"
    path.write_bytes(FALLS.to_bytes(SigningKey.read(private)))
    assert exam(path.name, "--plants", "plants.yaml") == 0
    assert "note: the policy is signed and its verdict will not be, for want of the key (--sign KEY)" in (
        capsys.readouterr().err
    )
    assert exam(path.name, "--plants", "plants.yaml", "--sign", str(private)) == 0
    assert "and the verdict, signed, into falls.safetensors" in capsys.readouterr().out
    verdict = PolicyFile.read(path).verdict
    assert verdict is not None
    assert verdict.is_signed_by(TrustedKeys.read(public))


def test_policy_file_that_changed_meanwhile_gets_no_verdict(folder: Path) -> None:
    path = folder / "falls.safetensors"
    examined, newer = path.read_bytes(), STANDS.to_bytes()
    check_policy_file(path)
    path.write_bytes(newer)
    with pytest.raises(RunError, match="has changed while it was examined: its verdict was not written"):
        write_verdict(path, examined, findings(), None)
    assert path.read_bytes() == newer


# what is measured


@pytest.fixture
def env(folder: Path) -> Env:
    return make_robot_env(str(folder / "short.yaml"))


def test_plants_begin_alike_and_repeat_their_noise(env: Env) -> None:
    noisy = {Quantity("noise", JOINTS[1]): 0.05}
    begin = measures.starts(env, 4, seed=3)
    first, second = (measures.trials(env, Policy(FALLS.actor).act, noisy, begin) for _ in range(2))
    assert first == second
    assert first != measures.trials(env, Policy(FALLS.actor).act, noisy, measures.starts(env, 4, seed=5))


def test_largest_push_is_survived_and_a_tenth_more_is_not(env: Env) -> None:
    act = Policy(STANDS.actor).act
    largest = measures.largest_push(env, act, NOMINAL, JOINTS[1], seed=3)
    at = measures.PUSH_SHARE * 80 * SPECIFICATION.control_period

    def kept(push: float) -> bool:
        plants = [{Quantity("push", JOINTS[1]): side, Quantity("push_time"): at} for side in (push, -push)]
        begin = measures.starts(env, measures.PUSH_STARTS, 3)
        return all(
            trial is not None and trial.is_kept for each in plants for trial in measures.trials(env, act, each, begin)
        )

    assert kept(largest)
    assert not kept(1.1 * largest)
    assert measures.largest_push(env, Policy(FALLS.actor).act, NOMINAL, JOINTS[1], seed=3) == 0.0


def test_chatter_is_the_change_of_the_clipped_command_at_the_end_of_an_episode(env: Env) -> None:
    env.reset(seed=0, options={"state": [0.3, 0.0, 2.0 * np.pi, 0.0]})
    record = MotionRecord(4)
    for value in (9.0, 0.5, -0.5, 0.5, -1.5):  # the fifth is the first whose change is counted
        record(env, np.array([value], np.float32))
    found = root_mean_square([record.squares(env)])
    assert found.change[0] == pytest.approx(100.0 * np.sqrt((0.5**2 + 1.0**2 + 1.0**2 + 1.5**2) / 4))
    assert found.command[0] == pytest.approx(100.0 * np.sqrt((0.25 * 3 + 1.0) / 4))
    assert found.position.tolist() == pytest.approx([0.3, 0.0], abs=1e-9)  # whole turns do not count
    assert wrapped(np.array([3.0 * np.pi / 2.0])).tolist() == pytest.approx([-np.pi / 2.0])


def test_motion_counts_only_episodes_that_lasted(env: Env) -> None:
    begin = measures.starts(env, 3, seed=1)
    lasted, found = measures.motion(env, Policy(STANDS.actor).act, NOMINAL, begin)
    assert lasted == 3
    assert found is not None
    assert 0.0 < found.change[0] < found.command[0]
    assert measures.motion(env, Policy(FALLS.actor).act, NOMINAL, begin) == (0, None)


def test_long_episode_tells_how_far_the_robot_went_after_a_minute(folder: Path) -> None:
    steps = 4000
    env = make_robot_env(str(folder / "short.yaml"), max_episode_steps=steps)
    start = {"options": {"state": [0.5, 0.0, 0.05, 0.0]}, "seed": 0}
    seconds, is_kept, largest = measures.long_episode(env, Policy(STANDS.actor).act, NOMINAL, start)
    assert seconds == pytest.approx(steps * SPECIFICATION.control_period)
    assert is_kept
    assert largest[0] < 0.2  # it began at 0.5
    seconds, is_kept, largest = measures.long_episode(env, Policy(FALLS.actor).act, NOMINAL, start)
    assert seconds < 5.0
    assert not is_kept
    assert largest.tolist() == [0.0, 0.0]


def test_episode_of_which_the_physics_diverges_is_not_kept(env: Env) -> None:
    def act(_observation: Float32Array) -> Float32Array:
        return np.zeros(1, np.float32)

    push = {Quantity("push", JOINTS[0]): 1e30, Quantity("push_time"): 0.0}
    assert measures.trials(env, act, push, measures.starts(env, 1, 0)) == [None]


# what comes out


def findings(kept: int = 19, hours: tuple[bool, ...] = (), **changes: object) -> Findings:
    found = Findings(
        specification=SPECIFICATION,
        policy=PolicyFile.from_bytes(FALLS.to_bytes()).digest.hex(),
        policy_version=3,
        run="mine",
        date="2026-11-26",
        seed=1,
        source="inverted_pendulum",
        plants={"as described": "", "heavy": "mass 2", "odd": "inertia 2"},
        units={JOINTS[0]: "m"},
        engines=("pybullet", "mujoco"),
        missing_engines=(),
        episodes=20,
        pass_mark=0.95,
        on_plants=tuple(
            OnPlant(plant=plant, engine=engine, kept=count, mean_return=900.0)
            for plant, engine, count in (
                ("as described", "pybullet", 20),
                ("as described", "mujoco", 20),
                ("heavy", "pybullet", 20),
                ("heavy", "mujoco", kept),
                ("odd", "mujoco", 20),
            )
        ),
        skipped=(Skipped(plant="odd", engine="pybullet", reason="it cannot"),),
        pushes=(
            Push(joint=JOINTS[0], engine="pybullet", largest=3.25),
            Push(joint=JOINTS[0], engine="mujoco", largest=measures.LARGEST_PUSH),
        ),
        motion=(
            InMotion(engine="pybullet", episodes=20, position={JOINTS[0]: 0.1}, command={}, command_change={}),
            InMotion(engine="mujoco", episodes=0, position={}, command={}, command_change={}),
        ),
        hours=tuple(
            Hour(engine=engine, start=0, seconds=3600.0, is_kept=is_kept, largest=dict.fromkeys(JOINTS, 0.2))
            for engine, is_kept in zip(("pybullet", "mujoco"), hours, strict=False)
        ),
        seconds=5.0,
    )
    return dataclasses.replace(found, **changes)  # type: ignore[arg-type]


def test_plant_is_passed_from_the_pass_mark_on_and_the_exam_if_all_are() -> None:
    assert findings(19).needed == 19
    assert findings(19).is_passed
    assert not findings(18).is_passed
    assert findings(18, pass_mark=0.9).is_passed
    assert findings(18).verdict.worst == "heavy in mujoco"
    assert (findings(18).verdict.passed, findings(18).verdict.judged) == (4, 5)  # the one it cannot simulate is no part


def test_hour_that_was_not_kept_fails_the_exam() -> None:
    assert findings(hours=(True, True)).is_passed
    assert not findings(hours=(True, False)).is_passed


def test_table_has_a_row_for_each_plant_and_a_dash_where_an_engine_cannot_simulate_it() -> None:
    text = as_text(findings(18, hours=(True, False), missing_engines=("other",)))
    rows = [re.split(r"\s{2,}", line.strip()) for line in text.splitlines()]
    assert ["heavy", "20 of 20", "18 of 20"] in rows
    assert ["odd", "-", "20 of 20"] in rows
    assert ["plants on which all were kept", "2 of 2", "2 of 3"] in rows
    assert [f"largest push on {JOINTS[0]} survived [N s]", "3.25", "≥ 1e+04"] in rows
    assert [f"RMS of position({JOINTS[0]}) [m]", "0.1", "-"] in rows
    assert [f"RMS of position({JOINTS[1]}) [m or rad]", "-", "-"] in rows  # nobody said whether it turns
    assert [f"largest |{JOINTS[0]}| after a minute [m]", "0.2", "0.2"] in rows
    assert ["hours of robot time kept", "1 of 1", "0 of 1"] in rows
    assert "-: odd: it cannot" in text
    assert "not examined in other, not installed here" in text
    assert text.splitlines()[-1].startswith(
        "failed: 4 of 5 plants, in pybullet and mujoco together, kept in at least 19 of 20 episodes; worst: heavy in"
    )


def test_engines_are_those_that_the_task_lists_and_that_are_installed() -> None:
    task = TASKS["inverted_pendulum"]
    engines, missing = choose_engines(task)
    assert engines == tuple(engine for engine in ("pybullet", "mujoco") if is_installed(engine))
    assert {*engines, *missing} == {"pybullet", "mujoco"}
    assert choose_engines(task, ("mujoco",)) == (("mujoco",), ())
    with pytest.raises(ConfigError, match="engine 'mujuco' is not known; did you mean mujoco\\?"):
        choose_engines(task, ("mujuco",))


# what is refused


def test_policy_for_other_joints_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refusal(capsys, "stands.safetensors", "--task", "inverted_double_pendulum")
    assert "the policy is for a task 'inverted_pendulum' that sees or moves other things" in error
    assert "name the file that it was trained with: --task FILE" in error


def test_policy_whose_task_is_unknown_here_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stranger = dataclasses.replace(STANDS, specification=dataclasses.replace(SPECIFICATION, task="my_robot"))
    (folder / "policy").write_bytes(stranger.to_bytes())
    error = refusal(capsys, "policy")
    assert "task 'my_robot' is not known" in error
    assert error.endswith("or name the file of its task: --task FILE")


def test_policy_of_an_environment_without_joints_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    specification = make_task("gymnasium/Pendulum-v1").specification
    (folder / "policy").write_bytes(make_file(specification=specification).to_bytes())
    error = refusal(capsys, "policy")
    assert error == "gymnasium/Pendulum-v1 has no robot whose plant could differ: sac_control evaluate is its exam"


def test_task_without_exam_is_refused_unless_plants_are_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    error = refusal(capsys, "falls.safetensors", "--task", "none.yaml")
    assert error.startswith("inverted_pendulum has no exam: say in its task file how far its robot may vary")
    assert "--plants FILE" in error
    options = ("--task", "none.yaml", "--plants", "plants.yaml", "--episodes", "1", "--workers", "1")
    assert main(["exam", "falls.safetensors", *options]) == 0


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", "is empty: expected plants, such as heavy: {mass: 2}"),
        ("{}", "line 1: plants file has no plant: expected plants"),
        ("[a]", "line 1: plants file is a list: expected keys with values"),
        ("a: {mass: {", "is not YAML: "),
        ("a: 3", "line 1: a is '3': expected keys with values"),
        ("a: {}\na: {}", "line 2: plants file key 'a' is given twice"),
        ("a: {}\nb: {mas: 2}", "line 2: b.mas cannot vary; did you mean mass?"),
        ("a: {mass: 0}", "line 1: a.mass reaches 0: expected greater than 0"),
        ("a: {mass: [1, 2]}", "lets mass(slider_to_cart) be from 1 to 2: expected one value, for it is one plant"),
        ("a:\n  mass: {cart: 2}", "line 2: a.mass key 'cart' is not known"),
        ("a: {velocity: differing}", "line 1: a.velocity is 'differing', which is not known"),
        ('"\\e[2J": {}', "is not a name: expected at most 100 letters that can be printed"),
    ],
)
def test_plants_file_that_is_wrong_is_refused_with_its_line(tmp_path: Path, text: str, sentence: str) -> None:
    path = tmp_path / "plants.yaml"
    path.write_text(text)
    with pytest.raises(ConfigError) as refused:
        read_plants(path, SPECIFICATION)
    assert sentence in str(refused.value)
    assert str(path) in str(refused.value)


def test_plants_of_the_documents_are_read(tmp_path: Path) -> None:
    text = (Path(__file__).parent.parent / "docs" / "robustness.md").read_text()
    (example,) = re.findall(r"```yaml\n(as built.*?)```", text, re.DOTALL)
    path = tmp_path / "plants.yaml"
    path.write_text(example)
    assert [plant.name for plant in read_plants(path, SPECIFICATION)] == list(yaml.safe_load(example))


def test_plants_are_read_with_names_and_values(tmp_path: Path) -> None:
    path = tmp_path / "plants.yaml"
    path.write_text("as built: {}\nold: {friction: {slider_to_cart: 4}, velocity: difference, gravity_tilt: 0.01}\n")
    built, old = read_plants(path, SPECIFICATION)
    assert (built.name, built.variation) == ("as built", {})
    assert old.variation == {
        Quantity("friction", JOINTS[0]): 4.0,
        Quantity("difference"): 1.0,
        Quantity("gravity_tilt"): 0.01,
    }


def test_plant_that_no_engine_can_simulate_is_refused(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The drive that is pushed has no length."""
    (folder / "plants.yaml").write_text("fine: {}\nlong: {length: {slider_to_cart: 2}}\n")
    error = refusal(capsys, "falls.safetensors", "--task", "short.yaml", "--plants", "plants.yaml", "--episodes", "1")
    assert error.startswith("plant 'long': length(slider_to_cart)")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--episodes", "0"), "--episodes is 0: expected 1 to"),
        (("--workers", "0"), "--workers is 0: expected at least 1"),
        (("--pass-mark", "19"), "--pass-mark is 19: expected a share"),
        (("--pass-mark", "nan"), "--pass-mark is nan: expected a share"),
        (("--seed", "-1"), "--seed is -1: expected at least 0"),
        (("--engine", "bullet"), "engine 'bullet' is not known"),
        (("--plants", "missing.yaml"), "cannot read the plants in missing.yaml: No such file"),
        (("--output", "no/such/exam.json"), "no/such/exam.json cannot be written: name another file with --output"),
        (("--output", "exam.png"), "--output is exam.png: expected a JSON file"),
        (("--sign", "missing.key"), "cannot read signing key missing.key"),
        (("--task", "gymnasium/Pendulum-v1"), "sees or moves other things"),
    ],
)
def test_wrong_option_is_refused_before_anything_starts(
    folder: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, str], sentence: str
) -> None:
    options = arguments if "--task" in arguments else ("--task", "short.yaml", *arguments)
    assert sentence in refusal(capsys, "falls.safetensors", *options)
    assert {path.name for path in folder.iterdir()} == {
        "short.yaml", "none.yaml", "plants.yaml", "stands.safetensors", "falls.safetensors",
    }  # fmt: skip


def test_defaults_are_those_that_the_documents_name() -> None:
    options = ExamOptions(policy="p")
    assert (options.episodes, options.pass_mark, options.hour, options.verdict) == (20, 0.95, False, True)
