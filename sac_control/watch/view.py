"""What is watched, a run by its files and its nodes by their topics, and the loop that shows it."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Mapping

from sac_control.errors import ConfigError, RunError
from sac_control.robots.robot import Camera
from sac_control.store.where import Where, is_being_written, read_where
from sac_control.tasks.robot_task import RobotTask
from sac_control.watch import words
from sac_control.watch.feed import Feed
from sac_control.watch.heard import Heard
from sac_control.watch.motion import Motion, Sample
from sac_control.watch.page import Page, refused
from sac_control.watch.recording import Recording
from sac_control.watch.run_files import RunFiles
from sac_control.watch.subject import Subject
from sac_control.worlds.drawing import draw
from sac_control.worlds.survey import view

DRAWN_ENGINE = "mujoco"  # whose descriptions of the built-in robots are the URDFs, which any engine's states fit
RATE = 60.0  # [1/s] of the machine
TRACE_PERIOD, WORD_PERIOD, FILE_PERIOD, LOOK_PERIOD = 0.2, 0.25, 1.0, 1.0  # [s]
NEWEST_PERIOD = 1.0  # [s] between two stretches of a training whose time runs as fast as it can
MANY = 1000  # transitions after which a training that has recorded none is taken to record none
RETRY_PERIOD = 5.0  # [s] after which a feed that ended is begun again
FAST = 2.0  # simulated seconds per second from which on stretches are played at their own pace


class View:
    """Shows one subject after the other.

    Args:
        page: where.
        find: what is to be watched now; None: nothing yet. Asked once per second.
        feed: makes a feed.
        environment: variables by which it hears nodes that speak there.
        robot: where a deployed robot's nodes speak; None: a run's nodes are watched, where it says.
    """

    def __init__(
        self,
        page: Page,
        find: Callable[[], Subject | None],
        feed: Callable[[], Feed],
        environment: Callable[[Where], Mapping[str, str]],
        robot: Where | None,
    ) -> None:
        self._page, self._find, self._make_feed, self._environment, self._robot = page, find, feed, environment, robot
        self._spare: Feed | None = feed()  # loaded before a training begins, from which it would take time
        self._subject: Subject | None = None
        self._files: RunFiles | None = None
        self._recording: Recording | None = None
        self._feed: Feed | None = None
        self._feeds_from: Where | None = None
        self._due = dict.fromkeys(("trace", "words", "files", "look", "newest"), -math.inf)
        self._refusal = ""
        self._retry_at = -math.inf
        self._with_states: bool = True
        self._forget()

    def run(self, is_over: Callable[[], bool] = lambda: False) -> None:
        """Show until `is_over`, or until Ctrl-C."""
        try:
            while not is_over():
                began = time.monotonic()
                self.step(began)
                time.sleep(max(0.001, 1.0 / RATE - (time.monotonic() - began)))
        finally:
            self._hang_up()
            if self._spare is not None:
                self._spare.close()

    def _hang_up(self) -> None:
        if self._feed is not None:
            self._feed.close()
        self._feed = self._feeds_from = None

    def step(self, now: float) -> None:
        """What is due at steady time `now` [s]."""
        if self._is_due("look", now, LOOK_PERIOD):
            self._look()
        if self._subject is None:
            return
        self._hear(now)
        if self._feed is None and self._robot is None:
            self._go_on(now)
        elif not self._with_states and self._is_due("newest", now, NEWEST_PERIOD):
            self._show_newest(now)
        if self._files is not None and self._is_due("files", now, FILE_PERIOD) and self._files.read():
            self._page.learn(self._files.returns(), self._files.told())
        if not self._page.is_seen:
            return
        samples = self._motion.until(now)
        if samples:
            self._page.move(dict(zip(self._joints, samples[-1].position, strict=False)))
        if self._is_due("trace", now, TRACE_PERIOD):
            self._page.trace(samples, self._joints, self._subject.specification.actuated_joints)
        if self._is_due("words", now, WORD_PERIOD):
            self._say()

    def _is_due(self, name: str, now: float, period: float) -> bool:
        if now < self._due[name]:
            return False
        self._due[name] = now + period
        return True

    # what is watched

    def _look(self) -> None:
        """See whether there is something else to watch, whether it runs, and where."""
        subject = self._find()
        if subject is None:
            self._page.say(training="### waiting for a training\n\n`sac_control train` begins one.")
            return
        if self._subject is None or subject.path != self._subject.path:
            self._begin(subject)
        where = self._robot
        if where is None and subject.is_run and is_being_written(subject.path):
            where = read_where(subject.path)
        self._connect(where)
        recording, is_offered = self._recording, where is None
        self._page.offer(recording.count if recording is not None and is_offered and not recording.complaint else 0)

    def _connect(self, where: Where | None) -> None:
        """Hear the nodes that speak there, and no others."""
        is_lost = self._feed is not None and not self._feed.is_alive and time.monotonic() >= self._retry_at
        if where != self._feeds_from or is_lost:
            self._hang_up()
        has_gone_on = not self._with_states and self._heard.status.get("env_steps", 0) > MANY
        if has_gone_on and not (self._recording is not None and self._recording.count):  # its algorithm keeps none
            self._hang_up()
            self._with_states = True
        if where is not None and self._feed is None:
            self._feed, self._spare, self._feeds_from = self._spare or self._make_feed(), None, where
            self._feed.listen(self._environment(where), where.namespace, with_states=self._with_states)
            self._retry_at = time.monotonic() + RETRY_PERIOD
        elif where is None and self._spare is None:
            self._spare = self._make_feed()

    def _begin(self, subject: Subject) -> None:
        self._subject = subject
        self._files = RunFiles(subject.path) if subject.is_run else None
        self._recording = Recording(subject.path / "replay", subject.specification) if subject.is_run else None
        self._forget()
        # Where time runs as fast as it can, each subscriber to every state would slow it down; what is on the disk
        # half a second later costs nothing.
        is_recorded = self._recording is not None and self._recording.can_be_read_back
        self._with_states = self._robot is not None or not (subject.is_lockstep and is_recorded)
        self._due["files"] = -math.inf
        self._page.clear()
        try:
            self._draw(subject)
            self._refusal = ""
        except ConfigError as error:
            self._refusal = refused(error)

    def _forget(self) -> None:
        self._motion, self._heard = Motion(), Heard()
        self._joints: tuple[str, ...] = ()
        self._speed = 1.0
        self._shown_from, self._length = -1, 0  # of the recording: first transition shown, and how many
        self._recorded = ""
        self._counted, self._counted_at = 0, 0.0  # transitions recorded when it was looked last, and when [s]

    def _draw(self, subject: Subject) -> None:
        task = subject.task
        if not isinstance(task, RobotTask):
            raise ConfigError(f"{task.specification.task} is no task of a robot")
        robot = task.robot(DRAWN_ENGINE)
        self._page.draw(draw(robot.description), {named: joint for joint, named in robot.model_names.items()})
        camera = robot.camera
        if camera == Camera():
            camera = view(robot.description) or camera
        self._page.look_by(camera)

    # live

    def _hear(self, now: float) -> None:
        assert self._subject is not None
        for news in () if self._feed is None else self._feed.take():
            samples = self._heard.take(news, self._subject.specification)
            if not samples:
                continue
            self._joints, self._speed = self._heard.joints, self._heard.speed
            if self._speed > FAST:
                self._motion.play(_newest_in_order(samples), now)
            else:
                self._motion.extend(samples)

    # recorded

    def _go_on(self, now: float) -> None:
        """Show the recording from where the page's control stands; then the next episode."""
        assert self._subject is not None
        if self._recording is None or self._recording.complaint:
            return
        start = int(self._page.start.value)
        is_next = start == self._shown_from and self._motion.is_over(now) and self._page.is_playing.value
        if is_next:
            start = (start + self._length) % max(1, self._recording.count)
        elif start == self._shown_from:
            return
        try:
            samples, self._recorded = self._recording.stretch(start)
        except RunError as error:
            samples, self._recorded = [Sample(time=0.0, position=())], str(error)
        spec = self._subject.specification
        self._joints = spec.joints if spec.has_joints else spec.observation
        self._length = len(samples)
        if is_next:
            self._page.start.value = start  # type: ignore[misc]  # viser declares it read-only for some controls
        self._shown_from = start
        self._motion.play(samples, now)

    def _show_newest(self, now: float) -> None:
        """Show what a training that goes on recorded last."""
        assert self._recording is not None
        assert self._subject is not None
        count = self._recording.count
        if count == self._counted:
            return
        with contextlib.suppress(RunError):  # it is written just now
            samples = self._recording.newest()
            spec = self._subject.specification
            self._joints = spec.joints if spec.has_joints else spec.observation
            self._motion.play(samples, now)
        rate = (count - self._counted) / (now - self._counted_at) if self._counted else 0.0
        self._speed = rate * self._subject.specification.control_period or self._speed
        self._counted, self._counted_at = count, now

    # words

    def _say(self) -> None:
        assert self._subject is not None
        self._page.say(
            machine="\n\n".join(filter(None, (self._refusal, self._about_motion(), self._about_policy()))),
            training=self._about_training(),
            diagnostics=words.diagnostics_table(self._heard.diagnostics)
            or "Nodes say how they are while they run; nothing was heard.",
        )

    def _about_motion(self) -> str:
        if self._feed is None and self._recording is not None:
            return f"**recorded**: {words.as_text(self._recording.complaint or self._recorded)}"
        if self._feed is None:
            return "**not running**"
        if not self._feed.is_alive:
            return "**not heard**: the process that looks at topics has ended; is ROS 2 installed and sourced here?"
        if not self._joints:
            return "**waiting** for states"
        if self._speed > FAST:
            return (
                f"**live**, {self._speed:.0f} times faster than real: about a second of each {self._speed:.0f} is shown"
            )
        return "**live**"

    def _about_policy(self) -> str:
        return words.policy_table(self._heard.policy, self._heard.action)

    def _about_training(self) -> str:
        subject, files = self._subject, self._files
        assert subject is not None
        specification = subject.specification
        if files is None:
            return f"### robot, {words.as_text(specification.task)}\n\n{words.as_text(subject.path.name)}"
        return words.training(
            subject.path,
            f"{specification.task}, {subject.algorithm}",
            files,
            self._heard.status,
            is_live=self._feed is not None,
        )


def _newest_in_order(samples: list[Sample]) -> list[Sample]:
    """The last samples whose time only grows: an episode's, without those of the one before."""
    start = len(samples) - 1
    while start > 0 and 0.0 < samples[start].time - samples[start - 1].time < 0.5:
        start -= 1
    return samples[start:]
