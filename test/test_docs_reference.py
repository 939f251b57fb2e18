"""The generated reference has everything that the code has, with its words."""

from __future__ import annotations

import argparse
import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from doc_pages import ROOT
from reference_generator import environment, pages, settings, wires
from reference_generator.commands import LAUNCH_FILES, written
from reference_generator.markdown import code, plain
from sac_control.algorithms.catalogue import algorithms, settings_of
from sac_control.cli.choice import choices_of
from sac_control.cli.main import VERBS, Verb
from sac_control.option import Config

PAGES = pages()


def section(page: str, title: str) -> str:
    """What stands below a heading, up to the next of its level or above."""
    found = re.search(rf"^(##+) {re.escape(title)}\n(.*?)(?=^##+ |\Z)", PAGES[page], re.DOTALL | re.MULTILINE)
    assert found is not None, title
    return found[2]


def kinds() -> Iterator[tuple[str, type[Config]]]:
    yield from settings.NODES.items()
    yield from ((f"learner, algorithm {name}", settings_of(name)) for name in algorithms())


@pytest.mark.parametrize(("title", "kind"), [*kinds()])
def test_each_parameter_has_a_row_with_default_bounds_and_words(title: str, kind: type[Config]) -> None:
    text = section("parameters.md", title)
    for name in kind.types():
        (row,) = re.findall(rf"^\| {code(name)} \|.*$", text, re.MULTILINE)
        info = kind.info(name)
        assert plain(info.description) in row
        assert plain(settings.allowed(kind.types()[name], info)) in row


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb.name)
def test_each_verb_has_a_section_with_all_of_its_options(verb: Verb) -> None:
    text = section("commands.md", verb.name)
    parser = argparse.ArgumentParser()
    for each in choices_of(verb.options):
        each.add_to(parser)
        assert f"| {code(written(each))} |" in text
        assert plain(each.about.description) in text
    flags = {flag for action in parser._actions for flag in action.option_strings if flag.startswith("--")} - {"--help"}
    assert flags == set(re.findall(r"^\| `(--[a-z-]+)", text, re.MULTILINE))


def test_each_launch_file_has_a_section_with_all_of_its_arguments() -> None:
    assert {path.name for path in (ROOT / "launch").glob("*.launch.py")} == set(LAUNCH_FILES)
    for name, arguments in LAUNCH_FILES.items():
        assert arguments
        for argument in arguments:
            assert f"| {code(argument.name)} |" in section("launch.md", name)


@pytest.mark.parametrize("path", sorted(wires.MESSAGES.glob("*.msg")), ids=lambda path: path.stem)
def test_each_message_has_a_section_with_all_fields_constants_and_comments(path: Path) -> None:
    kind = getattr(wires.topics.sac_control.msg, path.stem)
    text = section("messages.md", path.stem)
    rows = dict(re.findall(r"^\| `(\w+)` \| (.*) \|$", text, re.MULTILINE))
    fields = set(kind.get_fields_and_field_types())
    constants = {name for name in vars(kind.__class__) if name.isupper() and not name.startswith("_")}
    assert rows.keys() == fields | constants
    lines = path.read_text().splitlines()
    for line in lines[next(k for k, each in enumerate(lines) if not each) :]:
        if "#" in line:
            assert plain(line.partition("#")[2].strip()) in text


def test_each_topic_has_a_publisher_and_each_service_a_node() -> None:
    named = [topic for topic in wires.all_topics() if topic.name != "joint_states"]
    assert len(named) > 10
    for topic in wires.all_topics():
        publishers, _ = wires.ends(topic)
        assert publishers, topic.name
        assert f"| {code(topic.name)} | {code(wires.type_name(topic))} |" in PAGES["topics.md"]
    offered = {name for node in wires.NODES for name in wires.services(node)}
    there = {
        value for value in vars(wires.topics).values() if isinstance(value, str) and re.fullmatch(r"\w+/\w+", value)
    }
    assert offered == there
    assert all(f"| {code(name)} |" in PAGES["topics.md"] for name in there)


def test_publishers_and_subscribers_that_nodes_tell_are_those_that_they_make() -> None:
    """A topic that a node's own file publishes or subscribes to by its constant stands in its docstring."""
    constants = {name: value for name, value in vars(wires.topics).items() if isinstance(value, wires.Topic)}
    for node in wires.NODES:
        for call in ast.walk(ast.parse((ROOT / "sac_control" / "nodes" / f"{node}.py").read_text())):
            if not (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute) and len(call.args) > 1):
                continue
            if ast.unparse(call.func) in ("topics.publisher", "topics.subscription"):
                topic = constants.get(ast.unparse(call.args[1]).removeprefix("topics."))
                if topic is not None:
                    publishers, subscribers = wires.ends(topic)
                    assert node in (publishers if call.func.attr == "publisher" else subscribers), (node, topic.name)


def test_every_environment_variable_that_the_code_names_is_explained() -> None:
    assert environment.read() == set(environment.KNOWN)


def test_exit_codes_are_those_of_the_code() -> None:
    assert re.findall(r"^\| (\d) \|", PAGES["exit_codes.md"], re.MULTILINE) == list("0123") + list("0124")


def test_message_with_a_line_that_is_not_understood_is_refused() -> None:
    with pytest.raises(ValueError, match="'no field at all' is no field"):
        wires.read_message("# what\n\nint8 a  # one\nno field at all\n")


def test_comment_that_goes_on_belongs_to_its_field() -> None:
    message = wires.read_message("# what\n# it is\n\nuint8 A=1  # first\nuint8 b    # one\n           # and more\n")
    assert (message.purpose, message.constants, message.fields) == (
        "what it is",
        [["uint8", "A", "1", "first"]],
        [["uint8", "b", "one and more"]],
    )
