"""The picture of an exam: share of episodes kept on each plant in each engine."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from sac_control.exam.findings import Findings
from sac_control.exam.table import in_one_line

_ROOM = 0.8  # of a row, which the bars of all engines share


def draw(found: Findings, picture: Path) -> None:
    """Write it.

    Raises:
        OSError: it cannot be written.
    """
    rows = np.arange(len(found.plants))
    figure = Figure(figsize=(9, 2.0 + 0.3 * len(rows)), layout="constrained")
    axes = figure.subplots()
    height = _ROOM / len(found.engines)
    for number, engine in enumerate(found.engines):
        cells = [found.of_plant(plant, engine) for plant in found.plants]
        shares = [np.nan if cell is None else cell.kept / found.episodes for cell in cells]
        offset = (number - (len(found.engines) - 1) / 2) * height
        axes.barh(rows + offset, shares, height, color=f"C{number}", label=engine)
    axes.axvline(found.pass_mark, color="0.3", linewidth=1, linestyle="--", label=f"pass mark {found.pass_mark:g}")
    axes.set_yticks(rows, list(found.plants))
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set(xlim=(0, 1), xlabel=f"share of {found.episodes} episodes that were kept")
    axes.grid(alpha=0.3, axis="x")
    figure.legend(loc="outside lower center", ncols=len(found.engines) + 1)
    figure.suptitle(f"{found.run}, policy v{found.policy_version}\n{in_one_line(found)}", fontsize=9)
    temporary = picture.with_name(f".{picture.name}.tmp.png")
    figure.savefig(temporary, dpi=110)
    temporary.replace(picture)
