"""The interface of a task: what a learner must know of what it learns. No physics, no Gymnasium, no memory."""

from __future__ import annotations

from abc import ABC, abstractmethod

from sac_control.tasks.exam import Exam
from sac_control.types import Float32Array, Specification
from sac_control.variation.ranges import Ranges


class Task(ABC):
    """What is seen and moved, for how long, and what is good enough."""

    specification: Specification  # what is seen and moved
    engine: str  # name of the physics engine that it was made for; empty: it brings its own
    other_engines: tuple[str, ...] = ()  # in which it was tried, too
    max_episode_steps: int  # control periods until an episode is truncated
    solved_return: float  # an episode with at least this return has solved the task; infinite: none ever has
    continuous_joints: tuple[str, ...] = ()  # joints that turn for ever: whole turns do not count
    randomise: Ranges = Ranges()  # from what the robot of an episode is drawn once the task was solved
    exam: Exam | None = None  # by which a solution is judged; None: it has none
    notes: tuple[str, ...] = ()  # what people should know of it before it is learnt, in sentences

    @property
    @abstractmethod
    def hash(self) -> str:
        """SHA-256 of what is asked, as 64 hexadecimal digits: specification, reward, termination, starts, episode."""

    @property
    def mirror(self) -> Float32Array | None:
        """Signs of the mirror image of an observation, (o,) float32 of -1 and 1; None where there is none.

        The mirror image of an action is its negative. Mirror images earn the same and end in the same step.
        """
        return None
