"""What the command says by itself: examples, what to do next, completions; and what it does not say."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from policies import make_file
from sac_control.cli import main
from sac_control.cli.completion import run_names, setting_names
from sac_control.cli.next_commands import next_commands
from sac_control.store.run_directory import RunDirectory

ROOT = Path(__file__).resolve().parent.parent


def words(line: str) -> list[str]:
    """The arguments of a command that is told to people, without the program."""
    given = shlex.split(line, comments=True)
    return given[given.index("sac_control") + 1 :] if "sac_control" in given else given[1:]


def test_help_shows_three_examples_that_the_command_takes(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main.main(["--help"])
    shown = capsys.readouterr().out.partition("examples:\n")[2].strip().splitlines()
    assert len(shown) == 3
    for line in shown:
        main.parse(words(line))
        assert len(line) <= 110


@pytest.fixture
def at_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("is_solved", [True, False])
@pytest.mark.parametrize("directory", ["runs", "my runs"])
def test_next_commands_can_be_copied(at_home: Path, is_solved: bool, directory: str) -> None:
    run = RunDirectory(at_home / directory / "first one")
    told = next_commands(run, Path(directory), {"solved": is_solved, "env_steps": 700})
    assert len(told) >= 3
    verbs = []
    for line in told:
        assert " # " in line
        verb, options = main.parse(words(line))
        verbs.append(verb.name)
        if verb.name == "train":
            assert (options.run, options.runs_dir, options.resume) == ("first one", Path(directory), True)
            assert options.max_steps == 1400
        else:
            named = options.run if verb.name == "report" else options.policy
            assert Path(named).resolve() == run.path
    assert ("deploy" in verbs) == is_solved
    assert ("train" in verbs) == (not is_solved)


def test_program_is_named_as_it_can_be_called(at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run, summary = RunDirectory(at_home / "runs" / "a"), {"solved": True, "env_steps": 1}
    monkeypatch.setattr("shutil.which", lambda name: "/usr/bin/sac_control")
    assert next_commands(run, Path("runs"), summary)[0].startswith("sac_control evaluate runs/a")
    monkeypatch.setattr("shutil.which", lambda name: None)
    monkeypatch.setattr(sys, "argv", [str(at_home / ".venv" / "bin" / "sac_control")])
    assert next_commands(run, Path("runs"), summary)[0].startswith(".venv/bin/sac_control evaluate runs/a")
    monkeypatch.setattr(sys, "argv", ["/somewhere/__main__.py"])
    assert next_commands(run, Path("runs"), summary)[0].startswith(f"{sys.executable} -m sac_control evaluate runs/a")


# what is refused before anything starts


@pytest.mark.parametrize("verb", ["train", "evaluate"])
def test_window_without_a_display_is_refused_in_one_sentence(
    at_home: Path, verb: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    assert main.main([verb, *(["first"] if verb == "evaluate" else []), "--gui"]) == 2
    said = capsys.readouterr().err
    assert said.startswith("error: --gui opens a window, and there is no display (DISPLAY is not set): leave it out")
    assert len(said.splitlines()) == 1
    assert not list(at_home.iterdir())


def test_video_that_cannot_be_written_is_refused_before_the_evaluation(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(main, "_run", lambda *_: pytest.fail("nodes were started"))
    policy = at_home / "policy.safetensors"
    policy.write_bytes(make_file().to_bytes())
    for video, complaint in (("x.avi", "expected one of .gif, .mp4"), ("no/x.gif", "cannot be written")):
        assert main.main(["evaluate", str(policy), "--video", video]) == 2
        assert complaint in capsys.readouterr().err


# completion


def completed(line: str, directory: Path, **environment: str) -> tuple[int, list[str]]:
    """What a shell is told at Tab behind `line`, and the exit code."""
    answer = directory / "answer"
    asked = {
        "_ARGCOMPLETE": "1",
        "_ARGCOMPLETE_STDOUT_FILENAME": str(answer),
        "_ARGCOMPLETE_COMP_WORDBREAKS": " \t\n\"'><=;|&(",
        "_ARGCOMPLETE_IFS": "\n",
        "COMP_LINE": line,
        "COMP_POINT": str(len(line.encode())),
        "COMP_TYPE": "9",
        "COMP_KEY": "9",
    }
    done = subprocess.run(
        [sys.executable, "-m", "sac_control"],
        cwd=directory,
        env={**os.environ, **asked, **environment},
        capture_output=True,
        timeout=60,
    )
    return done.returncode, answer.read_text().splitlines() if answer.exists() else []


@pytest.fixture
def place(tmp_path: Path) -> Path:
    for name in ("first", "fine"):
        (tmp_path / "runs" / name).mkdir(parents=True)
        (tmp_path / "runs" / name / "config.yaml").touch()
    (tmp_path / "runs" / "figures").mkdir()
    return tmp_path


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("sac_control eva", ["evaluate "]),
        ("sac_control evaluate fi", ["fine", "first"]),
        ("sac_control exam fir", ["first "]),
        ("sac_control train --set learner.batch", ["learner.batch_size="]),
        ("sac_control train --log-level w", ["warn "]),
    ],
)
def test_tab_completes_verbs_runs_settings_and_choices(place: Path, line: str, expected: list[str]) -> None:
    code, answer = completed(line, place)
    assert code == 0
    assert sorted(answer) == expected


def test_tab_without_argcomplete_says_nothing(place: Path, tmp_path: Path) -> None:
    (tmp_path / "blocked").mkdir()
    (tmp_path / "blocked" / "argcomplete.py").write_text("raise ModuleNotFoundError('argcomplete')")
    code, answer = completed("sac_control eva", place, PYTHONPATH=str(tmp_path / "blocked"))
    assert (code, answer) == (1, [])


def test_runs_are_directories_with_a_configuration(place: Path) -> None:
    assert run_names(place / "runs") == ["fine", "first"]
    assert run_names(place / "absent") == []


def test_settings_are_those_of_every_node() -> None:
    names = list(setting_names())
    assert {"learner.max_steps=", "simulator.mode=", "policy.envelope=", "evaluator.episodes="} <= set(names)
    assert all(re.fullmatch(r"(learner|simulator|policy|evaluator)\.[a-z0-9_]+=", name) for name in names)


# what is not said


@pytest.mark.needs("pybullet")
def test_pybullet_says_nothing_of_its_build() -> None:
    done = subprocess.run(
        [sys.executable, "-c", "import sac_control.worlds.pybullet_world, sys; print('err', file=sys.stderr)"],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.stdout, done.stderr) == ("", "err\n")
