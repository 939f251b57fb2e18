"""Who may import whom: a robot needs no torch and no simulator, a training no ROS, and nothing is unpickled."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from optional_packages import ABSENT, PLACES

PACKAGE = Path(__file__).resolve().parent.parent / "sac_control"
BASIS = {
    "types", "identity", "option", "errors", "expression", "observation", "per_joint", "plug_ins", "ros_parameters",
    "variation",
}  # fmt: skip
SIMULATION = {"robots", "tasks", "worlds", "envs", "simulation"}
CORES = {"algorithms", "bags", "policy", "store", "training", "exam", "video", "watch", "health", "system"} | SIMULATION

# Folder or module: what it may import of this package (beside itself), and of others (beside the standard library).
ROS = {"rclpy", "rcl_interfaces", "std_srvs", "sac_control.msg"} | {
    f"{name}_msgs" for name in ("diagnostic", "lifecycle", "rosgraph", "sensor", "std")
} | {"builtin_interfaces"}  # fmt: skip
ALLOWED: dict[str, tuple[set[str], set[str]]] = {
    "__init__": (set(), set()),
    "__main__": ({"start"}, set()),
    "start": ({"errors", "system", "nodes", "cli"}, set()),
    "types": ({"errors"}, {"numpy"}),
    "identity": ({"option"}, set()),
    "errors": (set(), set()),
    "option": ({"errors", "per_joint"}, set()),
    "per_joint": ({"errors"}, set()),
    "plug_ins": ({"errors"}, set()),
    "expression": ({"errors", "option"}, set()),
    "observation": ({"errors", "expression", "types"}, {"numpy"}),
    "ros_parameters": ({"errors", "option"}, set()),
    "variation": ({"errors", "option"}, {"numpy"}),
    "system": ({"errors"}, set()),
    "health": (set(), set()),
    "robots": (BASIS, {"numpy"}),
    "tasks": (BASIS | {"robots"}, {"numpy", "yaml"}),
    "worlds": (BASIS | {"robots"}, {"numpy", "pybullet", "mujoco"}),
    "envs": (BASIS | {"robots", "tasks", "worlds"}, {"numpy", "gymnasium"}),
    "simulation": (BASIS | {"envs"}, {"numpy"}),
    "algorithms": (BASIS, {"numpy", "torch"}),
    "policy": (BASIS, {"numpy", "safetensors"}),
    "bags": (BASIS, {"numpy", "yaml", "mcap", "mcap_ros2"}),
    "store": (BASIS, {"numpy", "matplotlib", "tensorboard", "safetensors"}),
    "training": (BASIS | {"tasks", "envs", "algorithms", "bags", "policy", "store"}, {"numpy", "safetensors"}),
    "exam": (BASIS | {"robots", "tasks", "envs", "policy", "store"}, {"numpy", "matplotlib"}),
    "video": (BASIS | {"tasks", "envs", "policy"}, {"numpy", "PIL"}),
    "watch": (BASIS | {"robots", "tasks", "worlds", "store"}, {"numpy", "viser", "trimesh", "websockets", "msgspec"}),
    "nodes": (BASIS | (CORES - {"watch"}), {"numpy", *ROS}),
    "cli": (BASIS | CORES, {"numpy", "yaml"}),
}
EXCEPTIONS = {
    "cli/launch_files.py": {"launch", "launch_ros"},  # the only file that knows the launch library
    "cli/live_table.py": {"rich"},  # likewise, on a terminal
    "cli/voice.py": {"rich"},
    "cli/completion.py": {"argcomplete"},  # at Tab
    "video/encoding.py": {"imageio_ffmpeg"},  # likewise, for an MP4
    "nodes/ros_env.py": {"gymnasium"},  # other libraries' way in
    "policy/signature.py": {"cryptography"},  # which it imports only where keys are used
    "policy/onnx_model.py": {"onnx"},  # an extra, imported where a policy is exported
    "tasks/gymnasium_maker.py": {"gymnasium"},  # likewise, where one of its environments is asked for
}

PICKLES = {"pickle", "_pickle", "cPickle", "cloudpickle", "dill", "joblib", "marshal", "shelve"}
UNSAFE_CALLS = {
    "torch.load", "torch.jit.load", "yaml.load", "yaml.load_all", "yaml.unsafe_load", "yaml.full_load",
    "importlib.import_module", "__import__", "eval", "exec",
}  # fmt: skip

# What must not be there for a folder to be imported. The policy node is what a robot runs.
SIMULATORS = ["pybullet", "pybullet_data", "mujoco", "gymnasium"]
BLOCKED = {
    "ros_parameters system start": ["numpy", "torch", "rclpy", "yaml", "safetensors", *SIMULATORS],
    "expression": ["numpy", "torch", "rclpy", "yaml", "safetensors", *SIMULATORS],
    "types identity option errors observation per_joint health": ["torch", "rclpy", "yaml", "safetensors", *SIMULATORS],
    "robots tasks": ["torch", "rclpy", "safetensors", "matplotlib", *SIMULATORS],
    "worlds envs simulation": ["torch", "rclpy", "safetensors", "matplotlib"],
    "algorithms": ["rclpy", "yaml", "matplotlib", "tensorboard", *SIMULATORS],
    "policy": ["torch", "rclpy", "yaml", "matplotlib", "tensorboard", "cryptography", *SIMULATORS],
    "bags store training exam watch": ["rclpy", "launch", "cryptography"],
    "video": ["rclpy", "launch", "torch", "matplotlib", "imageio_ffmpeg"],
    "cli": ["rclpy", "launch", "torch", "cryptography", "rich", "argcomplete", "viser"],
    "nodes.policy": ["torch", "matplotlib", "tensorboard", "cryptography", *SIMULATORS],
    "nodes.simulator": ["torch", "matplotlib", "tensorboard"],
    "simulation.exchange simulation.periods": ["torch", "rclpy", "numpy", *SIMULATORS],
}
IMPORT_WHILE_BLOCKED = """
import importlib, sys

