"""What a run or a policy file is, as plain values and as text."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from sac_control.cli.named import find_policy
from sac_control.errors import RunError
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.region import Region
from sac_control.store.run_directory import RunDirectory
from sac_control.types import Specification, unit_of

_IN_LIST = ("solved", "hardened", "env_steps", "updates", "wall_seconds", "seed")


def describe(text: str, runs_directory: Path) -> dict[str, Any]:
    """What is known of the run or policy file that `text` names.

    Raises:
        RunError: there is no such run, or it has no policy yet.
        PolicyFileError: the policy file is damaged or not one.
    """
    path, run = find_policy(text, runs_directory)
    file = PolicyFile.read(path)
    content: dict[str, Any] = {}
    if run is not None and run.summary.exists():
        content["run"] = run.read_summary()
    content["policy"] = {
        "file": str(path),
        "run": file.run,
        "run_id": file.run_id or "none: a file of format 1",
        "policy_version": file.policy_version,
        "env_steps": file.env_steps,
        "signed": bool(file.signature),
        "commands": _commands(file.specification),
        "region": _region(file.region),
        "hidden_sizes": list(file.actor.hidden_sizes),
        "observation_mean": file.actor.observation_mean.tolist(),
        "observation_std": file.actor.observation_std.tolist(),
    }
    content["exam"] = {"held": False} if file.verdict is None else {"held": True, **file.verdict.to_mapping()}
    content["specification"] = {**asdict(file.specification), "hash": file.specification.hash}
    return content


def list_runs(runs_directory: Path) -> dict[str, Any]:
    """Each run below `runs_directory` with the main figures of its summary.

    Raises:
        RunError: a summary is damaged.
    """
    if not runs_directory.is_dir():
        raise RunError(f"there is no directory {runs_directory}: train something, or name one with --runs-dir")
    runs = [RunDirectory(path) for path in sorted(runs_directory.iterdir())]
    return {run.name: _figures(run) for run in runs if run.exists}


def as_text(content: dict[str, Any]) -> str:
    """Sections of indented lines."""
    lines = []
    for title, values in content.items():
        lines.append(title)
        lines += [f"  {key:18} {_short(value)}" for key, value in values.items()]
    return "\n".join(lines) if lines else "no runs"


def _commands(specification: Specification) -> dict[str, str]:
    """How each joint is driven, and how far."""
    driven = zip(specification.actuated_joints, specification.interface, specification.command_limit, strict=True)
    return {joint: f"by {interface}, at most {limit:g} {unit_of(interface)}" for joint, interface, limit in driven}


def _region(region: Region | None) -> str | dict[str, str]:
    """The states that training has seen, joint by joint."""
    if region is None:
        return "not known"
    return {
        name: f"{joint.position[0]:.4g} to {joint.position[1]:.4g}, "
        f"velocity {joint.velocity[0]:.4g} to {joint.velocity[1]:.4g}"
        for name, joint in region.joints.items()
    }


def _figures(run: RunDirectory) -> dict[str, Any]:
    if not run.summary.exists():
        return {"state": "not ended, or ended without a summary"}
    summary = run.read_summary()
    return {key: summary.get(key) for key in _IN_LIST}


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {item}" for key, item in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(f"{item:.4g}" if isinstance(item, float) else str(item) for item in value)
    return f"{value:.6g}" if isinstance(value, float) else str(value)
