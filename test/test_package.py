"""The package as ROS 2 sees it: built by colcon, found by `ros2 run`, described by package.xml."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import pytest

ROOT = Path(__file__).resolve().parent.parent
EXECUTABLES = dict(re.findall(r'"(\w+) = (sac_control\.start):\w+"', (ROOT / "setup.py").read_text()))  # name: module
MESSAGES = sorted(path.stem for path in (ROOT / "msg").glob("*.msg"))

# What a rosdep key does not tell by itself: the module's name.
ROSDEP_KEYS = {
    "PIL": "python3-pil",
    "argcomplete": "python3-argcomplete",
    "cryptography": "python3-cryptography",
    "matplotlib": "python3-matplotlib",
    "numpy": "python3-numpy",
    "rich": "python3-rich",
    "yaml": "python3-yaml",
}
# Neither have those that only pip could install: on Ubuntu 24.04 rosdep would fail (docs/installing.md). Which is in
# requirements.txt, and which an extra: test_requirement_files.py.
WITHOUT_ROSDEP_KEY = {
    "gymnasium", "mujoco", "pybullet", "pybullet_data", "safetensors", "tensorboard", "torch",
    "imageio_ffmpeg", "mcap", "mcap_ros2", "msgspec", "onnx", "trimesh", "viser", "websockets",
}  # fmt: skip

# Runs in a shell that has sourced the install; prints what it found.
PROBE = """
import importlib.util, json, os, sys
from pathlib import Path
from ament_index_python.packages import get_package_prefix, get_package_share_directory
from ament_index_python.resources import get_resource
from rclpy.serialization import deserialize_message, serialize_message
import sac_control.msg

messages, modules = (argument.split() for argument in sys.argv[1:])
for name in messages:
    message = getattr(sac_control.msg, name)
    assert deserialize_message(serialize_message(message()), message) == message(), name

prefix, share = Path(get_package_prefix("sac_control")), Path(get_package_share_directory("sac_control"))
executables = prefix / "lib" / "sac_control"  # as ros2run.api.get_executable_paths does it
print(json.dumps({
    "prefix": str(prefix),
    "package": sac_control.__file__,
    "messages": sac_control.msg.__file__,
    "libraries": sorted({line.split()[-1] for line in open("/proc/self/maps") if "sac_control__" in line}),
    "executables": sorted(path.name for path in executables.iterdir() if os.access(path, os.X_OK)),
    "modules": [importlib.util.find_spec(module).origin for module in modules],
    "share": sorted(str(path.relative_to(share)) for path in share.rglob("*") if path.is_file()),
    "interfaces": get_resource("rosidl_interfaces", "sac_control")[0].split(),
}))
"""


def git_files(*options: str) -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z", *options], cwd=ROOT, capture_output=True, text=True)
    if listed.returncode != 0:
        pytest.skip("not a git checkout")
    return [Path(name) for name in listed.stdout.split("\0") if name and (ROOT / name).exists()]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A colcon workspace with a copy of the sources: what git tracks, and what is new and not ignored."""
    workspace = tmp_path_factory.mktemp("workspace")
    for file in git_files("--cached", "--others", "--exclude-standard"):
        target = workspace / "src" / "sac_control" / file
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / file, target, follow_symlinks=False)
    return workspace


