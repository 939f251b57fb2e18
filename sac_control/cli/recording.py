"""The recorder beside the nodes of a plan, and where its bag is."""

from __future__ import annotations

import itertools
from datetime import datetime
from pathlib import Path
from typing import Any

from sac_control.bags.bag_reader import check_packages
from sac_control.cli.node_description import NodeDescription
from sac_control.cli.options import Options
from sac_control.store.run_directory import RunDirectory

PATIENCE = 20.0  # [s] for which a simulator waits for the recorder
AWAIT: dict[str, Any] = {"await_recorder": PATIENCE}  # of the simulator node


def with_recorder(
    nodes: tuple[NodeDescription, ...], options: Options, run: RunDirectory | None, run_id: str
) -> tuple[NodeDescription, ...]:
    """`nodes`, and the recorder where a bag was asked for: in the run that is trained, else in the working directory.

    One that fails is started again once, with another bag.

    Raises:
        ConfigError: a package that it needs is not installed.
    """
    if not options.bag:
        return nodes
    check_packages("--bag")
    bag = run.free_bag() if run is not None else _free(Path.cwd() / f"bag-{datetime.now():%Y%m%d-%H%M%S}")
    recorder = options.node(
        "recorder",
        parameters={"directory": str(bag), "run_id": run_id},
        restarts=1,
        restart_parameters={"directory": f"{bag}-after-failure"},
    )
    return (*nodes, recorder)


def _free(path: Path) -> Path:
    names = (path.with_name(f"{path.name}-{k}") for k in itertools.count(2))
    return path if not path.exists() else next(name for name in names if not name.exists())
