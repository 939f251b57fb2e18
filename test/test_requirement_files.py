"""What is installed where: requirements.txt, extras, the pinned files of .ci, package.xml, the targets of make."""

from __future__ import annotations

import ast
import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest
from packaging.requirements import Requirement

ROOT = Path(__file__).resolve().parent.parent
MODULES = {  # what a package is called where it is imported, if otherwise
    "PyYAML": "yaml", "imageio-ffmpeg": "imageio_ffmpeg", "mcap-ros2-support": "mcap_ros2",
}  # fmt: skip
BROUGHT_ALONG = {"PIL": "matplotlib", "pybullet_data": "pybullet"} | dict.fromkeys(
    ("msgspec", "trimesh", "websockets"), "viser"
)
FOR_DEVELOPMENT = {"lint", "format", "type", "test", "faults", "bench", "docs", "colcon", "setup"}


def read(name: str) -> list[Requirement]:
    lines = [line.partition("#")[0].strip() for line in (ROOT / name).read_text().splitlines()]
    return [Requirement(line) for line in lines if line]


def applies(requirement: Requirement, extra: str = "") -> bool:
    return requirement.marker is None or requirement.marker.evaluate({"extra": extra})


def installed(*, extras: bool) -> list[Requirement]:
    """What the package declares: without its extras, or these, those of its tests and of its site apart."""
    declared = [Requirement(line) for line in importlib.metadata.requires("sac_control") or []]
    declared = [each for each in declared if not re.search(r'extra == "(test|docs)"', str(each.marker))]
    return [each for each in declared if ("extra" in str(each.marker)) == extras]


def plain(requirements: list[Requirement]) -> set[str]:
    return {f"{each.name}{each.specifier} {each.marker or ''}".strip() for each in requirements}


def imported() -> set[str]:
    """Top-level names that the package imports, anywhere."""
    names: set[str] = set()
    for path in (ROOT / "sac_control").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names |= {alias.name.split(".")[0] for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names.add((node.module or "").split(".")[0])
    return names


def test_requirements_txt_is_what_the_package_declares() -> None:
    assert plain(installed(extras=False)) == plain(read("requirements.txt"))


def test_every_package_that_is_imported_is_required_or_an_extra() -> None:
    declared = {MODULES.get(each.name, each.name) for each in [*read("requirements.txt"), *installed(extras=True)]}
    ros = {"launch", "launch_ros", "rclpy", "ament_index_python", "sac_control"}
    foreign = {name for name in imported() - ros if name not in sys.stdlib_module_names and not name.endswith("_msgs")}
    foreign -= {"builtin_interfaces", "rcl_interfaces", "rosidl_runtime_py", "std_srvs"}
    assert {BROUGHT_ALONG.get(name, name) for name in foreign} <= declared
    assert declared <= foreign, "required, and imported nowhere"


def test_every_requirement_and_extra_is_pinned_within_its_bounds() -> None:
    pins = {
        each.name: each for each in [*read(".ci/requirements.txt"), *read(".ci/requirements-dev.txt")] if applies(each)
    }
    for wanted in [*read("requirements.txt"), *installed(extras=True)]:
        if wanted.name == "torch" and sys.version_info >= (3, 12):
            continue  # by hand there
        if "extra" in str(wanted.marker) or applies(wanted):
            (pin,) = pins[wanted.name].specifier
            assert pin.operator == "=="
            assert pin.version in wanted.specifier, f"{wanted} is pinned as {pin}"


def test_first_training_needs_no_torch_and_no_package_of_the_tests() -> None:
    small = {each.name for each in read(".ci/requirements.txt")}
    assert {each.name for each in read("requirements.txt")} <= small
    assert not small & {each.name for each in read(".ci/requirements-dev.txt")}
    assert not small & {"torch", "pytest", "mypy", "ruff", "colcon-core"}


@pytest.mark.parametrize("target", ["train", *sorted(FOR_DEVELOPMENT)])
def test_make_installs_what_a_target_needs(target: str) -> None:
    told = subprocess.run(
        ["make", "--dry-run", "--always-make", target], cwd=ROOT, capture_output=True, text=True, check=True, timeout=60
    ).stdout  # nothing is run
    assert "-r .ci/requirements.txt" in told
    assert ("-r .ci/requirements-dev.txt" in told) == (target in FOR_DEVELOPMENT)


def test_rosdep_is_asked_for_nothing_that_pip_would_have_to_install() -> None:
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    keys = [element.text or "" for element in manifest if element.tag.endswith("depend")]
    assert keys
    assert not [key for key in keys if key.endswith("-pip") or key in ("mcap-ros2-support", "python3-torch")]


def test_table_of_readme_names_extras_by_what_pip_calls_them() -> None:
    table = (ROOT / "README.md").read_text().partition("## You want")[2].partition("\n## ")[0]
    needs = [row.rsplit("|", 2)[1] for row in table.splitlines() if row.startswith("| ")]
    named = set(re.findall(r"`([\w-]+)`", " ".join(needs))) - {"gymnasium"}  # whose own extras these are
    assert named == {each.name for each in installed(extras=True)} - {
        each.name for each in read(".ci/requirements.txt")
    }
