"""Starting up: what cannot work is refused in one sentence, before anything starts; what is optional may be absent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from learners import sac
from policies import make_file
from sac_control.algorithms.replay_buffer import ReplayBuffer, check_memory
from sac_control.cli import config_file
from sac_control.errors import EXIT_DONE, EXIT_FAULT, EXIT_SETTING, EXIT_START, ConfigError
from sac_control.store.checkpoints import CheckpointStore
from sac_control.store.run_directory import RunDirectory
from sac_control.system import preflight
from sac_control.training.learner_config import learner_config
from test_metrics_and_curve import write_tables

ABSENT = str(Path(__file__).with_name("absent"))
SHORT = ("--max-steps", "60", "--set", "learner.warmup_steps=30", "--set", "learner.hidden_sizes=[8]")
OPTIONAL = "torch matplotlib tensorboard cryptography"


def start(
    place: Path, *arguments: str, executable: str = "command", absent: str = "", **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run an executable in `place`, its last output among what is returned; an empty variable is unset."""
    code = f"import sys; from sac_control.start import {executable}; sys.exit({executable}())"
    variables = {**os.environ, "ABSENT": absent, **environment}
    if absent:
        variables["PYTHONPATH"] = ABSENT
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        cwd=place,
        env={name: value for name, value in variables.items() if value},
        capture_output=True,
        text=True,
        timeout=600,
    )


def assert_refused(done: subprocess.CompletedProcess[str], sentence: str) -> None:
    assert done.stderr.startswith("error: "), done.stderr
    assert sentence in done.stderr
    assert done.stderr.count("\n") == 1, done.stderr
    assert done.returncode == EXIT_SETTING
    assert not done.stdout


@pytest.fixture
def blocked(tmp_path: Path) -> Path:
    """A directory below which nobody, not even root, can make one."""
    file = tmp_path / "file"
    file.touch()
    return file / "directory"


@pytest.fixture
def place(tmp_path: Path) -> Path:
    place = tmp_path / "place"
    place.mkdir()
    return place


# what cannot work


