"""Launch files plan what the command plans, and name their arguments as it names its options."""

from __future__ import annotations

import ast
import importlib.util
import os
import re
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from plans import ROOT, configuration, launched, parameter_file
from sac_control.cli import launch_arguments, main, runner
from sac_control.cli.choice import from_launch
from sac_control.cli.launch_arguments import DEPLOY, EVALUATE, TRAIN, LaunchFile, in_launch_words
from sac_control.cli.plan import Plan
from sac_control.errors import ConfigError, RunError
from sac_control.store.run_directory import RunDirectory

pytestmark = pytest.mark.usefixtures("alike_everywhere")

NO_LAUNCH = "the launch library is not on PyPI: it comes with a ROS installation"
LAUNCH_FILES = sorted(
    set((ROOT / "launch").glob("*.launch.py")) - {ROOT / "launch" / "view.launch.py"}
)  # no nodes of ours


@pytest.fixture
def command(monkeypatch: pytest.MonkeyPatch) -> Callable[..., Plan]:
    """The plan that a command line would have run."""
    started: list[Plan] = []

    def run(plan: Plan, environment: Mapping[str, str], stop_timeout: float, hear: object) -> int:
        started.append(plan)
        if plan.run is not None:
            (plan.run.checkpoints / "1").mkdir(parents=True, exist_ok=True)  # or it is removed: nothing was learnt
        return 1

    monkeypatch.setenv("DISPLAY", ":0")

    def command(*arguments: str) -> Plan:
        assert main.main(arguments) == 1
        return started.pop()

    monkeypatch.setattr(runner, "run", run)
    return command


def assert_same(one: Plan, other: Plan) -> None:
    assert one.nodes == other.nodes
    assert (one.run is None) == (other.run is None)
    if one.run is not None and other.run is not None:
        assert one.run.path == other.run.path


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("", {}),
        ("--seed 0 --max-steps 500 --until steps", {"seed": "0", "max_steps": "500", "until": "steps"}),
        ("--namespace arm --log-level debug --gui", {"namespace": "arm", "log_level": "debug", "headless": "false"}),
        (
            "--set learner.tau=0.1 --set simulator.mode=realtime",
            {"settings": "learner.tau=0.1 simulator.mode=realtime"},
        ),
        ("--config config/realtime.yaml", {"config": "config/realtime.yaml"}),
        ("--restarts 2", {"restarts": "2"}),
        ("--remap a:=b --remap c:=d", {"remap": "a:=b c:=d"}),
    ],
)
def test_launch_file_trains_as_the_command_does(
    runs: Path, command: Callable[..., Plan], monkeypatch: pytest.MonkeyPatch, line: str, values: dict[str, str]
) -> None:
    monkeypatch.chdir(ROOT)
    commanded = command("train", "--run", "new", "--runs-dir", str(runs), *line.split())
    config = configuration(commanded)
    assert_same(commanded, launched(TRAIN, run="new", runs_dir=str(runs), overwrite="true", **values))
    assert configuration(commanded) == config
    assert_same(
        command("train", "--run", "new", "--runs-dir", str(runs), "--resume"),
        launched(TRAIN, run="new", runs_dir=str(runs), resume="true"),
    )


@pytest.mark.parametrize(
    ("line", "values"),
    [
        ("", {}),
        ("--episodes 3 --seed 0 --sample", {"episodes": "3", "seed": "0", "deterministic": "false"}),
        (
            "--namespace arm --gui --output /tmp/a.json",
            {"namespace": "arm", "headless": "false", "output": "/tmp/a.json"},
        ),
        ("--set simulator.max_episode_steps=9", {"settings": "simulator.max_episode_steps=9"}),
        ("--config config/realtime.yaml --remap a:=b", {"config": "config/realtime.yaml", "remap": "a:=b"}),
    ],
)
def test_launch_file_evaluates_as_the_command_does(
    runs: Path,
    trained: RunDirectory,
    command: Callable[..., Plan],
    monkeypatch: pytest.MonkeyPatch,
    line: str,
    values: dict[str, str],
) -> None:
    monkeypatch.chdir(ROOT)
    commanded = command("evaluate", "trained", "--runs-dir", str(runs), *line.split())
    assert_same(commanded, launched(EVALUATE, policy="trained", runs_dir=str(runs), **values))


