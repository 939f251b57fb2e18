"""Which section of a parameter file is for which node: the same as rclpy finds, whatever the names are."""

from __future__ import annotations

from pathlib import Path

import pytest
import rclpy
from rclpy.node import Node
from rclpy.signals import SignalHandlerOptions

from sac_control.cli.parameter_file import read_sections

NAMES = (
    "learner", "/learner", "/**", "/*", "/**/learner", "/*/learner", "/a/learner", "a/learner", "/a/*", "/a/**",
    "/a/b/learner", "/a/**/learner", "/**/b/*", "/**/other", "/b/learner", "/a/*/learner", "**", "*",
)  # fmt: skip


def as_rclpy_reads(file: Path, namespace: str) -> dict[str, object]:
    context = rclpy.Context()
    rclpy.init(
        args=["--ros-args", "--params-file", str(file)],
        context=context,
        signal_handler_options=SignalHandlerOptions.NO,
    )
    try:
        node = Node(
            "learner",
            namespace=namespace,
            context=context,
            enable_rosout=False,
            start_parameter_services=False,
            automatically_declare_parameters_from_overrides=True,
        )
        values = {name: each.value for name, each in node.get_parameters_by_prefix("").items()}
        node.destroy_node()
    finally:
        rclpy.shutdown(context=context)
    plain = {
        name: value if isinstance(value, bool | int | float | str) else list(value) for name, value in values.items()
    }
    return {name: value for name, value in plain.items() if name.startswith("p")}


def as_we_read(file: Path, node: str) -> dict[str, object]:
    found: dict[str, object] = {}
    for section in read_sections(file):
        if section.is_for(node):
            found.update(section.parameters)
    return found


@pytest.mark.parametrize("namespace", ["", "/a", "/a/b", "/b"])
@pytest.mark.parametrize("names", [NAMES[1:], NAMES[:0:-1]], ids=["forwards", "backwards"])
def test_each_node_gets_what_rclpy_gives_it_in_the_same_order_of_strength(
    tmp_path: Path, namespace: str, names: tuple[str, ...]
) -> None:
    """Each section has a parameter of its own, and one that all have: who wins tells the order."""
    names = tuple(name for name in names if name.startswith("/"))  # written twice, a name is refused
    file = tmp_path / "file.yaml"
    file.write_text("".join(f"{name}:\n  ros__parameters: {{p{k}: {k}, p: {k}}}\n" for k, name in enumerate(names)))
    expected = as_rclpy_reads(file, namespace)
    assert expected
    assert as_we_read(file, f"{namespace}/learner") == expected


@pytest.mark.parametrize(
    "text",
    [
        "/:\n  learner:\n    ros__parameters: {p: 1}\n",
        "a:\n  learner:\n    ros__parameters: {p: 1}\n  b:\n    learner:\n      ros__parameters: {p: 2, q: 3}\n",
        "/a/b:\n  learner:\n    ros__parameters: {p: {x: {y: 1}, z: 2}}\n  '*':\n    ros__parameters: {p2: x}\n",
        "/**:\n  learner:\n    ros__parameters: {p: [1, 2], p2: true, p3: 1.5}\n",
        "learner: {ros__parameters: {p: 1}}\n'*': {ros__parameters: {p2: 1}}\n'**': {ros__parameters: {p3: 1}}\n",
    ],
)
@pytest.mark.parametrize("namespace", ["", "/a", "/a/b"])
def test_nested_names_are_joined_as_rclpy_joins_them(tmp_path: Path, text: str, namespace: str) -> None:
    file = tmp_path / "file.yaml"
    file.write_text(text)
    expected = as_rclpy_reads(file, namespace)
    found = as_we_read(file, f"{namespace}/learner")
    assert {name: value for name, value in found.items() if name.startswith("p")} == expected
