"""Draws first_minute.gif, the picture at the top of README: what a training recorded, then the policy that it found.

First ``sac_control train --run first --seed 1 --until solved``, then ``python docs/first_minute.py runs/first FILE``.
"""

import csv
import sys
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from sac_control.envs.registry import make_robot_env
from sac_control.policy.policy_file import PolicyFile
from sac_control.store.run_directory import RunDirectory
from sac_control.video.encoding import write_video
from sac_control.video.film import Take, film
from sac_control.video.label import Command, labelled
from sac_control.watch.recording import Recording

SIZE = (360, 270)  # [pixels] of the pendulum; the chart beside it is as large
EVERY, FPS = 3, 20  # one picture per 3 periods of 1/60 s: as fast as the pendulum was
LONGEST = 600  # [transitions] shown
AFTER = 4.0  # [s] of the policy that was found
INK, DOT, LINE, GRID = (40, 44, 52), (36, 62, 106), (250, 134, 28), (220, 224, 228)  # few: a GIF has 64
MARGIN = 34  # [pixels]


def chart(episodes: list[tuple[int, float]], evaluations: list[tuple[int, float]], now: int) -> np.ndarray:
    """Returns so far, over transitions: a dot per episode of the training, a line of evaluations."""
    image = Image.new("RGB", SIZE, "white")
    draw = ImageDraw.Draw(image)
    width, height = SIZE[0] - 2 * MARGIN, SIZE[1] - 2 * MARGIN

    def place(step: float, value: float) -> tuple[float, float]:
        return MARGIN + width * step / LONGEST, SIZE[1] - MARGIN - height * value / 1000.0

    for value in (0, 500, 1000):
        draw.line([place(0, value), place(LONGEST, value)], fill=GRID)
        draw.text((2, place(0, value)[1] - 6), f"{value:4d}", fill=INK)
    for step in range(0, LONGEST + 1, 200):
        draw.text((place(step, 0)[0] - 8, SIZE[1] - MARGIN + 6), str(step), fill=INK)
    draw.text((MARGIN, 8), "return over transitions:", fill=INK)
    draw.text((MARGIN + 140, 8), "episodes", fill=DOT)
    draw.text((MARGIN + 200, 8), "evaluations", fill=LINE)
    for x, y in (place(*each) for each in episodes if each[0] <= now):
        draw.ellipse([x - 3, y - 3, x + 3, y + 3], fill=DOT)
    told = [place(*each) for each in evaluations if each[0] <= now]
    if len(told) > 1:
        draw.line(told, fill=LINE, width=3)
    for x, y in told:
        draw.rectangle([x - 3, y - 3, x + 3, y + 3], fill=LINE)
    return np.asarray(image, np.uint8)


def table(path: Path, column: str) -> list[tuple[int, float]]:
    """Pairs of transitions and a value."""
    with path.open(newline="") as file:
        return [(int(row["env_steps"]), float(row[column])) for row in csv.DictReader(file)]


def main(run: RunDirectory, target: Path) -> None:
    """Write the picture."""
    policy = PolicyFile.read(run.policy_file())
    specification = policy.specification
    recording = Recording(run.replay, specification)
    episodes, evaluations = table(run.episodes, "return"), table(run.evaluations, "mean_return")
    env = make_robot_env(specification.task, "rgb_array")
    env.picture_size = SIZE
    pictures, start = [], 0
    while start < min(LONGEST, recording.count):
        samples, _ = recording.stretch(start)
        for k in range(0, len(samples), EVERY):
            now, sample = start + k, samples[k]
            if now >= LONGEST:
                break
            env.reset(options={"state": [*sample.position, *sample.velocity]})
            limit = specification.command_limit[0]
            command = Command(name="force", share=sample.command[0] / limit, text=f"{sample.command[0]:+.0f} N")
            title = f"episode {sum(step <= now for step, _ in episodes) + 1}, transition {now}"
            picture = env.render()
            assert picture is not None, "it was made to draw"
            pictures.append(np.hstack([labelled(picture, title, [command]), chart(episodes, evaluations, now)]))
        start += len(samples)
    env.close()
    whole = chart(episodes, evaluations, LONGEST)
    for picture in film(policy, specification.task, "", Take(seconds=AFTER, size=SIZE, fps=FPS, seed=1)):
        pictures.append(np.hstack([picture, whole]))
    write_video(target, pictures, FPS)


if __name__ == "__main__":
    main(RunDirectory(Path(sys.argv[1])), Path(sys.argv[2]))
