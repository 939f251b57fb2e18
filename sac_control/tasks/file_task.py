"""A task from a file: one YAML beside a robot description, which docs/your_robot.md explains key by key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sac_control.expression import Expression, Rows, compile, is_true  # noqa: A004  as in re
from sac_control.robots.description import locate
from sac_control.robots.robot import Camera, Color, Drive, Robot
from sac_control.tasks.exam import Exam, ExamContent
from sac_control.tasks.robot_task import RobotTask
from sac_control.tasks.starts import Starts
from sac_control.types import FloatArray, Specification
from sac_control.variation.ranges import Ranges


@dataclass(frozen=True, kw_only=True)
class EngineSettings:
    """What holds for one physics engine."""

    robot: str  # the description: a path, or package://name/path
    physics_period: float  # [s]
    model_names: Mapping[str, str] = field(default_factory=dict)  # joint -> its name in the description, where another
    air_damping: float = 0.0  # pybullet alone; see robots.Robot


@dataclass(frozen=True, kw_only=True)
class TaskContent:
    """What a task file says."""

    specification: Specification
    drives: tuple[Drive, ...]
    engine: str  # for which it was made
    settings: EngineSettings  # of any engine that `engines` does not name
    engines: Mapping[str, EngineSettings]
    gravity: float  # [m/s²]
    camera: Camera
    colors: Mapping[str, Color]
    reward: Expression
    terminated: Expression
    starts: Starts
    max_episode_steps: int
    solved_return: float
    is_mirror_symmetric: bool
    continuous_joints: tuple[str, ...]
    randomise: Ranges
    exam: ExamContent | None  # None: there is none


class FileTask(RobotTask):
    """What a task file asks.

    Args:
        path: absolute path of the file.
        content: what it says.
    """

    def __init__(self, path: Path, content: TaskContent) -> None:
        self.path = path
        self.content = content  # what it says
        self.specification = content.specification
        self.engine = content.engine
        self.other_engines = tuple(name for name in content.engines if name != content.engine)
        self.max_episode_steps = content.max_episode_steps
        self.solved_return = content.solved_return
        self.is_mirror_symmetric = content.is_mirror_symmetric
        self.continuous_joints = content.continuous_joints
        self.start_dimensions = content.starts.dimensions
        self.rules = content.reward.canonical, content.terminated.canonical
        self.memory = max(content.reward.memory, content.terminated.memory)
        self.randomise = content.randomise
        if content.exam is not None:
            self.exam = self._exam_of(content.exam)
        self._reward = compile(content.reward, self.layout)
        self._terminated = compile(content.terminated, self.layout)

    def _exam_of(self, content: ExamContent) -> Exam:
        exam = Exam(ranges=content.ranges, kept_for=content.kept_for)
        if content.kept is None:
            return exam
        kept = compile(content.kept, self.layout)
        return replace(exam, is_kept=lambda rows: is_true(kept(rows)), memory=content.kept.memory)

    def robot(self, engine: str) -> Robot:
        content = self.content
        settings = content.engines.get(engine, content.settings)
        return Robot(
            description=locate(settings.robot, self.path.parent),
            joints=self.specification.joints,
            drives=content.drives,
            control_period=self.specification.control_period,
            physics_period=settings.physics_period,
            model_names=settings.model_names,
            gravity=content.gravity,
            air_damping=settings.air_damping,
            colors=content.colors,
            camera=content.camera,
        )

    def start_from(self, unit: FloatArray) -> FloatArray:
        return self.content.starts.start_from(unit)

    def reward(self, rows: Rows) -> float:
        return self._reward(rows)

    def is_terminated(self, rows: Rows) -> bool:
        return is_true(self._terminated(rows))

    def __reduce__(self) -> tuple[object, ...]:
        """Functions cannot be pickled: they are made again from what the file said."""
        return type(self), (self.path, self.content)