def test_launch_file_deploys_as_the_command_does(
    runs: Path, trained: RunDirectory, command: Callable[..., Plan]
) -> None:
    commanded = command("deploy", "trained", "--runs-dir", str(runs), "--set", "policy.state_timeout=0.02")
    assert_same(commanded, launched(DEPLOY, policy="trained", runs_dir=str(runs), settings="policy.state_timeout=0.02"))
    commanded = command("deploy", "trained", "--runs-dir", str(runs), "--shadow", "trained")
    assert_same(commanded, launched(DEPLOY, policy="trained", runs_dir=str(runs), shadow="trained"))
    file = parameter_file(runs, "/policy: {ros__parameters: {ramp_s: 2, use_sim_time: true}}\n")
    commanded = command("deploy", "trained", "--runs-dir", str(runs), "--config", str(file), "--remap", "a:=b")
    assert commanded.nodes[0].parameters["ramp_s"] == 2.0
    assert_same(commanded, launched(DEPLOY, policy="trained", runs_dir=str(runs), config=str(file), remap="a:=b"))


@pytest.mark.parametrize(
    ("name", "nearest"), [("seeed", "seed"), ("max-steps", "max_steps"), ("runs", "run"), ("policy", "known are run")]
)
def test_launch_argument_that_does_not_exist_is_refused_with_the_nearest(name: str, nearest: str) -> None:
    with pytest.raises(ConfigError, match=f"launch argument '{name}' is not known; .*{nearest}"):
        TRAIN.check_names(["run", name])


def test_launch_arguments_that_exist_or_are_launch_s_own_are_taken() -> None:
    for file in (TRAIN, EVALUATE, DEPLOY):
        file.check_names([*(argument.name for argument in file.arguments), "launch-prefix", "launch-prefix-filter"])


def test_launch_files_have_their_names() -> None:
    assert sorted(file.name for file in (TRAIN, EVALUATE, DEPLOY)) == [path.name for path in LAUNCH_FILES]


def test_launch_file_names_its_arguments_where_the_command_names_its_options(runs: Path, trained: RunDirectory) -> None:
    with pytest.raises(RunError, match="choose another run:=, continue it with resume:=true or replace it with overw"):
        launched(TRAIN, run="trained", runs_dir=str(runs))
    with pytest.raises(RunError, match=f"no run {runs / 'x'} to resume: leave resume:=true out to begin it"):
        launched(TRAIN, run="x", runs_dir=str(runs), resume="true")
    with pytest.raises(ConfigError, match="give a directory for runs with runs_dir:=$"):
        launched(TRAIN, run="a/b", runs_dir=str(runs))