blocked, modules = sys.argv[1].split(), sys.argv[2:]

class Blocker:
    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in blocked:
            raise ImportError(f"{name} is blocked")

sys.meta_path.insert(0, Blocker())
for module in modules:
    importlib.import_module(module)
assert not set(blocked) & set(sys.modules), "something was imported before the block"
"""


def sources() -> list[Path]:
    return sorted(PACKAGE.rglob("*.py"))


def place(path: Path) -> str:
    """The folder or module that the rules speak of."""
    return path.relative_to(PACKAGE).parts[0].removesuffix(".py")


def module_name(path: Path) -> str:
    parts = path.relative_to(PACKAGE.parent).with_suffix("").parts
    return ".".join(parts).removesuffix(".__init__")


def imports(path: Path) -> Iterator[str]:
    """Absolute name of everything that a file imports, wherever in the file it does."""
    package = module_name(path).split(".")
    if path.name != "__init__.py":
        package = package[:-1]
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) + 1 - node.level] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)


def violations(path: Path) -> Iterator[str]:
    """Each import of a file that the rules do not allow."""
    here = place(path)
    own, foreign = ALLOWED[here]
    foreign = foreign | EXCEPTIONS.get(str(path.relative_to(PACKAGE)), set())
    for name in imports(path):
        root, _, rest = name.partition(".")
        if name == "sac_control.__path__":  # where the package lies: nothing is imported by that
            continue
        if root == "sac_control" and rest.split(".")[0] not in ("msg", ""):
            if rest.split(".")[0] not in own | {here}:
                yield name
        elif root == "sac_control":
            if "sac_control.msg" not in foreign:
                yield name
        elif root not in sys.stdlib_module_names and root not in foreign:
            yield name


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_file_imports_only_what_its_place_allows(path: Path) -> None:
    assert not list(violations(path))


def test_every_rule_is_about_something_that_exists() -> None:
    assert {place(path) for path in sources()} == set(ALLOWED)
    assert EXCEPTIONS.keys() <= {str(path.relative_to(PACKAGE)) for path in sources()}


@pytest.mark.parametrize("package", sorted(PLACES))
def test_package_that_may_be_missing_is_imported_where_its_tests_are_skipped_and_nowhere_else(package: str) -> None:
    """Elsewhere a test would fail where the package is missing: Python 3.12 and later."""
    importing = [
        str(path.relative_to(PACKAGE))
        for path in sources()
        if any(name.split(".")[0].startswith(package) for name in imports(path))  # pybullet_data, too
    ]
    assert [path for path in importing if not path.startswith(PLACES[package])] == []
    for part in PLACES[package]:
        assert any(path.startswith(part) for path in importing), part


@pytest.mark.parametrize(
    ("file", "line", "name"),
    [
        ("tasks/task.py", "import torch", "torch"),
        ("algorithms/learner.py", "from sac_control.envs import registry", "sac_control.envs.registry"),
        ("algorithms/learner.py", "from sac_control import envs", "sac_control.envs"),
        ("algorithms/learner.py", "from ..envs.env import Env", "sac_control.envs.env.Env"),
        ("algorithms/__init__.py", "from .. import store", "sac_control.store"),
        ("policy/policy.py", "def f():\n    import pybullet", "pybullet"),
        ("store/metrics.py", "import sac_control.msg", "sac_control.msg"),
        ("cli/plan.py", "import launch.actions", "launch.actions"),
        ("cli/main.py", "from sac_control.nodes.topics import CREDIT", "sac_control.nodes.topics.CREDIT"),
        ("nodes/policy.py", "from sac_control.cli import plan", "sac_control.cli.plan"),
    ],
)
def test_forbidden_import_would_be_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, line: str, name: str
) -> None:
    monkeypatch.setattr(sys.modules[__name__], "PACKAGE", tmp_path / "sac_control")
    path = tmp_path / "sac_control" / file
    path.parent.mkdir(parents=True)
    path.write_text(f"from __future__ import annotations\n{line}\n")
    assert list(violations(path)) == [name]


# What an interpreter has no package for; algorithms/torch_presence.py, say, imports torch only when it is asked for.
NOT_HERE = tuple(part for package in ABSENT for part in PLACES.get(package, ()) if not part.endswith(".py"))


@pytest.mark.parametrize("names", BLOCKED)
def test_part_works_without_what_it_must_not_need(names: str) -> None:
    modules = []
    for name in names.split():
        path = PACKAGE.joinpath(*name.split("."))
        files = sorted(path.rglob("*.py")) if path.is_dir() else [path.with_suffix(".py")]
        modules += [
            module_name(file)
            for file in files
            if (part := str(file.relative_to(PACKAGE))) not in EXCEPTIONS and not part.startswith(NOT_HERE)
        ]
    assert modules
    command = [sys.executable, "-c", IMPORT_WHILE_BLOCKED, " ".join(BLOCKED[names]), *modules]
    done = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("path", sources(), ids=lambda path: str(path.relative_to(PACKAGE)))
def test_nothing_that_is_read_is_ever_executed(path: Path) -> None:
    assert not {name.split(".")[0] for name in imports(path)} & PICKLES
    aliases = {
        alias.asname: alias.name
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Import)
        for alias in node.names
        if alias.asname
    }
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            first, dot, rest = called.partition(".")
            assert f"{aliases.get(first, first)}{dot}{rest}" not in UNSAFE_CALLS
            assert "allow_pickle" not in {keyword.arg for keyword in node.keywords}
    assert not UNSAFE_CALLS & set(imports(path))


# maps: the `__init__` of a folder names what is in it

FOLDERS = sorted(path.parent for path in PACKAGE.rglob("__init__.py"))


def named_in(text: str) -> set[str]:
    """Modules and folders that a map speaks of, as it writes them: `learner.py`, `native/`, `sac/sac_config.py`."""
    return set(re.findall(r"(?<![\w./])(?:\w+/)*\w+\.py\b", text)) | set(
        re.findall(r"(?<![\w./])\w+/(?=[\s,`]|$)", text)
    )


def contents(folder: Path) -> set[str]:
    """Modules and folders in a folder, as a map must write them."""
    modules = {path.name for path in folder.glob("*.py") if not path.name.startswith("__")}
    return modules | {f"{path.name}/" for path in folder.iterdir() if path.is_dir() and path.name != "__pycache__"}


@pytest.mark.parametrize("folder", FOLDERS, ids=lambda folder: str(folder.relative_to(PACKAGE.parent)))
def test_map_of_a_folder_names_every_file_that_is_there_and_no_other(folder: Path) -> None:
    names = named_in(ast.get_docstring(ast.parse((folder / "__init__.py").read_text())) or "")
    assert contents(folder) - names == set(), "not on the map"
    assert {name for name in names if not any((place / name).exists() for place in (folder, PACKAGE))} == set()


def test_design_has_a_row_for_every_folder_and_module_of_the_ground_floor() -> None:
    text = (PACKAGE.parent / "docs" / "design.md").read_text()
    cells = [line.split("|")[1] for line in text.splitlines() if line.startswith("| `")]
    rows = {name for cell in cells for name in re.findall(r"`(\w+/?)`", cell)}
    assert {name.removesuffix(".py") for name in contents(PACKAGE)} - rows == set()
    assert {name for name in rows if name.endswith("/")} <= contents(PACKAGE)
