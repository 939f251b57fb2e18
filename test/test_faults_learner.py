"""A learner loses at most a second of its work, whatever happens to its process or to its disk.

``SAC_CONTROL_FAULTS=full`` kills it fifty times in a row instead of four; the figures are printed (``pytest -s``).
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import pytest
from safetensors.numpy import load as load_tensors

from growth import processor_time
from killable_learner import LEDGER, ROW_SIZE, digests
from learners import off_policy
from ros_world import RosWorld
from sac_control.errors import RunError
from sac_control.nodes import messages, topics
from sac_control.store.checkpoints import MANIFEST, Checkpoint, CheckpointStore
from sac_control.store.replay_file import RECORD
from sac_control.training.learner_config import LearnerConfig
from sac_control.training.training_run import TrainingRun
from sac_control.types import Array, Transition
from test_end_to_end import Running, sac_control
from withheld import Withheld

KILLS = int(os.environ.get("SAC_CONTROL_KILLS", "50" if os.environ.get("SAC_CONTROL_FAULTS") == "full" else "4"))
COMMAND_KILLS = max(2, KILLS // 5)
FILES_OF_REPLAY = (("transitions.f32", 4 * ROW_SIZE), ("transitions.index", RECORD.itemsize))
MOST_LOST = 1.0  # [s] of transitions
LONGEST_START = 10.0  # [s] from the start of the process to the first update
MOST_COMPUTED = 10.0  # [s] of processor time, of all processes of the command together, until then
# Statistics of all transitions seen, those after the checkpoint among them: all else is as the checkpoint has it.
OF_ALL_TRANSITIONS = {"normaliser.count", "normaliser.running_mean", "normaliser.squares"}
OF_ALL_NUMBERS = {"transitions", "arrivals", "episodes", "_rejected"}

# The process is killed


class Life:
    """One life of a learner process."""

    def __init__(self, run: Path, ledger: Path, number: int, checkpoint_every: int) -> None:
        script = Path(__file__).with_name("killable_learner.py")
        resume = "resume" if number else "begin"
        command = [sys.executable, str(script), str(run), str(ledger), str(number), str(checkpoint_every), resume]
        self.began = time.monotonic()
        self.process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.patience = threading.Timer(300.0, self.process.kill)  # a test that hangs fails
        self.patience.daemon = True  # one that has failed does not wait for it
        self.patience.start()

    def hear(self) -> dict[str, Any]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.words()
        return dict(json.loads(line))

    def go_on(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()

    def kill_after(self, delay: float) -> float:
        """Kill it `delay` [s] from now; returns the steady time at which it was killed."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            code = self.process.wait(delay)
            raise AssertionError(f"ended by itself with {code}: {self.words()}")
        killed_at = time.monotonic()
        self.process.send_signal(signal.SIGKILL)
        self.process.wait()
        self.patience.cancel()
        return killed_at

    def words(self) -> str:
        assert self.process.stderr is not None
        self.process.kill()
        return self.process.stderr.read()


