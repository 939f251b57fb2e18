"""An exam from its beginning to its end: which plants in which engines, the jobs that makes, and what comes out."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from sac_control.errors import ConfigError
from sac_control.exam.findings import Finding, Findings, Hour, InMotion, OnPlant, Push, Skipped
from sac_control.exam.jobs import Job
from sac_control.exam.workers import Workers
from sac_control.policy.policy_file import PolicyFile
from sac_control.robots.engines import check_engine, is_installed
from sac_control.tasks.robot_task import RobotTask
from sac_control.variation.fields import NOMINAL, Variation, to_text
from sac_control.variation.plants import Plant

HOUR_STARTS = 4
MOTION_EPISODES = 20


@dataclass(frozen=True, kw_only=True)
class Paper:
    """What an exam asks."""

    task: str  # name of the task, or path of its file
    source: str  # of the plants, for people
    plants: Sequence[Plant]
    described: (
        Variation  # the plant on which pushes, motion and hours are measured: as described, or as near as it gets
    )
    engines: tuple[str, ...]
    missing_engines: tuple[str, ...]
    is_strict: bool  # a plant that no engine can simulate is a mistake
    joints: tuple[str, ...]  # that are pushed
    units: Mapping[str, str]  # joint -> unit of its position: m, rad, or both where that is not known
    episodes: int
    seed: int
    pass_mark: float
    has_hours: bool

    def first_jobs(self) -> Iterator[Job]:
        """Which plants can be simulated?"""
        for engine in self.engines:
            for plant in self.plants:
                yield Job(kind="able", engine=engine, seed=0, variation=plant.variation, plant=plant.name)

    def jobs(self, skipped: Sequence[Skipped]) -> Iterator[Job]:
        """What is asked then, the longest first."""
        for engine in self.engines:
            for start in range(HOUR_STARTS if self.has_hours else 0):
                yield Job(
                    kind="hour",
                    engine=engine,
                    seed=self.seed,
                    variation=self.described,
                    episodes=HOUR_STARTS,
                    start=start,
                )
        for engine in self.engines:
            for joint in self.joints:
                yield Job(kind="push", engine=engine, seed=self.seed, variation=self.described, joint=joint)
            yield Job(kind="motion", engine=engine, seed=self.seed, variation=self.described, episodes=MOTION_EPISODES)
        left_out = {(each.plant, each.engine) for each in skipped}
        for engine in reversed(self.engines):  # the task's own is the fastest
            for plant in self.plants:
                if (plant.name, engine) not in left_out:
                    yield Job(
                        kind="plant",
                        engine=engine,
                        seed=self.seed,
                        variation=plant.variation,
                        plant=plant.name,
                        episodes=self.episodes,
                    )


def choose_engines(task: RobotTask, wanted: Sequence[str] = ()) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The engines in which a policy of `task` is examined, and those that the task lists and that are not installed.

    Raises:
        ConfigError: one that is wanted is not known or not installed, or none is installed.
    """
    listed = tuple(dict.fromkeys(wanted or (task.engine, *task.other_engines)))
    for engine in listed:
        check_engine(engine)
    missing = tuple(engine for engine in listed if not is_installed(engine))
    if missing and (wanted or missing == listed):
        raise ConfigError(f"engine {missing[0]} is not installed: pip install {missing[0]}, or choose another --engine")
    return tuple(engine for engine in listed if engine not in missing), missing


def described_plant(task: RobotTask) -> Variation:
    """The plant as described, but for what the exam of the task fixes."""
    ranges = task.exam.ranges.ranges if task.exam is not None else ()
    return {each.quantity: each.low for each in ranges if each.low == each.high} or NOMINAL


def examine(
    paper: Paper,
    file: PolicyFile,
    data: bytes,
    *,
    processes: int,
    date: str,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> Findings:
    """Hold the exam.

    Args:
        paper: what is asked.
        file: the policy.
        data: the content of its file.
        processes: that work side by side.
        date: of today, year-month-day.
        progress: is told how many jobs of how many are done.

    Raises:
        ConfigError: a plant that must be simulated cannot be, or none can.
        RunError: a process died.
    """
    began, found = time.monotonic(), list[Finding]()
    names, engines = [plant.name for plant in paper.plants], paper.engines
    with Workers(paper.task, data, processes) as workers:
        tried = [each for each in workers.ask(list(paper.first_jobs())) if isinstance(each, Skipped) and each.reason]
        skipped = sorted(tried, key=lambda each: (names.index(each.plant), engines.index(each.engine)))
        _refuse_impossible(paper, skipped)
        jobs = list(paper.jobs(skipped))
        progress(0, len(jobs))
        for finding in workers.ask(jobs):
            found.append(finding)
            progress(len(found), len(jobs))
    on_plants = [each for each in found if isinstance(each, OnPlant)]
    pushes = [each for each in found if isinstance(each, Push)]
    motion = [each for each in found if isinstance(each, InMotion)]
    hours = [each for each in found if isinstance(each, Hour)]
    return Findings(
        specification=file.specification,
        policy=file.digest.hex(),
        policy_version=file.policy_version,
        run=file.run,
        date=date,
        seed=paper.seed,
        source=paper.source,
        plants={plant.name: to_text(plant.variation) for plant in paper.plants},
        units=dict(paper.units),
        engines=engines,
        missing_engines=paper.missing_engines,
        episodes=paper.episodes,
        pass_mark=paper.pass_mark,
        on_plants=tuple(sorted(on_plants, key=lambda each: (names.index(each.plant), engines.index(each.engine)))),
        skipped=tuple(skipped),
        pushes=tuple(sorted(pushes, key=lambda each: (paper.joints.index(each.joint), engines.index(each.engine)))),
        motion=tuple(sorted(motion, key=lambda each: engines.index(each.engine))),
        hours=tuple(sorted(hours, key=lambda each: (engines.index(each.engine), each.start))),
        seconds=time.monotonic() - began,
    )


def _refuse_impossible(paper: Paper, skipped: Sequence[Skipped]) -> None:
    for plant in paper.plants if paper.is_strict else ():
        reasons = [each.reason for each in skipped if each.plant == plant.name]
        if len(reasons) == len(paper.engines):
            raise ConfigError(f"plant {plant.name!r}: {reasons[0]}")
    if len(skipped) == len(paper.plants) * len(paper.engines):
        raise ConfigError(f"no plant can be simulated by {' or '.join(paper.engines)}: {skipped[0].reason}")