def colcon_build(workspace: Path, *options: str) -> dict:
    """Build into an empty install space and return what a process started from there finds."""
    shutil.rmtree(workspace / "install", ignore_errors=True)
    # The compiled messages (in build/sac_control/build) may stay from the test before: they take most of the time.
    for path in (workspace / "build" / "sac_control").glob("*"):
        if path.is_symlink() or path.is_file():
            path.unlink()
        elif path.name != "build":
            shutil.rmtree(path)

    interpreter = Path(sys.executable).parent
    colcon = shutil.which("colcon", path=os.pathsep.join([str(interpreter), os.environ["PATH"]]))
    assert colcon is not None, "colcon is not installed"
    built = subprocess.run([colcon, "build", *options], cwd=workspace, capture_output=True, text=True, timeout=1500)
    assert built.returncode == 0, built.stdout + built.stderr

    command = '. install/setup.bash && cd / && exec "$@"'
    probed = subprocess.run(
        ["bash", "-c", command, "bash", sys.executable, "-c", PROBE, *map(" ".join, (MESSAGES, EXECUTABLES.values()))],
        cwd=workspace, capture_output=True, text=True, timeout=600,
    )  # fmt: skip
    assert probed.returncode == 0, probed.stdout + probed.stderr
    return json.loads(probed.stdout)


def assert_complete(found: dict, prefix: Path) -> None:
    assert found["prefix"] == str(prefix)
    assert found["executables"] == sorted(EXECUTABLES)
    assert found["messages"].startswith(f"{prefix}/lib/")
    assert found["libraries"]
    assert all(library.startswith(f"{prefix}/lib/") for library in found["libraries"])
    assert {f"msg/{message}.msg" for message in MESSAGES} <= set(found["interfaces"])
    share = {"package.xml", "cmake/sac_controlConfig.cmake"}
    share |= {f"msg/{message}.{suffix}" for message in MESSAGES for suffix in ("msg", "idl", "json")}
    share |= {f"launch/{path.name}" for path in (ROOT / "launch").glob("*.launch.py")}
    share |= {f"config/{path.name}" for path in (ROOT / "config").iterdir()}
    share |= {f"urdf/{path.name}" for path in (ROOT / "sac_control" / "robots").glob("*.urdf")}
    assert share <= set(found["share"])


@pytest.mark.long
def test_colcon_build_gives_messages_executables_and_share_files(workspace: Path) -> None:
    found = colcon_build(workspace)
    prefix = workspace / "install" / "sac_control"
    assert_complete(found, prefix)
    assert all(path.startswith(f"{prefix}/lib/") for path in [found["package"], *found["modules"]])


@pytest.mark.long
def test_symlink_install_gives_the_same_and_runs_the_sources(workspace: Path) -> None:
    found = colcon_build(workspace, "--symlink-install")
    assert_complete(found, workspace / "install" / "sac_control")
    sources = workspace / "src" / "sac_control" / "sac_control"
    assert all(Path(path).resolve().is_relative_to(sources) for path in [found["package"], *found["modules"]])


def test_package_xml_names_every_package_that_the_code_imports() -> None:
    manifest = ElementTree.parse(ROOT / "package.xml").getroot()
    declared = {element.text for tag in ("depend", "exec_depend") for element in manifest.findall(tag)}
    imported: dict[str, str] = {}
    for path in sorted([*(ROOT / "sac_control").rglob("*.py"), *(ROOT / "launch").glob("*.py")]):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                names = [node.module or ""]
            else:
                continue
            imported |= {name.split(".")[0]: path.name for name in names}
    missing = {
        f"{name} (imported by {path})"
        for name, path in imported.items()
        if name not in {*sys.stdlib_module_names, "sac_control", *WITHOUT_ROSDEP_KEY}
        and ROSDEP_KEYS.get(name, name) not in declared
    }
    assert not missing, "add to package.xml (and, where the rosdep key has another name, to ROSDEP_KEYS)"


def test_the_repository_holds_what_was_agreed_and_nothing_else() -> None:
    assert {path.parts[0] for path in git_files()} == {
        "sac_control", "launch", "config", "msg", "test", "resource", "benchmarks", "docs",
        "package.xml", "setup.py", "setup.cfg", "CMakeLists.txt", "pyproject.toml", "Makefile", ".ci", ".gitignore",
        "README.md", "CHANGELOG.md", "LICENSE", "SECURITY.md", "CONTRIBUTING.md", "CITATION.cff",
        "requirements.txt", ".github",
    }  # fmt: skip
