"""Installs sac_control: plain Python, plus the messages of msg/ and the learner's updates, which CMake compiles.

ROS 2 compiles messages with CMake and gives Python packages to setuptools; this package is both, under one name. Every
way of installing it (`pip install .`, `pip install -e .`, `colcon build`, `colcon build --symlink-install`) runs one
command that copies data files below a prefix: `install_data`, or colcon's `symlink_data`. So that is where the compiled
messages are added, at the places where a ROS package made by CMake alone would have them:

    lib/pythonX.Y/site-packages/sac_control/   msg/*.py and the extension modules, beside our own Python or without it
    lib/, include/, share/sac_control/         libraries, headers, .msg, .idl, and CMake files for find_package
    share/ament_index/                         the entry by which `ros2 interface show` finds the messages

sac_control/__init__.py joins the two places from which the package may come (see its `__path__`).
"""

import hashlib
import os
import shutil
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

import setuptools

EXECUTABLES = [
    "simulator = sac_control.start:simulator",
    "policy = sac_control.start:policy",
    "learner = sac_control.start:learner",
    "evaluator = sac_control.start:evaluator",
    "recorder = sac_control.start:recorder",
    "sac_control = sac_control.start:command",
]
WORLDS = [
    "pybullet = sac_control.worlds.pybullet_world:PybulletWorld",
    "mujoco = sac_control.worlds.mujoco_world:MujocoWorld",
]
TASKS = [
    "inverted_pendulum = sac_control.tasks.builtin:inverted_pendulum",
    "inverted_pendulum_swingup = sac_control.tasks.builtin:inverted_pendulum_swingup",
    "inverted_double_pendulum = sac_control.tasks.builtin:inverted_double_pendulum",
]
ALGORITHMS = [
    "sac = sac_control.algorithms.sac.sac_config:SacConfig",
    "sac_v1 = sac_control.algorithms.sac_v1.sac_v1_config:SacV1Config",
    "trpo = sac_control.algorithms.trpo.trpo_config:TrpoConfig",
]
EXTRAS = {  # what is asked for only where it is used; with the versions that were tried
    "torch": ["torch>=2.13"],  # 2.13.0: GPUs, the readable updates, --algorithm trpo and sac_v1
    "signatures": ["cryptography>=41"],  # 50.0.2: policies that are signed
    "bags": ["mcap>=1.2", "mcap-ros2-support>=0.5"],  # 1.6.0 and 0.6.0: --bag, train --from-bag, replay
    "onnx": ["onnx>=1.17"],  # 1.23.2: export --format onnx
    "terminal": ["rich>=13"],  # 14.3.4: the table of a training
    "completion": ["argcomplete>=3"],  # 3.7.2: at Tab
    "video": ["imageio-ffmpeg>=0.6"],  # 0.6.0: mp4
    "docs": ["sphinx>=8.1", "myst-parser>=4", "furo", "latex2mathml>=3.78"],  # 8.1.3, 4.0.1, 2025.12.19: make docs
    "watch": ["viser>=1.1,<2"],  # 1.1.1: the page in the browser
}
TESTS = ["pytest>=7.4", "pytest-timeout", "pytest-xdist", "hypothesis"]  # `colcon test` takes pytest if it stands here
NAME = "sac_control"
SOURCE = Path(__file__).resolve().parent  # colcon's --symlink-install runs a symlink to this file

# What is taken from the CMake install. The rest (its own __init__.py, egg-info, package.xml and shell hooks) would
# collide with what setuptools and colcon install.
GENERATED = (
    f"lib*/python*/*-packages/{NAME}/*.so",
    f"lib*/python*/*-packages/{NAME}/msg/*.py",
    "lib/*.so",
    "include/**/*",
    f"share/{NAME}/cmake/*",
    f"share/{NAME}/msg/*",
    f"share/ament_index/resource_index/rosidl_interfaces/{NAME}",
)


