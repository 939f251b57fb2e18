"""Policy files that somebody wrote on purpose, with digests that fit: refused in a sentence, or harmless."""

from __future__ import annotations

import contextlib
import copy
import dataclasses
import json
import math
import os
import sys
import tracemalloc
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from policies import SPECIFICATION
from sac_control.errors import PolicyFileError
from sac_control.policy.controller import Controller
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.policy_header import MAX_HEADER_BYTES
from sac_control.types import JointState, specification_hash
from test_policy_file import DATA, FILE, Header, Tensors, edited, header_of, with_header, with_specification

SIZE = int.from_bytes(DATA[:8], "little")  # of the header


def with_safetensors_header(header: bytes) -> bytes:
    return len(header).to_bytes(8, "little") + header + DATA[8 + SIZE :]


# one spelling alone


@pytest.mark.parametrize(
    ("words", "instead"),
    [
        ('"run": ', '"run":  '),
        ('"run": ', '"run": "other", "run": '),
        ('"env_steps": 120', '"env_steps": 120 '),
        ("\\u00fc", "\\u00FC"),
        ("{", " {"),
    ],
)
def test_header_that_says_the_same_in_other_words_is_refused(words: str, instead: str) -> None:
    """What can be written in two ways has room for something that one reader sees and another does not."""
    text = json.dumps(header_of(DATA))
    assert words in text
    rewritten = text.replace(words, instead, 1)
    assert json.loads(rewritten) == json.loads(text)
    with pytest.raises(PolicyFileError, match="header is not as this program writes it"):
        PolicyFile.from_bytes(save(load(DATA), metadata={"sac_control": rewritten}))


def test_metadata_beside_the_header_are_refused() -> None:
    metadata = {"sac_control": json.dumps(header_of(DATA)), "path": "../../etc/passwd"}
    with pytest.raises(PolicyFileError, match="header is not as this program writes it"):
        PolicyFile.from_bytes(save(load(DATA), metadata=metadata))


# sizes are looked at before anything is allocated


def assert_refused_with_little_memory(data: bytes, sentence: str) -> None:
    tracemalloc.start()
    try:
        with pytest.raises(PolicyFileError, match=sentence):
            PolicyFile.from_bytes(data)
        assert tracemalloc.get_traced_memory()[1] < 200_000
    finally:
        tracemalloc.stop()


def test_header_that_is_too_long_is_refused_before_it_costs_memory() -> None:
    """Parsed, this text of 8 MB would be four million numbers, and hold up a controller for half a second."""
    header = b"[" + b"0," * 2**22 + b"0]"
    data = len(header).to_bytes(8, "little") + header
    assert_refused_with_little_memory(data, f"the header has {len(header)} bytes, limit {MAX_HEADER_BYTES}")


@pytest.mark.parametrize("shape", [b"[1099511627776,8]", b"[0,1099511627776]", b"[18446744073709551615,2]"])
def test_tensors_that_claim_more_than_the_file_holds_are_refused_before_they_cost_memory(shape: bytes) -> None:
    header = DATA[8 : 8 + SIZE].replace(b"[5,8]", shape, 1)
    assert shape in header
    assert_refused_with_little_memory(with_safetensors_header(header), r"\w+ \w+")


def test_tensors_that_overlap_are_refused() -> None:
    header = json.loads(DATA[8 : 8 + SIZE])
    header["actor.1.bias"]["data_offsets"] = header["actor.0.bias"]["data_offsets"]
    with pytest.raises(PolicyFileError, match="not a whole safetensors file"):
        PolicyFile.from_bytes(with_safetensors_header(json.dumps(header).encode()))


# names are names: nothing is a path, a URL, or an order to a terminal

TRICKS = [
    "../../etc/passwd", "/etc/passwd", "..", ".", "", "a/b", "file:///etc/passwd", "http://x.invalid/policy.safetensors",
    "a\0b", "a\nb", "\x1b[2J", "\ud800", "\u202eevil", "x" * 129, "ü" * 65,
]  # fmt: skip