@pytest.mark.parametrize(
    ("environment", "arguments", "sentence"),
    [
        ({"ROS_DOMAIN_ID": "500"}, (), "ROS_DOMAIN_ID is '500': expected a whole number from 0 to 232"),
        ({"ROS_DOMAIN_ID": "abc"}, (), "ROS_DOMAIN_ID is 'abc': expected a whole number from 0 to 232"),
        ({}, ("--domain-id", "-1"), "ROS_DOMAIN_ID is '-1': expected a whole number from 0 to 232"),
        ({"RMW_IMPLEMENTATION": "rmw_foo"}, (), "RMW_IMPLEMENTATION is 'rmw_foo', which is not installed: known are"),
        ({}, ("--namespace", "my-robot"), "namespace 'my-robot' is invalid: expected letters, digits and _"),
        ({}, ("--config", "nowhere.yaml"), "cannot read configuration nowhere.yaml"),
        ({}, ("--remap", "a"), "remapping 'a' is not of the form OLD:=NEW"),
        ({}, ("--set", "learner.signing_key=nowhere.pem"), "cannot read signing key nowhere.pem"),
        ({"absent": "numpy"}, (), "numpy is not installed"),
        ({"absent": "yaml"}, (), "pip install PyYAML"),
        ({"absent": "safetensors"}, (), "safetensors is not installed"),
        ({"absent": "gymnasium"}, (), "gymnasium is not installed"),
        ({"absent": "pybullet"}, ("--engine", "pybullet"), "engine pybullet is not installed"),
        ({"absent": "rclpy"}, (), "rclpy is not found: source a ROS 2 installation"),
        (
            {"absent": "torch"},
            ("--set", "learner.backend=torch"),
            "-m pip install torch, or set learner.backend to auto",
        ),
        (
            {"absent": "torch"},
            ("--set", "learner.use_sde=true"),
            "knows no learner.use_sde, and torch is not installed: /",
        ),
        ({"absent": "torch"}, ("--set", "learner.device=cuda"), "-m pip install torch"),
        ({"absent": "torch"}, ("--algorithm", "sac_v1"), "-m pip install torch"),
        ({"absent": "torch"}, ("--algorithm", "trpo"), "-m pip install torch"),
    ],
)
def test_training_that_cannot_work_is_refused_in_one_sentence_and_leaves_nothing(
    place: Path, environment: dict[str, str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert_refused(start(place, "train", "--run", "x", *arguments, **environment), sentence)
    assert not list(place.iterdir())


def test_places_that_cannot_be_written_are_refused(place: Path, blocked: Path) -> None:
    assert_refused(start(place, "train", "--runs-dir", str(blocked)), "cannot write run directory")
    assert_refused(start(place, "train", ROS_LOG_DIR=str(blocked)), "ROS_LOG_DIR is ")
    assert not list(place.iterdir())


def test_another_ros_is_named(place: Path, tmp_path: Path) -> None:
    other = tmp_path / "opt" / "ros"
    (other / "rclpy").mkdir(parents=True)
    (other / "rclpy" / "__init__.py").touch()
    assert_refused(start(place, "train", PYTHONPATH=str(other)), f"rclpy comes from {other / 'rclpy'}, not from")
    if (Path(sys.prefix) / "lib" / "librcl.so").exists():  # ROS in the virtual environment
        (other / "librcl.so").touch()
        done = start(place, "train", LD_LIBRARY_PATH=str(other))
        assert_refused(done, f"the libraries of ROS come from {other}, not from")


def test_directory_that_was_removed_is_named(place: Path) -> None:
    code = f"from sac_control.start import command; import shutil; shutil.rmtree({str(place)!r}); exit(command())"
    done = subprocess.run([sys.executable, "-c", code, "info"], cwd=place, capture_output=True, text=True, timeout=60)
    assert_refused(done, "the working directory is gone")


@pytest.mark.parametrize("executable", ["simulator", "policy", "learner", "evaluator"])
def test_node_started_by_hand_refuses_in_the_same_words(place: Path, executable: str) -> None:
    assert_refused(start(place, executable=executable, ROS_DOMAIN_ID="abc"), "ROS_DOMAIN_ID is 'abc'")
    assert_refused(start(place, executable=executable, absent="safetensors"), "safetensors is not installed")


@pytest.mark.parametrize(
    "arguments",
    [
        ("-r", "x"),
        ("-p", "x"),
        ("--params-file", "nowhere.yaml"),
        ("-r", "__ns:=/my-robot"),
        ("--nonsense",),
    ],
)
def test_node_says_in_one_sentence_what_ros_does_not_take(place: Path, arguments: tuple[str, ...]) -> None:
    done = start(place, "--ros-args", *arguments, executable="policy", ROS_DOMAIN_ID="99")
    assert done.returncode == EXIT_START
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("error: ROS rejected the arguments of this node: ")


def test_node_refuses_wrong_parameters_of_ros_itself(place: Path) -> None:
    name = "qos_overrides./joint_states.subscription.reliability"
    for parameter, sentence in ((f"{name}:=relible", "expected one of reliable"), ("use_sim_time:=3", "expected true")):
        done = start(place, "--ros-args", "-p", parameter, executable="policy", ROS_DOMAIN_ID="99")
        assert done.returncode == EXIT_SETTING
        assert "Traceback" not in done.stderr
        assert sentence in done.stderr.splitlines()[-1]


def test_buffer_that_no_memory_holds_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"learner.buffer_capacity is 100000000: its rows take .* GiB, and this comp"):
        ReplayBuffer(capacity=10**8, observation_size=10**5, action_size=1, seed=0)
    check_memory(sac(learner_config()).buffer_capacity, 5, 1)


# what may be absent


def test_training_needs_nothing_that_is_optional(place: Path) -> None:
    done = start(place, "train", "--run", "x", *SHORT, absent=OPTIONAL)
    assert done.returncode == EXIT_DONE, done.stderr
    assert "no curve: matplotlib" in done.stdout
    run = RunDirectory(place / "runs" / "x")
    versions = run.read_summary()["versions"]
    assert versions["torch"] is None
    assert versions["numpy"]
    assert run.metrics.exists()
    assert not run.events.exists()
    resumed = start(place, "train", "--run", "x", "--resume", "--max-steps", "80", absent=OPTIONAL)
    assert resumed.returncode == EXIT_DONE, resumed.stderr


def test_robot_needs_no_simulator(place: Path) -> None:
    file = place / "policy.safetensors"
    file.write_bytes(make_file().to_bytes())
    done = start(place, "info", str(file), absent=f"{OPTIONAL} gymnasium pybullet pybullet_data")
    assert done.returncode == EXIT_DONE, done.stderr
    code = "from sac_control.cli.main import main; from sac_control.cli import runner; runner.run = lambda *_: 0; "
    code += f"exit(main(['deploy', {str(file)!r}]))"
    environment = {**os.environ, "PYTHONPATH": ABSENT, "ABSENT": f"{OPTIONAL} gymnasium pybullet pybullet_data"}
    planned = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, timeout=60)
    assert planned.returncode == EXIT_DONE, planned.stderr