def read_ledger(path: Path) -> Array:
    data = path.read_bytes() if path.exists() else b""
    return np.frombuffer(data[: len(data) // LEDGER.itemsize * LEDGER.itemsize], LEDGER)


def newest_checkpoint(checkpoints: Path) -> tuple[dict[str, Any], dict[str, Array]]:
    """The newest state.json and the arrays of the learner beside it, read and compared without our own store."""
    newest = max((path for path in checkpoints.iterdir() if path.name.isdigit()), key=lambda path: int(path.name))
    manifest = json.loads((newest / MANIFEST).read_text())
    files = {name: (newest / name).read_bytes() for name in manifest["sha256"]}
    assert {name: hashlib.sha256(data).hexdigest() for name, data in files.items()} == manifest["sha256"]
    return manifest, load_tensors(files["learner.safetensors"])


@pytest.mark.long
def test_a_learner_killed_again_and_again_loses_at_most_a_second_and_goes_on_within_ten(
    tmp_path: Path, machine: Withheld
) -> None:
    run, path = tmp_path / "run", tmp_path / "ledger"
    random = np.random.default_rng(KILLS)
    steps, killed_at, ledger = 0, 0.0, read_ledger(path)
    lost_seconds, lost_rows, recovered, starts, in_checkpoint, early = [0.0], [0], [0], [0.0], 0, 0
    for number in range(KILLS + 1):
        is_long = number == KILLS - 2  # without a checkpoint: all that it learnt from is in the replay log alone
        life = Life(run, path, number, checkpoint_every=100_000 if is_long else int(random.choice([5, 400, 100_000])))
        if number % 4 == 3:  # killed at any moment of its own resumption, too
            life.kill_after(random.uniform(0.0, 2.0))
            early += 1
            continue
        report = life.hear()
        assert report["transitions"] >= steps, "transitions never go backwards"
        steps = report["transitions"]
        manifest, arrays = newest_checkpoint(run / "checkpoints")
        has_newer = steps > manifest["training"]["transitions"]
        for name, digest in digests(arrays).items():
            if not (has_newer and name in OF_ALL_TRANSITIONS):
                assert report["learner"].pop(name) == digest, name
        assert set(report["learner"]) <= OF_ALL_TRANSITIONS, "nothing but what is in the checkpoint"
        for name, value in manifest["training"].items():
            if name != "policy_version" and not (has_newer and name in OF_ALL_NUMBERS):  # versions go on behind it
                assert report["numbers"][name] == value, name
        recovered.append(steps - manifest["training"]["transitions"])
        assert report["updates"] == manifest["training"]["updates"]
        assert steps <= len(ledger)
        assert report["rows"] == hashlib.sha256(ledger["row"][:steps].tobytes()).hexdigest(), "rows are those sent"
        assert report["version"] > max(ledger["version"][:steps], default=0)
        if steps < len(ledger):
            lost_seconds.append(machine.given_to_each(float(ledger["sent_at"][steps]), killed_at))
            lost_rows.append(len(ledger) - steps)
            assert lost_seconds[-1] <= MOST_LOST
        life.go_on()
        starts.append(machine.given_to_each(life.began, life.hear()["first_update_at"]))
        assert starts[-1] <= LONGEST_START
        killed_at = life.kill_after(4.0 if is_long else random.uniform(0.0, 1.2))
        in_checkpoint += any(run.glob("checkpoints/.*.tmp"))
        ledger = read_ledger(path)
        assert len(ledger) > steps
    assert steps > 0, "it began afresh"
    sys.stdout.write(
        f"\n{KILLS + 1} lives, {early} of them killed while they started, {in_checkpoint} within a checkpoint; "
        f"{steps} transitions; worst loss {max(lost_seconds):.3f} s, {max(lost_rows)} transitions; "
        f"up to {max(recovered)} taken over beyond the checkpoint; slowest first update {max(starts):.2f} s\n"
    )


def descendants(pid: int) -> list[int]:
    """Process ids of `pid`, of its children, of theirs …"""
    found = subprocess.run(["pgrep", "--parent", str(pid)], capture_output=True, text=True).stdout.split()
    return [pid, *(each for child in found for each in descendants(int(child)))]


def kill_at_once(pids: list[int]) -> None:
    """Kill processes before any of them hears of the death of another."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for pid in pids:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, number)


@pytest.mark.long
def test_train_resume_goes_on_after_all_its_processes_were_killed_at_once(tmp_path: Path, machine: Withheld) -> None:
    """The same through the command, with all nodes and the evaluation process, as when a machine is taken away."""
    run, random = tmp_path / "runs" / "killed", np.random.default_rng(KILLS)
    kept = ("--set", "learner.checkpoint_every=700", "--set", "learner.evaluation_every=10000000")
    rows, version, lost, starts, costs = 0, 0, [0.0], list[float](), list[float]()
    with RosWorld("/training") as ros:
        heard = ros.hear(topics.TRAINING_STATUS)
        domain = ("--domain-id", str(ros.probe.context.get_domain_id()))
        for life in range(COMMAND_KILLS):
            began, resume = time.monotonic(), ["--resume"] if life else []
            running = Running(tmp_path, "train", "--run", "killed", *resume, *domain, "--max-steps", "1000000", *kept)
            try:
                ros.until(lambda running=running: "trains " in running.output, "does not begin")  # type: ignore[misc]
                heard.clear()  # what the life before has said
                ros.until(lambda: heard, "no status")
                first = heard[0]
                assert first.env_steps >= rows, "transitions never go backwards"
                assert first.policy_version > version
                ros.until(lambda first=first: heard[-1].updates > first.updates, "no update")  # type: ignore[misc]
                starts.append(machine.given_to_each(began, time.monotonic()))
                costs.append(sum(map(processor_time, descendants(running.process.pid))))
                if life:
                    assert f"resumes at step {rows}, " in running.output
                else:
                    refused = sac_control(tmp_path, "train", "--run", "killed", "--resume", "--max-steps", "1")
                    assert refused.returncode == 2
                    assert f"is being written by process {running.child('learner')}: stop that one" in refused.stderr
                ros.spin_for(random.uniform(0.0, 1.2))
            finally:
                kill_at_once(descendants(running.process.pid))
            killed_at, ahead = time.monotonic(), time.time() - time.monotonic()
            assert running.process.wait(300) == -signal.SIGKILL
            ros.spin_for(0.1)  # what it has said last is still on its way
            rows = min((run / "replay" / name).stat().st_size // size for name, size in FILES_OF_REPLAY)
            told = [1e-9 * messages.stamp_from_msg(msg.header.stamp) - ahead for msg in heard if msg.env_steps > rows]
            lost.append(machine.given_to_each(told[0], killed_at) if told else 0.0)
            version = newest_checkpoint(run / "checkpoints")[0]["training"]["policy_version"]
    assert max(lost) <= MOST_LOST
    assert max(costs[1:]) <= MOST_COMPUTED  # when that is done is up to what else the machine does
    last = ("--resume", "--max-steps", str(rows + 200), "--set", "learner.evaluation_every=0")
    done = sac_control(tmp_path, "train", "--run", "killed", *last)
    assert done.returncode == 0, done.stdout + done.stderr
    summary = json.loads((run / "summary.json").read_text())
    assert (summary["env_steps"], summary["updates"]) == (rows + 200, 8 * rows), "lost updates were made again"
    sys.stdout.write(
        f"\n{COMMAND_KILLS} kills of everything at once; {rows} transitions; worst loss {max(lost):.3f} s; "
        f"first update after {statistics.median(starts[1:]):.2f} s (median), {max(starts[1:]):.2f} s (slowest), "
        f"{max(costs[1:]):.2f} s of processor time at most\n"
    )

    shutil.rmtree(run / "checkpoints")
    refused = sac_control(tmp_path, "train", "--run", "killed", *last)
    assert refused.returncode == 1
    assert "has no checkpoint to resume from (there is none): begin a new one, or overwrite it" in refused.stderr
    assert (run / "replay" / "transitions.f32").stat().st_size == 4 * ROW_SIZE * (rows + 200)


FILES = {"policy.safetensors": b"new policy", "learner.safetensors": bytes(range(256))}


@pytest.mark.parametrize("step", [200, 100], ids=["another step", "the same step again"])
def test_a_kill_at_any_step_of_writing_a_checkpoint_leaves_the_old_or_the_new_one_whole(
    tmp_path: Path, step: int
) -> None:
    found = []
    for calls in range(1, 100):
        directory = tmp_path / str(calls)
        store = CheckpointStore(directory, keep_last=1)
        store.save(50, {}, {"updates": 0})
        store.save(100, {"policy.safetensors": b"old policy"}, {"updates": 1})
        child = os.fork()
        if not child:
            _kill_myself_at(calls)
            store.save(step, FILES, {"updates": 2})
            os._exit(0)
        _, status = os.waitpid(child, 0)
        checkpoint, complaints = store.load_newest()
        assert checkpoint is not None
        assert complaints == []
        for each in store.steps():
            store.load(each)  # none is half removed
        assert checkpoint.files == (
            FILES if checkpoint.state["updates"] == 2 else {"policy.safetensors": b"old policy"}
        )
        found.append(checkpoint.state["updates"])
        assert (directory / "latest" / MANIFEST).exists() or step == 100
        store.save(300, FILES, {"updates": 3})
        assert {each.name for each in directory.iterdir()} == {"300", "latest"}, "nothing is left lying about"
        if not os.WIFSIGNALED(status):
            break
    else:
        raise AssertionError("a checkpoint takes more calls than were tried")
    assert found == sorted(found)
    assert found[0] == 1
    assert found[-1] == 2
    assert len(found) > 10


def _kill_myself_at(calls: int) -> None:
    """From now on the `calls`-th call that changes the disk is the end of this process, before it is made."""
    left = calls

    def counted(function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if not left:
                os.kill(os.getpid(), signal.SIGKILL)
            return function(*args, **kwargs)

        return call

    for name in ("fsync", "mkdir", "rename", "replace", "symlink", "unlink", "rmdir"):
        setattr(os, name, counted(getattr(os, name)))


def test_a_second_learner_on_the_same_run_is_refused_and_the_first_goes_on(tmp_path: Path) -> None:
    run, path = tmp_path / "run", tmp_path / "ledger"
    first = Life(run, path, 0, 100)
    first.hear()
    second = Life(run, path, 1, 100)
    assert second.process.wait(300) == 1
    second.patience.cancel()
    assert f"run {run} is being written by process {first.process.pid}: stop that one" in second.words()
    first.go_on()
    assert first.hear()["first_update_at"]
    first.kill_after(0.0)


# The disk fails


def training_run(path: Path, said: list[str], clock: Callable[[], float], **more: object) -> TrainingRun:
    values = {
        "run_directory": str(path),
        "evaluation_every": 0,
        "warmup_steps": 20,
        "batch_size": 16,
        "hidden_sizes": [8],
        "replay_ratio": 1.0,
        "checkpoint_every": 40,
    }
    return TrainingRun(LearnerConfig.from_mapping(values | more), say=said.append, clock=clock)


def transition(sequence: int) -> Transition:
    random = np.random.default_rng(sequence)
    return Transition(
        source=1,
        sequence=sequence,
        episode=sequence // 10,
        step=sequence % 10,
        stamp=sequence + 1,
        policy_version=1,
        observation=random.standard_normal(5).astype(np.float32),
        action=random.uniform(-1.0, 1.0, 1).astype(np.float32),
        reward=1.0,
        next_observation=random.standard_normal(5).astype(np.float32),
        terminated=False,
        truncated=sequence % 10 == 9,
    )


class Fault(Protocol):
    """Something that happens to the disk below a run directory."""

    complaint: str  # part of what is said of it; empty where all can be made up for at once
    keeps_checkpoints: bool

    def strike(self, run: Path) -> None: ...
    def end(self, run: Path) -> None: ...


class FileSizeLimit:
    """No file may grow beyond a few bytes: how a quota looks to a process."""

    complaint, keeps_checkpoints = "File too large", True

    def strike(self, run: Path) -> None:
        self.limits = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (16, self.limits[1]))

    def end(self, run: Path) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, self.limits)


class FullDisk:
    """The file system is full; `run` lies in a small one of its own."""

    complaint, keeps_checkpoints = "No space left on device", True

    def strike(self, run: Path) -> None:
        with contextlib.suppress(OSError), (run.parent / "filler").open("wb", buffering=0) as stream:
            while stream.write(bytes(4096)):
                pass

    def end(self, run: Path) -> None:
        (run.parent / "filler").unlink()


class ReadOnlyFileSystem:
    """The file system can only be read from now on, as Linux has it by itself after an error of the disk."""

    complaint, keeps_checkpoints = "Read-only file system", True

    def strike(self, run: Path) -> None:
        subprocess.run(["mount", "--bind", str(run.parent), str(run.parent)], check=True)
        subprocess.run(["mount", "-o", "remount,bind,ro", str(run.parent)], check=True)

    def end(self, run: Path) -> None:
        subprocess.run(["umount", str(run.parent)], check=True)


class FileInItsPlace:
    """The directory cannot be written by anyone, root included: it is a file. The run comes back unharmed."""

    complaint, keeps_checkpoints = "File exists", False

    def strike(self, run: Path) -> None:
        run.rename(run.with_name("aside"))
        run.write_text("")

    def end(self, run: Path) -> None:
        run.unlink()
        run.with_name("aside").rename(run)


class NotPermitted:
    """Nobody may write into the directories any more, root included: its right to do so all the same is laid down."""

    complaint, keeps_checkpoints = "Permission denied", True

    def strike(self, run: Path) -> None:
        _obey_permissions(True)
        for path in (run, run / "checkpoints"):
            path.chmod(0o555)

    def end(self, run: Path) -> None:
        for path in (run, run / "checkpoints"):
            path.chmod(0o755)
        _obey_permissions(False)


def _obey_permissions(is_so: bool) -> None:
    """Lay down CAP_DAC_OVERRIDE of this thread, or take it up again where it is permitted; see capset(2)."""
    libc, bit = ctypes.CDLL(None, use_errno=True), 1 << 1
    header, sets = (ctypes.c_uint32 * 2)(0x20080522, 0), (ctypes.c_uint32 * 6)()  # effective, permitted, inheritable …
    assert libc.capget(header, sets) == 0
    sets[0] = sets[0] & ~bit if is_so else sets[0] | (sets[1] & bit)
    assert libc.capset(header, sets) == 0


class Removed:
    """Somebody removes the directory, or a part of it."""

    complaint, keeps_checkpoints = "", False

    def __init__(self, part: str) -> None:
        self.part = part

    def strike(self, run: Path) -> None:
        shutil.rmtree(run / self.part)

    def end(self, run: Path) -> None:
        pass


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of one megabyte."""
    path = tmp_path / "disk"
    path.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(path)]
    if shutil.which("mount") is None or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("file systems cannot be mounted here")
    yield path
    subprocess.run(["umount", "-l", str(path)], check=True)


def newest(run: Path) -> Checkpoint:
    """The newest checkpoint; fails where one had to be set aside."""
    checkpoint, complaints = CheckpointStore(run / "checkpoints", keep_last=3).load_newest()
    assert checkpoint is not None
    assert complaints == []
    return checkpoint


def check_that_training_survives(run: Path, fault: Fault) -> None:
    now, said = 0.0, list[str]()
    training = training_run(run, said, lambda: now)

    def learn(stop: int) -> None:
        nonlocal now
        for sequence in range(training.status().env_steps, stop):
            now += 0.05
            training.ingest(transition(sequence))
            while training.work():
                pass

    learn(100)
    assert training.store.complaint == ""
    assert newest(run).step == 80
    fault.strike(run)
    learn(200)
    status = training.status()
    assert (status.env_steps, status.updates) == (200, 180), "training goes on"
    if fault.complaint:
        assert fault.complaint in training.store.complaint
        assert sum("cannot write to" in sentence for sentence in said) == 1, "at most every ten seconds"
        if fault.keeps_checkpoints:
            assert newest(run).step == 80
        with pytest.raises(RunError, match=fault.complaint):
            training.save()
    fault.end(run)
    learn(230)
    assert training.store.complaint == ""
    assert newest(run).step > 200 or not fault.complaint, "that which was due is made up for before the next is due"
    learn(300)
    if fault.complaint:
        assert training.store.complaint == ""
        assert said[-1] == f"writes to {run} again"
    assert newest(run).step >= 280
    training.run.unlock()  # as a killed process does
    resumed = training_run(run, said, lambda: now, resume=True)
    steps = resumed.status().env_steps
    assert steps >= 290, "0.5 s of 20 transitions per second"
    kept, original = (off_policy(each.training).buffer.rows(0, steps) for each in (resumed, training))
    np.testing.assert_array_equal(kept, original, strict=True)
    resumed.close()
    assert resumed.store.complaint == ""
    assert resumed.run.read_summary()["env_steps"] == steps


@pytest.mark.parametrize(
    "fault",
    [
        FileSizeLimit(),
        NotPermitted(),
        FileInItsPlace(),
        Removed(""),
        Removed("checkpoints"),
        Removed("replay"),
        Removed("tb"),
    ],
    ids=[
        "size limit",
        "not permitted",
        "file in its place",
        "removed",
        "checkpoints removed",
        "replay removed",
        "tb removed",
    ],
)
def test_training_goes_on_in_memory_and_makes_up_for_it_when_the_directory(tmp_path: Path, fault: Fault) -> None:
    check_that_training_survives(tmp_path / "run", fault)


@pytest.mark.parametrize("fault", [FullDisk(), ReadOnlyFileSystem()], ids=["full", "read-only"])
def test_training_goes_on_in_memory_and_makes_up_for_it_when_the_disk_is(small_disk: Path, fault: Fault) -> None:
    check_that_training_survives(small_disk / "run", fault)


def test_a_training_that_ends_while_its_disk_is_full_ends_in_order(tmp_path: Path) -> None:
    run, fault, said = tmp_path / "run", FileSizeLimit(), list[str]()
    training = training_run(run, said, time.monotonic)
    fault.strike(run)
    training.ingest(transition(0))
    training.close()
    complaint = training.store.complaint
    fault.end(run)
    assert "File too large" in complaint
    assert "the last checkpoint stays valid" in complaint
    assert newest(run).step == 0


def test_a_run_of_which_every_checkpoint_is_damaged_is_not_begun_afresh(tmp_path: Path) -> None:
    run = tmp_path / "run"
    training = training_run(run, [], time.monotonic)
    training.ingest(transition(0))
    training.close()
    for manifest in run.glob(f"checkpoints/[0-9]*/{MANIFEST}"):
        manifest.write_text("{}")
    with pytest.raises(RunError, match="has no checkpoint to resume from .*: begin a new one, or overwrite it"):
        training_run(run, [], time.monotonic, resume=True)
    shutil.rmtree(run / "checkpoints")
    with pytest.raises(RunError, match="has been trained already"):  # its transitions are still there
        training_run(run, [], time.monotonic)