@pytest.mark.parametrize("run", [*TRICKS, None, 3, ["a"]])
def test_run_that_is_no_plain_name_is_neither_read_nor_written(run: Any) -> None:
    sentence = "^run is .*, expected a plain name of at most 128 bytes$"
    with pytest.raises(PolicyFileError, match=sentence):
        PolicyFile.from_bytes(with_header(run=run))
    with pytest.raises(PolicyFileError, match=sentence):
        dataclasses.replace(FILE, run=run).to_bytes()


@pytest.mark.parametrize("name", ["../actor.0.weight", "/etc/passwd", "actor.0.weight/../../x", "http://x.invalid/"])
def test_tensor_named_like_a_path_is_refused(name: str) -> None:
    with pytest.raises(PolicyFileError, match="^tensors are "):
        PolicyFile.from_bytes(edited(lambda _, tensors: tensors.update({name: tensors.pop("actor.0.weight")})))


def test_nothing_in_a_policy_makes_its_reader_open_anything() -> None:
    """The interpreter reports every file, socket and process that is opened."""
    events: list[str] = []
    is_watched = True

    def watch(event: str, _arguments: Any) -> None:
        if is_watched and event.startswith(("open", "os.", "socket.", "subprocess.", "shutil.", "urllib.", "ctypes.")):
            events.append(event)

    policies = [DATA, *(with_header(run=run) for run in TRICKS), *(with_header(path=run) for run in TRICKS)]
    policies += [with_specification(task=name) for name in TRICKS]
    sys.addaudithook(watch)  # stays until this process ends
    try:
        for data in policies:
            with contextlib.suppress(PolicyFileError):
                PolicyFile.from_bytes(data)
    finally:
        is_watched = False
    assert not events


# whatever it says: one sentence, or a policy that runs


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Path of everything in a JSON value but itself."""
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield (*path, key)
        yield from places(item, (*path, key))


STRANGE: list[Any] = [
    None, True, False, 0, 1, -1, 2**31, 2**63, 2**64, 10**400, -(10**400), 0.5, -0.0, 1e308, -1e308, 5e-324, math.nan,
    math.inf, "x", "x" * 40_000, [], [[]], [0.0] * 5, [[0.0] * 5] * 4, list(range(1000)), ["x"], [None], {}, {"x": 1},
    *TRICKS, SPECIFICATION.task, SPECIFICATION.joints[0], [SPECIFICATION.joints[0]] * 20,
]  # fmt: skip


PLACES = list(places(header_of(DATA)))


def assert_refused_or_runs(changes: list[tuple[tuple[Any, ...], Any]]) -> None:
    def change(header: Header, _tensors: Tensors) -> None:
        for (*way, last), value in changes:
            place: Any = header
            for key in way:
                place = place[key]
            place[last] = copy.deepcopy(value)  # what is put into it later must not be put into it everywhere
        with contextlib.suppress(TypeError, AttributeError):
            header["specification_hash"] = specification_hash(header["specification"])

    try:
        data = edited(change)
    except (KeyError, TypeError, IndexError):  # the first change removed the place of the second
        return
    one, complaint = Controller(PolicyConfig(lockstep=True)), ""
    with np.errstate(all="ignore"):
        try:
            file = PolicyFile.from_bytes(data)
            one.install(file)
        except PolicyFileError as error:
            complaint = str(error)
        else:
            one.activate()
            zero = np.zeros(2)
            action = one.answer(JointState(stamp=1, names=SPECIFICATION.joints, position=zero, velocity=zero))
            assert action is None or np.isfinite(action.command).all()
            assert file.to_bytes()
            return
    assert " " in complaint


@pytest.mark.parametrize("value", STRANGE, ids=lambda value: f"{value!r:.20}")
def test_strange_value_anywhere_is_refused_in_a_sentence_or_makes_a_policy_that_runs(value: Any) -> None:
    for place in PLACES:
        assert_refused_or_runs([(place, value)])


CHANGES = st.lists(st.tuples(st.sampled_from(PLACES), st.sampled_from(STRANGE)), min_size=2, max_size=4)


@settings(max_examples=5000 if os.environ.get("SAC_CONTROL_FAULTS") == "full" else 300)
@given(CHANGES)
def test_strange_values_together_are_refused_in_a_sentence_or_make_a_policy_that_runs(
    changes: list[tuple[tuple[Any, ...], Any]],
) -> None:
    assert_refused_or_runs(changes)