# who reads what is told


@pytest.mark.parametrize(
    "is_closed", [pytest.param(True, marks=pytest.mark.long), False], ids=["closed", "reader gone"]
)
def test_training_goes_on_where_nobody_reads_what_it_tells(place: Path, is_closed: bool) -> None:
    command = [sys.executable, "-m", "sac_control", "train", "--run", "x", *SHORT]
    if is_closed:
        command = ["sh", "-c", 'exec "$@" >&-', "sh", *command]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.close()
        assert process.stderr is not None
        told = process.stderr.read()
        assert process.wait(600) == EXIT_DONE, told
    assert "Error" not in told
    assert RunDirectory(place / "runs" / "x").read_summary()["env_steps"] == 60


def test_command_ends_quietly_where_nobody_reads_on(place: Path) -> None:
    for k in range(3000):
        RunDirectory(place / "runs" / f"{k:04}").path.mkdir(parents=True)
        (place / "runs" / f"{k:04}" / "config.yaml").touch()
    command = [sys.executable, "-m", "sac_control", "info"]
    with subprocess.Popen(command, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "0000\n"
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
        assert process.wait(60) == EXIT_DONE


def test_output_that_a_full_disk_does_not_take_is_a_fault_in_one_sentence(place: Path) -> None:
    (place / "runs").mkdir()
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [sys.executable, "-m", "sac_control", "info"],
            cwd=place, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60,
        )  # fmt: skip
    assert done.stderr == "error: cannot write the output: No space left on device\n"
    assert done.returncode == EXIT_FAULT


# where log files go


def test_log_files_go_where_they_can_be_written(tmp_path: Path, blocked: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    home = {"HOME": str(tmp_path / "home")}
    assert preflight.log_directory({**home, "ROS_LOG_DIR": str(tmp_path / "a")}, tmp_path / "b") == tmp_path / "a"
    assert preflight.log_directory(home, tmp_path / "b") == tmp_path / "b"
    assert preflight.log_directory(home, blocked) == tmp_path / "home" / ".ros" / "log"
    assert preflight.log_directory({**home, "ROS_HOME": str(tmp_path / "c")}) == tmp_path / "c" / "log"
    for environment in ({}, {"HOME": ""}, {"HOME": str(blocked)}):
        assert preflight.log_directory(environment, blocked).parent.parent == tmp_path / "tmp"
    with pytest.raises(ConfigError, match="ROS_LOG_DIR is "):
        preflight.log_directory({**home, "ROS_LOG_DIR": str(blocked)})
    monkeypatch.setattr("tempfile.tempdir", str(blocked))
    with pytest.raises(ConfigError, match="no directory for log files is writable"):
        preflight.log_directory({"HOME": str(blocked)})


@pytest.mark.long
def test_run_and_home_that_cannot_be_written_can_be_evaluated_and_drawn(place: Path, blocked: Path) -> None:
    run = RunDirectory(place / "runs" / "x")
    run.create(config_file.write_text(config_file.RunConfig()))
    files = {"policy.safetensors": make_file().to_bytes()}
    CheckpointStore(run.checkpoints, keep_last=1).save(100, files, {}, is_best=True)
    (run.path / "log").touch()  # in the way of a directory of log files
    episodes = ("--episodes", "1", "--set", "simulator.max_episode_steps=5", "--json")
    done = start(place, "evaluate", "x", *episodes, HOME=str(blocked))
    assert done.returncode == EXIT_DONE, done.stderr
    assert json.loads(done.stdout)["lengths"]
    assert {path.name for path in run.path.iterdir()} == {"config.yaml", "checkpoints", "log", ".lock", "eval.json"}
    write_tables(run, rows=3)
    run.curve.mkdir()  # in the way of the picture
    assert "sac_control plot RUN --output FILE draws elsewhere" in start(place, "plot", "x").stderr
    assert start(place, "plot", "x", "--output", "mine.png").stdout == "mine.png\n"
    assert (place / "mine.png").stat().st_size > 1000
