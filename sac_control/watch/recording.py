"""The recorded transitions of a run as motion: joint positions are read back from the observations. Writes nothing."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from sac_control.errors import RunError
from sac_control.store.replay_file import ReplayFile
from sac_control.types import Float32Array, FloatArray, Specification
from sac_control.watch.motion import LONGEST, Sample

_TERM = re.compile(r"(sin|cos|position|velocity)\((?:'([^']+)'|([^()']+))\)")


class Recording:
    """The replay buffer of a run, as it lies on the disk.

    Args:
        directory: the run's replay directory.
        specification: what its policy sees and moves.
    """

    def __init__(self, directory: Path, specification: Specification) -> None:
        self._specification = specification
        self._size, self._driven = len(specification.observation), len(specification.actuated_joints)
        self._file = ReplayFile(directory, 2 * self._size + self._driven + 2)
        self._read_back = places_of_joints(specification)

    @property
    def count(self) -> int:
        """Transitions."""
        return self._file.count()

    @property
    def can_be_read_back(self) -> bool:
        """Whether an observation says where every joint is."""
        return self._read_back is not None or not self._specification.has_joints

    @property
    def complaint(self) -> str:
        """Why there is nothing to be seen; empty where there is."""
        if not self.count:
            return "no transition was recorded"
        if not self.can_be_read_back:
            return "the observation does not hold the position of every joint, so recorded motion cannot be drawn"
        return ""

    def newest(self) -> list[Sample]:
        """The end of what was recorded so far.

        Raises:
            RunError: it cannot be read.
        """
        length = min(LONGEST, round(1.2 / self._specification.control_period), self.count)  # [periods] more than shown
        start = self.count - length
        samples, _ = self.stretch(start) if length else ([], "")
        while 0 < len(samples) < length // 2:  # another episode began there: the newest is shown
            start, length = start + len(samples), length - len(samples)
            samples, _ = self.stretch(start)
        return samples

    def stretch(self, start: int) -> tuple[list[Sample], str]:
        """Transitions from number `start` on, to the end of their episode at most, and what they are in words.

        Raises:
            RunError: they cannot be read.
        """
        start = min(max(0, start), max(0, self.count - 1))
        saved = self._file.read(start, min(self.count, start + LONGEST))
        end = int(np.argmin(saved.is_whole)) if not saved.is_whole.all() else len(saved.rows)
        if end == 0:
            raise RunError(f"transition {start} is damaged: choose another place")
        rows, records = saved.rows[:end], saved.records[:end]
        is_same = (records["episode"] == records["episode"][0]) & (records["source"] == records["source"][0])
        end = end if is_same.all() else int(np.argmin(is_same))
        positions, velocities = self._states(rows[:end, : self._size])
        commands = rows[:end, self._size : self._size + self._driven] * np.asarray(self._specification.command_limit)
        samples = [
            Sample(
                time=k * self._specification.control_period,
                position=tuple(positions[k].tolist()),
                velocity=tuple(velocities[k].tolist()),
                command=tuple(commands[k].tolist()),
            )
            for k in range(end)
        ]
        first = records[0]
        return samples, (
            f"transition {start + 1} of {self.count}, episode {int(first['episode'])}, step {int(first['step'])}, "
            f"policy version {int(first['policy_version'])}"
        )

    def _states(self, observations: Float32Array) -> tuple[FloatArray, FloatArray]:
        """Positions and velocities, (n, j) each; the observations where there are no joints."""
        if not self._specification.has_joints or self._read_back is None:
            return observations.astype(float), np.zeros((len(observations), 0))
        angles, speeds = [], []
        for place, sine, cosine, velocity in self._read_back:
            angles.append(
                observations[:, place] if place >= 0 else np.arctan2(observations[:, sine], observations[:, cosine])
            )
            speeds.append(observations[:, velocity] if velocity >= 0 else np.full(len(observations), np.nan))
        return np.stack(angles, axis=1).astype(float), np.stack(speeds, axis=1).astype(float)


def places_of_joints(specification: Specification) -> Sequence[tuple[int, int, int, int]] | None:
    """Places of position, sine, cosine and velocity of each joint in the observation, -1: none; None: one is lost."""
    found: dict[tuple[str, str], int] = {}
    for place, term in enumerate(specification.observation):
        match = _TERM.fullmatch(term.strip())
        if match:
            found.setdefault((match[1], match[2] or match[3]), place)
        else:
            found.setdefault(("position", term.strip()), place)  # the bare joint
    places = [
        tuple(found.get((kind, joint), -1) for kind in ("position", "sin", "cos", "velocity"))
        for joint in specification.joints
    ]
    if any(position < 0 and min(sine, cosine) < 0 for position, sine, cosine, _ in places):
        return None
    return [(a, b, c, d) for a, b, c, d in places]
