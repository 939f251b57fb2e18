"""Each topic and field that a layout in config/ draws is one that the nodes of a default training publish."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import yaml

from policies import RUN_ID, SPECIFICATION
from ros_world import RosWorld
from sac_control.nodes import topics
from sac_control.nodes.learner import LearnerNode
from sac_control.nodes.policy import PolicyNode
from sac_control.nodes.simulator import SimulatorNode
from sac_control.simulation.joint_topics import joint_topics

CONFIG = Path(__file__).resolve().parent.parent / "config"
NAMESPACE = "/training"
NUMBERS = {"double", "float", "boolean", *(f"{sign}int{size}" for sign in ("", "u") for size in (8, 16, 32, 64))}
PUBLISHED: dict[str, Any] = {  # topic: type of its messages
    **{
        f"{NAMESPACE}/{topic.name}": topic.type
        for topic in (topics.TRAINING_STATUS, topics.POLICY_STATUS, topics.ACTION, topics.JOINT_STATES)
    },
    **{f"{NAMESPACE}/{name}": topics.joint(name).type for name in joint_topics(SPECIFICATION.joints).values()},
    topics.DIAGNOSTICS.name: topics.DIAGNOSTICS.type,
}


def perspective_values(data: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    """The settings of a perspective of rqt, by key, as its perspective manager reads them."""
    for key, value in data["keys"].items():
        assert value["type"] == "repr"
        yield key, ast.literal_eval(value["repr"])
    for group in data["groups"].values():
        yield from perspective_values(group)


def of_rqt() -> list[str]:
    values = perspective_values(json.loads((CONFIG / "rqt_training.perspective").read_text()))
    return [field for key, value in values if key == "topics" for field in value]


def of_plotjuggler() -> list[str]:
    return [
        str(curve.get("name"))
        for curve in ElementTree.parse(CONFIG / "plotjuggler_training.xml").getroot().iter("curve")
    ]


def of_foxglove() -> list[str]:
    """With the slash of the other tools before the field."""
    panels = json.loads((CONFIG / "foxglove_training.json").read_text())["configById"].values()
    return [path["value"].replace(".", "/", 1) for panel in panels for path in panel.get("paths", ())]


LAYOUTS = {"rqt": of_rqt, "PlotJuggler": of_plotjuggler, "Foxglove": of_foxglove}


@pytest.mark.parametrize("tool", LAYOUTS)
def test_each_field_that_is_drawn_is_a_number_of_a_message_that_is_published(tool: str) -> None:
    drawn = LAYOUTS[tool]()
    assert len(drawn) >= 9
    assert len(set(drawn)) == len(drawn)
    for path in drawn:
        topic, _, field = path.rpartition("/")
        assert topic in PUBLISHED, path
        assert PUBLISHED[topic].get_fields_and_field_types().get(field) in NUMBERS, path


@pytest.mark.parametrize("tool", LAYOUTS)
def test_returns_losses_and_both_joints_are_drawn(tool: str) -> None:
    drawn = {path.removeprefix(f"{NAMESPACE}/") for path in LAYOUTS[tool]()}
    assert {"learner/status/evaluation_return", "learner/status/critic_loss"} <= drawn
    assert {f"{name}/position" for name in joint_topics(SPECIFICATION.joints).values()} <= drawn


def test_topics_that_are_named_are_published() -> None:
    root = ElementTree.parse(CONFIG / "plotjuggler_training.xml").getroot()
    selected = {str(topic.get("name")) for topic in root.iter("topic")}
    assert selected == {path.rpartition("/")[0] for path in of_plotjuggler()}, "each that is drawn is subscribed to"
    layout = json.loads((CONFIG / "foxglove_training.json").read_text())
    shown = [
        panel[key] for panel in layout["configById"].values() for key in panel if key in ("topicPath", "topicToRender")
    ]
    assert shown
    assert set(shown) <= set(PUBLISHED)


def test_panels_of_foxglove_are_those_of_its_layout() -> None:
    layout = json.loads((CONFIG / "foxglove_training.json").read_text())

    def panels(part: Any) -> Iterator[str]:
        if isinstance(part, str):
            yield part
        else:
            yield from (*panels(part["first"]), *panels(part["second"]))

    assert sorted(panels(layout["layout"])) == sorted(layout["configById"])


def test_plugins_of_the_perspective_are_those_that_it_has_settings_for() -> None:
    data = json.loads((CONFIG / "rqt_training.perspective").read_text())
    (running,) = (value for key, value in perspective_values(data) if key == "running-plugins")
    assert running == {"rqt_plot/Plot": [1, 2, 3], "rqt_runtime_monitor/RuntimeMonitor": [1]}
    groups = data["groups"]["pluginmanager"]["groups"]
    assert set(groups) == {f"plugin__rqt_plot__Plot__{k}" for k in running["rqt_plot/Plot"]}


def test_what_the_layouts_draw_is_published_by_nodes_that_run(tmp_path: Path) -> None:
    """And what the aggregator sorts: the names on /diagnostics begin as its groups do."""
    learner: dict[str, object] = {"run_directory": str(tmp_path / "run"), "evaluation_every": 0}
    run: dict[str, object] = {"run_id": RUN_ID}
    with RosWorld(NAMESPACE, learner=learner, simulator=run, policy={**run, "lockstep": True}) as ros:
        diagnostics = ros.hear(topics.DIAGNOSTICS)
        for node in (LearnerNode, SimulatorNode, PolicyNode):
            ros.add(node)
        for topic, kind in PUBLISHED.items():
            assert any(
                topic == name and kind.__name__ == types[0].rpartition("/")[2]
                for name, types in ros.probe.get_topic_names_and_types()
            ), topic
        names = {f"{NAMESPACE}/{node}" for node in ("learner", "simulator", "policy")}
        ros.until(lambda: names <= {status.name for msg in diagnostics for status in msg.status}, "not all tell")
    groups = yaml.safe_load((CONFIG / "diagnostic_aggregator.yaml").read_text())["analyzers"]["ros__parameters"]
    starts = [start for group in groups.values() if isinstance(group, dict) for start in group["startswith"]]
    for name in (*names, "/evaluation/evaluator", "/policy"):
        assert sum(name.startswith(start) for start in starts) == 1, name


def test_the_docs_name_each_layout() -> None:
    text = (CONFIG.parent / "docs" / "plotting.md").read_text()
    for name in (
        "rqt_training.perspective",
        "plotjuggler_training.xml",
        "foxglove_training.json",
        "diagnostic_aggregator.yaml",
    ):
        assert re.search(rf"\b{re.escape(name)}\b", text), name