def compile_messages(build: Path) -> Path:
    """Compile msg/ below `build`; only what changed since the last call. Return the directory with the results."""
    environment = dict(os.environ)
    # A virtual environment with the ROS wheels in it is a ROS installation: it needs no setup.bash.
    # Not sys.prefix: colcon sets that to the place where it installs to.
    python_prefix = Path(sys.executable).parent.parent
    environment["PATH"] = os.pathsep.join([str(python_prefix / "bin"), environment.get("PATH", os.defpath)])
    if (python_prefix / "share/ament_index").is_dir():
        for variable in ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH"):
            prefixes = [*environment.get(variable, "").split(os.pathsep), str(python_prefix)]
            environment[variable] = os.pathsep.join(dict.fromkeys(filter(None, prefixes)))
    cmake = shutil.which("cmake", path=environment["PATH"])
    if cmake is None:
        raise SystemExit("sac_control: CMake compiles msg/ and was not found: install it (apt install cmake).")

    # One build directory per source, interpreter and set of ROS packages: CMake's cache must not outlive any of them.
    ros = [environment.get(variable) for variable in ("AMENT_PREFIX_PATH", "CMAKE_PREFIX_PATH")]
    identity = hashlib.sha256(repr([SOURCE, sys.executable, sys.version, ros]).encode()).hexdigest()
    build = build.resolve() / f"msg-{identity[:8]}"
    stage = build / "stage"
    shutil.rmtree(stage, ignore_errors=True)
    options = [f"-DPython3_EXECUTABLE={sys.executable}", f"-DCMAKE_INSTALL_PREFIX={stage}"]
    if shutil.which("ninja", path=environment["PATH"]):
        options += ["-G", "Ninja"]
    for command in (
        [cmake, "-S", SOURCE, "-B", build, *options],
        [cmake, "--build", build, "--parallel"],
        [cmake, "--install", build],
    ):
        result = subprocess.run(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if result.returncode != 0:
            raise SystemExit(f"{result.stdout}\nsac_control: compiling msg/ failed, see above.")
    return stage


def install_generated(stage: Path, prefix: Path) -> list[str]:
    """Copy the compiled messages from `stage` to `prefix`; return the files written."""
    files = sorted({file for pattern in GENERATED for file in stage.glob(pattern) if file.is_file()})
    targets = [prefix / file.relative_to(stage) for file in files]
    for file, target in zip(files, targets, strict=True):
        target.parent.mkdir(parents=True, exist_ok=True)
        target.unlink(missing_ok=True)  # a process that has the old library mapped keeps it
        shutil.copy2(file, target)
    return [str(target) for target in targets]


def install_launchers(prefix: Path) -> list[str]:
    """Put a launcher for each bin/<name> into lib/sac_control/, where `ros2 run` looks; return the files written."""
    launchers = [prefix / "lib" / NAME / executable.split(" = ")[0] for executable in EXECUTABLES]
    for launcher in launchers:
        launcher.parent.mkdir(parents=True, exist_ok=True)
        launcher.write_text(f'#!/bin/sh\nexec "$(dirname "$0")/../../bin/{launcher.name}" "$@"\n')
        launcher.chmod(0o755)
    return [str(launcher) for launcher in launchers]


class Distribution(setuptools.Distribution):
    def has_ext_modules(self) -> bool:
        return True  # the compiled messages fit one platform and one Python: the wheel must say so

    def has_data(self) -> bool:
        return True  # editable_wheel asks by this name before it runs install_data, and no one else answers

    def run_command(self, command: str) -> None:
        first_run = not self.have_run.get(command)
        super().run_command(command)
        if first_run and command in ("install_data", "symlink_data"):
            data = self.get_command_obj(command)
            build = self.get_command_obj("build")
            build.ensure_finalized()
            prefix = Path(data.install_dir)
            data.outfiles += install_generated(compile_messages(Path(build.build_base)), prefix)
            if {"bdist_wheel", "editable_wheel"} & self.command_obj.keys():  # pip; colcon installs them there itself
                data.outfiles += install_launchers(prefix)


def requirements(path: Path) -> list[str]:
    """The lines of a file of pip's, without remarks."""
    lines = [line.partition("#")[0].strip() for line in path.read_text().splitlines()]
    return [line for line in lines if line]


manifest = ElementTree.parse(SOURCE / "package.xml").getroot()
maintainer = manifest.find("maintainer")

setuptools.setup(
    distclass=Distribution,
    name=NAME,
    version=manifest.findtext("version"),
    description=manifest.findtext("description"),
    license=manifest.findtext("license"),
    maintainer=maintainer.text,
    maintainer_email=maintainer.get("email"),
    python_requires=">=3.10",
    # What of it apt has is in package.xml, too, for rosdep; versions are pinned in .ci/requirements.txt.
    install_requires=requirements(SOURCE / "requirements.txt"),
    packages=setuptools.find_packages(include=[NAME, f"{NAME}.*"]),
    package_data={f"{NAME}.system": ["*.xml"], f"{NAME}.robots": ["*.urdf"], f"{NAME}.tasks": ["*.yaml"]},
    data_files=[
        ("share/ament_index/resource_index/packages", [f"resource/{NAME}"]),
        (f"share/{NAME}", ["package.xml"]),
        (f"share/{NAME}/launch", sorted(map(str, Path("launch").glob("*.launch.py")))),
        (f"share/{NAME}/config", sorted(map(str, Path("config").iterdir()))),
        (f"share/{NAME}/urdf", sorted(map(str, Path(NAME, "robots").glob("*.urdf")))),
    ],
    entry_points={
        "console_scripts": EXECUTABLES,
        "sac_control.worlds": WORLDS,
        "sac_control.tasks": TASKS,
        "sac_control.algorithms": ALGORITHMS,
    },
    extras_require=EXTRAS | {"test": TESTS},
    zip_safe=False,
)
