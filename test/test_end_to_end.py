"""The command, the way a user types it: real processes, real DDS."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

COMMAND = [sys.executable, "-m", "sac_control"]
SMALL = ["--set", "learner.hidden_sizes=[16]", "--set", "learner.evaluation_every=0"]


def environment() -> dict[str, str]:
    return {name: value for name, value in os.environ.items() if name != "ROS_DOMAIN_ID"}


def sac_control(tmp_path: Path, *arguments: str, timeout: float = 1500.0) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*COMMAND, *arguments], cwd=tmp_path, env=environment(), capture_output=True, text=True, timeout=timeout
    )


class Running:
    """A command that goes on while the test watches it."""

    def __init__(self, tmp_path: Path, *arguments: str) -> None:
        self._log = tmp_path / f"output-{len(list(tmp_path.glob('output-*')))}"
        with self._log.open("w") as stream:
            self.process = subprocess.Popen(
                [*COMMAND, *arguments], cwd=tmp_path, env=environment(), stdout=stream, stderr=stream
            )

    @property
    def output(self) -> str:
        return self._log.read_text()

    def until(self, condition: Callable[[], object], timeout: float = 600.0) -> None:
        deadline = time.monotonic() + timeout
        while not condition():
            if time.monotonic() > deadline or self.process.poll() is not None:
                self.process.kill()
                raise AssertionError(f"did not come to it; output:\n{self.output}")
            time.sleep(0.05)

    def child(self, node: str) -> int:
        """Process id of a node."""
        output = subprocess.run(
            ["pgrep", "--parent", str(self.process.pid), "-f", f"sac_control.nodes.{node}"],
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return int(output.split()[0])


def test_training_through_three_processes_solves_the_pendulum_and_the_policy_keeps_its_word(tmp_path: Path) -> None:
    done = sac_control(tmp_path, "train", "--run", "pendulum", "--seed", "5", "--until", "solved", "--require-solved")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "solved after" in done.stdout
    assert "incompatible QoS" not in done.stdout + done.stderr
    assert "pybullet build time" not in done.stdout + done.stderr
    assert "next:" in done.stdout
    assert re.search(r"step \d+/20000  episodes \d+  return .* updates/s  ratio .* policy v\d+  ETA", done.stdout)
    run = tmp_path / "runs" / "pendulum"
    summary = json.loads((run / "summary.json").read_text())
    assert summary["solved"] is True
    assert summary["eval_returns"] == [1000.0] * 10
    assert {"env_steps", "updates", "wall_seconds", "seed", "versions"} <= summary.keys()
    for name in ("config.yaml", "metrics.csv", "episodes.csv", "evaluations.csv", "curve.png", "best.gif", "replay"):
        assert (run / name).exists(), name
    for name in ("policy.safetensors", "learner.safetensors", "state.json"):
        assert (run / "checkpoints" / "best" / name).exists(), name
        assert (run / "checkpoints" / "latest" / name).exists(), name
    assert list((run / "tb").iterdir())

    result = json.loads(sac_control(tmp_path, "evaluate", "pendulum", "--episodes", "5", "--json").stdout)
    assert result["returns"] == [1000.0] * 5
    assert result["missing_transitions"] == 0
    assert result["interquartile_interval"] == [1000.0, 1000.0]
    assert result["chatter"]["slider_to_cart"] > 0.0
    assert json.loads((run / "eval.json").read_text()) == result

    info = sac_control(tmp_path, "info", "pendulum")
    assert info.returncode == 0
    assert "inverted_pendulum" in info.stdout
    again = sac_control(tmp_path, "train", "--run", "pendulum")
    assert again.returncode == 2
    assert "exists already" in again.stderr


@pytest.mark.long
def test_training_on_a_terminal_draws_a_table_between_what_all_nodes_say(tmp_path: Path) -> None:
    screen, theirs = pty.openpty()
    process = subprocess.Popen(
        [*COMMAND, "train", "--run", "x", "--max-steps", "400", *SMALL],
        cwd=tmp_path,
        env={**environment(), "TERM": "xterm", "COLUMNS": "100", "LINES": "40"},
        stdout=theirs,
        stderr=theirs,
    )
    os.close(theirs)
    seen = b""
    with contextlib.suppress(OSError):  # so a terminal says that nobody writes to it any more
        while data := os.read(screen, 65536):
            seen += data
    os.close(screen)
    assert process.wait(60) == 0
    text = seen.decode()
    assert "\x1e" not in text  # no record
    for word in ("400/400 transitions", "replay ratio", "[simulator] INFO: simulates", "returns ", "next:"):
        assert word in text, word
    assert text.index("max_steps reached after 400") > text.rindex("replay ratio")


@pytest.mark.long
def test_quiet_training_tells_its_end_alone(tmp_path: Path) -> None:
    done = sac_control(tmp_path, "train", "--run", "x", "--max-steps", "300", "--quiet", *SMALL)
    assert done.returncode == 0, done.stderr
    assert len(done.stdout.splitlines()) == 1
    assert "max_steps reached after 300 transitions" in done.stdout
    assert done.stderr == ""


@pytest.mark.long
def test_two_trainings_at_once_do_not_hear_each_other(tmp_path: Path) -> None:
    arguments = ("--max-steps", "400", *SMALL)
    both = [Running(tmp_path, "train", "--run", f"run{k}", *arguments) for k in range(2)]
    for running in both:
        assert running.process.wait(1500) == 0, running.output
    domains = {re.search(r"ROS_DOMAIN_ID=(\d+)", running.output).group(1) for running in both}  # type: ignore[union-attr]
    assert len(domains) == 2
    for k in range(2):
        summary = json.loads((tmp_path / "runs" / f"run{k}" / "summary.json").read_text())
        assert (summary["env_steps"], summary["updates"]) == (400, 1600)  # 8 for each after the warm-up of 200


def test_ctrl_c_ends_with_a_checkpoint_and_resume_counts_on_from_it(tmp_path: Path) -> None:
    running = Running(tmp_path, "train", "--run", "long", *SMALL)
    running.until(lambda: re.search(r"step [1-9]\d{2,}/", running.output))
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(600) == 0, running.output
    assert "was killed" not in running.output
    before = json.loads((tmp_path / "runs" / "long" / "checkpoints" / "latest" / "state.json").read_text())["training"]
    assert before["transitions"] >= 100
    assert not subprocess.run(["pgrep", "-f", f"{tmp_path}/runs/long"], capture_output=True).stdout

    steps = str(before["transitions"] + 200)
    done = sac_control(tmp_path, "train", "--run", "long", "--resume", "--max-steps", steps)
    assert done.returncode == 0, done.stderr
    assert f"resumes at step {before['transitions']}" in done.stdout
    after = json.loads((tmp_path / "runs" / "long" / "summary.json").read_text())
    assert after["env_steps"] == before["transitions"] + 200
    assert after["updates"] > before["updates"]
    assert after["policy_version"] > before["policy_version"]


@pytest.mark.long
def test_ctrl_c_waits_for_the_checkpoint_of_large_networks(tmp_path: Path) -> None:
    large = ("--set", "learner.hidden_sizes=[1024,1024]", "--set", "learner.batch_size=512")
    running = Running(tmp_path, "train", "--run", "large", *large, "--set", "learner.evaluation_every=0")
    running.until(lambda: re.search(r"step [2-9]\d\d/.*[1-9]\S* updates/s", running.output))
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(600) == 0, running.output
    assert "was killed" not in running.output
    state = json.loads((tmp_path / "runs" / "large" / "checkpoints" / "latest" / "state.json").read_text())
    assert state["training"]["updates"] > 0, "the last checkpoint is that of the end"


def test_a_node_that_hangs_is_killed_and_named_and_the_others_end_in_order(tmp_path: Path) -> None:
    running = Running(tmp_path, "train", "--run", "stuck", "--stop-timeout", "2", *SMALL)
    running.until(lambda: re.search(r"step [1-9]", running.output))
    os.kill(running.child("simulator"), signal.SIGSTOP)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(600) == 1
    assert "the simulator process did not stop and was idle for 2 s and was killed" in running.output
    assert running.output.count("was killed") == 1
    assert json.loads((tmp_path / "runs" / "stuck" / "summary.json").read_text())["env_steps"] > 0


def test_a_second_ctrl_c_kills_at_once_whatever_is_still_ending(tmp_path: Path) -> None:
    running = Running(tmp_path, "train", "--run", "stuck", "--stop-timeout", "1000", *SMALL)
    running.until(lambda: re.search(r"step [1-9]", running.output))
    os.kill(running.child("simulator"), signal.SIGSTOP)
    running.process.send_signal(signal.SIGINT)
    running.until(lambda: "still shutting down: " in running.output)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 1
    assert "the simulator process was still shutting down at a second Ctrl-C and was killed" in running.output


def test_interrupt_while_nodes_are_still_loading_ends_them_in_order(tmp_path: Path) -> None:
    running = Running(tmp_path, "train", "--run", "early", *SMALL)
    running.until(lambda: "nodes learner" in running.output)
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(600) == 0
    assert "Traceback" not in running.output
    assert "KeyboardInterrupt" not in running.output


@pytest.mark.parametrize("node", ["simulator", "policy", "learner"])
def test_the_death_of_a_process_stops_the_others_and_is_named(tmp_path: Path, node: str) -> None:
    running = Running(tmp_path, "train", "--run", "doomed", "--restarts", "0", *SMALL)
    running.until(lambda: re.search(r"step [1-9]", running.output))
    others = [running.child(name) for name in ("simulator", "policy", "learner") if name != node]
    os.kill(running.child(node), signal.SIGKILL)
    assert running.process.wait(600) == 1
    assert f"the {node} process was terminated by SIGKILL" in running.output
    assert not any(Path(f"/proc/{pid}").exists() for pid in others)


@pytest.mark.parametrize(
    ("arguments", "code", "sentence"),
    [
        (["train", "--set", "learner.batchsize=1"], 2, "did you mean batch_size"),
        (["train", "--set", "lerner.batch_size=1"], 2, "did you mean learner"),
        (["train", "--set", "learner.gamma=2"], 2, "from 0 to 1"),
        (["train", "--set", "nonsense"], 2, "section.key=value"),
        (["train", "--run", "a/b"], 2, "not a plain name"),
        (["train", "--run", "absent", "--resume"], 2, "there is no run"),
        (["train", "--runs-dir", "/proc/nowhere"], 2, "cannot write run directory"),
        (["train", "--config", "absent.yaml"], 2, "cannot read configuration"),
        (["train", "--colour"], 2, "unrecognized arguments"),
        (["evaluate", "absent"], 2, "there is no run"),
        (["info"], 1, "there is no directory runs"),
    ],
)
def test_a_wrong_command_gets_one_sentence_and_the_right_exit_code(
    tmp_path: Path, arguments: list[str], code: int, sentence: str
) -> None:
    done = sac_control(tmp_path, *arguments)
    assert done.returncode == code, done.stderr
    assert sentence in done.stderr
    assert "Traceback" not in done.stderr
    assert not (tmp_path / "runs").exists()


def test_max_steps_without_success_exits_with_3_where_success_is_required(tmp_path: Path) -> None:
    arguments = ("--max-steps", "60", "--require-solved")
    done = sac_control(tmp_path, "train", "--run", "short", *arguments)
    assert done.returncode == 3, done.stdout + done.stderr
    assert "not solved: max_steps reached after 60 transitions" in done.stdout
