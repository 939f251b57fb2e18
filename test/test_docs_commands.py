"""Every command of README and docs is one that would be taken: judged by doc_commands.py, and not run.

test_your_robot_guide.py and test_hardware_guide.py follow two of the pages to the letter.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from doc_commands import check, check_setting, commands_in, options_of_the_command
from doc_pages import PAGES, ROOT, read
from reference_generator.commands import LAUNCH_FILES
from reference_generator.settings import NODES
from sac_control.cli.main import VERBS, parse
from sac_control.errors import ConfigError

SHELL_BLOCKS = ("bash", "console", "sh")
PROGRAMS = r"(?:\.venv/bin/)?(?:sac_control|ros2|make|colcon|rosdep|pip|sudo|python3?)"
FOREIGN = {"--show-args", "--ros-args", "--params-file", "--symlink-install", "--system-site-packages"}
NODE = "|".join(NODES)
by_page = pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)


def shell_lines(path: Path) -> list[list[str]]:
    """Words of each command in a block for a shell."""
    page = read(path)
    return [words for language in SHELL_BLOCKS for block in page.of(language) for words in commands_in(block)]


def inline(path: Path) -> list[str]:
    """Commands between backticks; of one that is left open, what stands before. No sentences that begin so."""
    found = [each for each in read(path).inline() if re.match(rf"{PROGRAMS} +[^:]", each)]
    return [each.partition("…")[0].strip() for each in found if not re.search(r"[,:](\s|$)", each)]


def test_pages_have_commands() -> None:
    assert len([words for path in PAGES for words in shell_lines(path)]) > 80


@by_page
def test_each_command_in_a_block_would_be_taken(path: Path) -> None:
    for words in shell_lines(path):
        try:
            check(list(words))
        except (AssertionError, ConfigError, KeyError, SystemExit) as error:
            pytest.fail(f"{shlex.join(words)}: {error!r}")


@by_page
def test_no_command_hides_in_a_block_without_a_language(path: Path) -> None:
    for language in ("", "text"):
        for block in read(path).of(language):
            assert not re.findall(rf"^{PROGRAMS} .*", block, re.MULTILINE), "mark it as bash"
            for line in re.findall(rf"^(?:\$ |  ){PROGRAMS} .*", block, re.MULTILINE):  # what is printed, or typed
                for words in commands_in(line.strip("$ ")):
                    check(words)


@by_page
def test_each_command_between_backticks_is_known(path: Path) -> None:
    for text in inline(path):
        words = shlex.split(text)
        if words[:3] == ["ros2", "run", "sac_control"]:
            words = words[3:]
        program = words[0].removeprefix(".venv/bin/")
        if program == "sac_control":
            check_verb(words[1:])
        elif program == "make" or len(words) > 2:
            check(words)


def check_verb(words: list[str]) -> None:
    """A verb with known options; what must be given may be missing."""
    if words and words[0] not in {verb.name for verb in VERBS}:
        assert words[0] in ("VERB", "--help"), words
        return
    known = options_of_the_command() | {"--help"}
    assert {each for each in words if each.startswith("--")} <= known, words
    if len(words) > 1 and "--help" not in words:
        words = ["1" if each in ("N", "SEED") else each for each in words]
        for more in ([], ["X"], ["X", "Y"]):
            try:
                parse([*words, *more])
            except SystemExit:
                continue
            return
        pytest.fail(f"not taken: {words}")


@by_page
def test_each_option_launch_argument_and_setting_between_backticks_exists(path: Path) -> None:
    arguments = {each.name for file in LAUNCH_FILES.values() for each in file}
    parameters = {name for node in NODES.values() for name in node.types()}
    for text in read(path).inline():
        if option := re.match(r"(--[a-z][a-z-]+)(?![\w.-]*:)", text):
            assert option[1] in options_of_the_command() | FOREIGN | foreign(path), text
        elif argument := re.match(r"([a-z_]+):=", text):
            assert argument[1] in arguments | parameters, text
        elif re.fullmatch(rf"({NODE})\.[a-z_0-9]+(=.*)?", text) and not re.search(r"\.(py|safetensors)$", text):
            check_setting(text)


def foreign(path: Path) -> set[str]:
    """Options of other programs, in a table that says what takes their place here."""
    cells = [row[0] for head, row in read(path).tables() if head.startswith("a lean SAC with a command line")]
    return {option for cell in cells for option in re.findall(r"--[a-z-]+", cell)}


@by_page
def test_files_of_the_package_that_are_named_exist(path: Path) -> None:
    for name in re.findall(r"(?<![\w/])(?:config|launch|docs|test|sac_control)/[\w/]+\.\w+", path.read_text()):
        assert (ROOT / name).exists(), name


@pytest.mark.parametrize(
    "wrong",
    [
        "sac_control trian",
        "sac_control train --sed 3",
        "sac_control train --set learner.batch_sise=3",
        "sac_control train --set learner.batch_size=-3",
        "sac_control train --task inverted_pendulm",
        "sac_control train --config config/no.yaml",
        "ros2 launch sac_control train.launch.py rnu:=first",
        "ros2 launch sac_control view.launch.py robots:=a",
        "ros2 launch sac_control no.launch.py",
        "ros2 run sac_control simulater",
        "ros2 run sac_control simulator --ros-args -p mod:=realtime",
        "ros2 topic echo policy/statuses",
        "ros2 service call policy/arm std_srvs/srv/SetBool",
        "ros2 param set /policy seed 3",
        "make tests",
        'make train ARGS="--sed 3"',
        "rqt_plot /training/learner/status/mean_retrun",
        "pip install no-such-thing",
        "frobnicate",
    ],
)
def test_command_that_would_be_refused_is_found_out(wrong: str) -> None:
    (words,) = commands_in(wrong)
    with pytest.raises((AssertionError, ConfigError, KeyError, SystemExit)):
        check(words)
