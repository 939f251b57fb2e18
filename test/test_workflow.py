"""What is said of the package to others: the workflow for ROS containers, how to cite it, the first page."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from sac_control.cli import main

ROOT = Path(__file__).resolve().parent.parent
WORKFLOW = ROOT / ".github" / "workflows" / "ros.yml"


@pytest.fixture(scope="module")
def jobs() -> dict[str, Any]:
    return yaml.safe_load(WORKFLOW.read_text())["jobs"]


def commands(job: dict[str, Any]) -> list[str]:
    """Lines of the shell, continued ones joined."""
    text = "\n".join(step.get("run", "") for step in job["steps"])
    return [line.strip() for line in text.replace("\\\n", " ").splitlines() if line.strip()]


def test_workflow_builds_in_the_distributions_that_the_docs_name(jobs: dict[str, Any]) -> None:
    built = jobs["workspace"]["strategy"]["matrix"]["ros"]
    page = (ROOT / "docs" / "installing.md").read_text()
    (told,) = re.findall(r"^\| distribution \|(.*)\|$", page, re.MULTILINE)
    assert built == [name.strip().lower() for name in told.split("|")]
    readme = (ROOT / "README.md").read_text().lower()
    assert all(name in readme for name in built)
    pinned = {path.stem.rpartition("-")[2] for path in (ROOT / ".ci").glob("requirements-*.txt")} - {"dev"}
    assert pinned <= set(built)


def test_workflow_follows_the_recipe_of_readme(jobs: dict[str, Any]) -> None:
    section = (ROOT / "README.md").read_text().partition("## In a ROS 2 workspace")[2].partition("\n## ")[0]
    recipe = re.findall(r"^```bash\n(.*?)^```", section, re.MULTILINE | re.DOTALL)[0].splitlines()
    told = [line.partition("    #")[0].strip() for line in recipe]
    mine = " && ".join(commands(jobs["workspace"]))
    for step in ("rosdep install ", "python3 -m venv ", "venv/bin/python -m pip install -r", "colcon build "):
        (line,) = [each for each in told if each.startswith(step)]
        for command in line.split(" && "):
            if not command.startswith("source"):
                assert command in mine


def test_commands_of_the_workflow_exist(jobs: dict[str, Any]) -> None:
    assert ".ci/run" in commands(jobs["checks"])
    assert os.access(ROOT / ".ci" / "run", os.X_OK)
    lines = commands(jobs["workspace"])
    ours = [line.partition("ros2 run sac_control sac_control ")[2] for line in lines if line.startswith("ros2 run")]
    assert len(ours) >= 2
    for line in ours:
        main.parse(shlex.split(line))
    for path in re.findall(r"src/sac_control/(\S+)", "\n".join(lines)):
        assert (ROOT / path).exists()
    assert not [line for line in lines if re.search(r"\|\| *true|--break-system-packages", line)]


def test_commands_in_tables_of_readme_are_known() -> None:
    rows = [line for line in (ROOT / "README.md").read_text().splitlines() if line.startswith("| ")]
    told = re.findall(r"`sac_control ([^`]+)`", "\n".join(rows))
    assert len(told) > 15
    for words in told:
        if words != "--help":
            main.parse(shlex.split(words))


def test_citation_tells_version_and_licence_of_the_package() -> None:
    citation = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    assert citation["cff-version"] == "1.2.0"
    assert citation["version"] == manifest.findtext("version")
    assert citation["license"] == manifest.findtext("license")
    assert {"message", "title", "authors"} <= citation.keys()


@pytest.mark.parametrize("page", ["README.md", "CONTRIBUTING.md", "docs/installing.md"])
def test_links_lead_somewhere(page: str) -> None:
    file = ROOT / page
    for target in re.findall(r"\]\(([^)\s]+)\)", file.read_text()):
        if "://" in target:
            continue
        path, _, anchor = target.partition("#")
        there = (file.parent / path) if path else file
        assert there.exists(), target
        if anchor:
            titles = re.findall(r"^#+ (.*)$", there.read_text(), re.MULTILINE)
            assert anchor in {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}, target