@pytest.mark.parametrize(
    ("verb", "file", "alone"),
    [
        ("train", TRAIN, {"domain-id", "stop-timeout", "require-solved", "require-hardened", "quiet"}),
        ("evaluate", EVALUATE, {"domain-id", "stop-timeout", "json", "quiet", "video"}),
        ("deploy", DEPLOY, {"domain-id", "stop-timeout"}),
    ],
)
def test_every_option_has_its_launch_argument(
    verb: str, file: LaunchFile, alone: set[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main.main([verb, "--help"])
    options = set(re.findall(r"--([a-z-]+)", capsys.readouterr().out)) - {"help", *alone}
    assert len(options) > 5
    for option in options:
        name, value = in_launch_words(f"--{option}").split(":=")
        (argument,) = (argument for argument in file.arguments if argument.name == name)
        assert not value or value in argument.choices


@pytest.mark.parametrize("verb", ["train", "evaluate", "deploy"])
def test_command_launch_file_and_code_that_choose_nothing_choose_the_same(verb: str) -> None:
    file = {"train": TRAIN, "evaluate": EVALUATE, "deploy": DEPLOY}[verb]
    chosen: dict[str, str] = {} if verb == "train" else {"policy": "run"}
    given = {argument.name: argument.default or "" for argument in file.arguments} | chosen
    expected = file.options(**chosen)
    _, commanded = main.parse([verb, *chosen.values()])
    assert {**vars(from_launch(file.options, given)), "settings": (), "remap": ()} == {
        **vars(expected),
        "settings": (),
        "remap": (),
    }
    assert {**vars(commanded), "settings": (), "remap": ()} == {**vars(expected), "settings": (), "remap": ()}


@pytest.mark.parametrize("value", ["0", "-3", "many", "1.5"])
def test_number_of_episodes_that_is_none_is_refused_by_the_launch_file(
    runs: Path, trained: RunDirectory, value: str
) -> None:
    with pytest.raises(ConfigError, match="episodes is "):
        launched(EVALUATE, policy="trained", runs_dir=str(runs), episodes=value)


@pytest.mark.parametrize("file", [TRAIN, EVALUATE, DEPLOY])
def test_launch_arguments_have_a_description_and_a_default_among_their_choices(file: LaunchFile) -> None:
    for argument in file.arguments:
        assert argument.help
        assert not argument.choices or argument.default in argument.choices
    assert len({argument.name for argument in file.arguments}) == len(file.arguments)


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_file_hands_an_existing_description_on(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imported = [
        alias.name
        for node in tree.body
        if isinstance(node, ast.ImportFrom) and node.module == "sac_control.cli.launch_arguments"
        for alias in node.names
    ]
    assert imported == [path.name.removesuffix(".launch.py").upper()]
    assert isinstance(getattr(launch_arguments, imported[0]), LaunchFile)
    assert "generate_launch_description" in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}


@pytest.mark.long
def test_launched_training_ends_its_nodes_and_then_makes_its_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("launch.actions", reason=NO_LAUNCH)
    pytest.importorskip("launch_ros")
    program = (
        "import runpy, sys; from launch import LaunchService, LaunchDescription; from launch.actions import *\n"
        "file, *given = sys.argv[1:]; sys.argv = ['train.launch.py', *given]\n"
        "settings = [SetLaunchConfiguration(*each.split(':=')) for each in given]\n"
        "entities = runpy.run_path(file)['generate_launch_description']().entities\n"
        "service = LaunchService(argv=given)\n"
        "service.include_launch_description(LaunchDescription([*settings, *entities]))\n"
        "sys.exit(service.run())"
    )
    file = next(path for path in LAUNCH_FILES if path.name.startswith("train"))
    command = [sys.executable, "-c", program, str(file), "run:=x", "max_steps:=60", f"runs_dir:={tmp_path}"]
    environment = {**os.environ, "ROS_LOG_DIR": str(tmp_path / "log"), "AMENT_PREFIX_PATH": sys.prefix}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert {"curve.png", "best.gif"} <= {path.name for path in (tmp_path / "x").iterdir()}
    told = done.stdout + done.stderr
    assert "no usable state" not in told
    for node in ("policy", "simulator"):
        assert told.index(f"'SIGINT' to process[{node}") < told.index("curve: "), node


@pytest.mark.parametrize("path", LAUNCH_FILES, ids=lambda path: path.name)
def test_launch_file_makes_a_description_with_its_arguments_and_nodes(
    path: Path, runs: Path, trained: RunDirectory
) -> None:
    pytest.importorskip("launch.actions", reason=NO_LAUNCH)
    launch = pytest.importorskip("launch")
    pytest.importorskip("launch_ros")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    description = module.generate_launch_description()
    file: LaunchFile = getattr(launch_arguments, path.name.removesuffix(".launch.py").upper())
    arguments = description.get_launch_arguments()
    assert [argument.name for argument in arguments] == [argument.name for argument in file.arguments]
    context = launch.LaunchContext()
    context.launch_configurations.update(policy="trained", runs_dir=str(runs))
    entities = [entity for part in description.entities for entity in part.visit(context) or ()]
    nodes = [entity for entity in entities if hasattr(entity, "node_executable")]
    expected = {"train": ["learner", "simulator", "policy"], "evaluate": ["evaluator", "simulator", "policy"]}
    assert [node.node_executable for node in nodes] == expected.get(path.name.split(".")[0], ["policy"])
