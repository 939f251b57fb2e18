"""What `policy.safetensors` promises: a file that reads without an error is the policy that was written."""

from __future__ import annotations

import dataclasses
import itertools
import json
import math
import os
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors.numpy import load, save

from policies import SPECIFICATION, make_file
from sac_control.errors import PolicyFileError
from sac_control.policy import policy_file
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import MAX_BYTES, PROBE_COUNT, PROBE_TOLERANCE, PolicyFile
from sac_control.types import ActorParameters, specification_hash

FILE = make_file(seed=7, version=12, run="über")
DATA = FILE.to_bytes()
OBSERVATIONS = np.random.default_rng(0).normal(0.0, 3.0, (20, 5)).astype(np.float32)

Header = dict[str, Any]
Tensors = dict[str, Any]


def header_of(data: bytes) -> Header:
    size = int.from_bytes(data[:8], "little")
    header: Header = json.loads(json.loads(data[8 : 8 + size])["__metadata__"]["sac_control"])
    return header


def edited(change: Callable[[Header, Tensors], object], *, sealed: bool = True) -> bytes:
    """The content of FILE after `change`; `sealed` makes its digest fit, as a program that writes such files would."""
    header, tensors = header_of(DATA), load(DATA)
    change(header, tensors)
    if sealed and "sha256" in header:
        header["sha256"] = policy_file.content_digest(header, tensors)
    return save(tensors, metadata={"sac_control": json.dumps(header)})


def with_header(*, sealed: bool = True, **changes: Any) -> bytes:
    """The content of FILE with other values in its header."""
    return edited(lambda header, _: header.update(changes), sealed=sealed)


def with_specification(**changes: object) -> bytes:
    """The content of FILE with another specification, whose hash fits."""

    def change(header: Header, _tensors: Tensors) -> None:
        header["specification"].update(changes)
        header["specification_hash"] = specification_hash(header["specification"])

    return edited(change)


def assert_equal(got: PolicyFile, expected: PolicyFile) -> None:
    for field in dataclasses.fields(PolicyFile):
        if field.name != "actor" and field.compare:
            assert getattr(got, field.name) == getattr(expected, field.name)
    for field in dataclasses.fields(ActorParameters):
        np.testing.assert_equal(getattr(got.actor, field.name), getattr(expected.actor, field.name))


def test_what_is_written_reads_back_to_the_last_bit() -> None:
    file = PolicyFile.from_bytes(DATA)
    assert_equal(file, FILE)
    for rng in (None, 5):
        ours, theirs = (None if rng is None else np.random.default_rng(rng) for _ in range(2))
        for observation in OBSERVATIONS:
            got, expected = Policy(file.actor).act(observation, ours), Policy(FILE.actor).act(observation, theirs)
            np.testing.assert_array_equal(got, expected)


def test_same_policy_gives_the_same_bytes() -> None:
    assert make_file(seed=7, version=12, run="über").to_bytes() == DATA
    assert PolicyFile.from_bytes(DATA).to_bytes() == DATA


def test_several_joints_and_any_memory_layout_read_back() -> None:
    specification = dataclasses.replace(
        SPECIFICATION,
        actuated_joints=("slider_to_cart", "cart_to_pendulum"),
        command_limit=(100.0, 0.5),
        interface=("effort", "velocity"),
    )
    file = make_file(specification=specification)
    layers = tuple((np.asfortranarray(weight), bias) for weight, bias in file.actor.layers)
    file = dataclasses.replace(file, actor=dataclasses.replace(file.actor, layers=layers))
    assert_equal(PolicyFile.from_bytes(file.to_bytes()), file)


def test_file_is_read_from_disk(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(DATA)
    assert_equal(PolicyFile.read(path), FILE)


@pytest.mark.parametrize("value", [math.nan, math.inf])
@pytest.mark.parametrize("place", [0, 1])
def test_weight_or_bias_that_is_not_finite_is_not_written(place: int, value: float) -> None:
    *hidden, head = FILE.actor.layers
    damaged = [array.copy() for array in head]
    damaged[place].flat[-1] = value
    layers = (*hidden, (damaged[0], damaged[1]))
    file = dataclasses.replace(FILE, actor=dataclasses.replace(FILE.actor, layers=layers))
    with pytest.raises(PolicyFileError, match=r"^actor\.2\.\w+ holds a value that is not finite"):
        file.to_bytes()


# damage


def test_file_cut_off_anywhere_is_refused() -> None:
    for size in range(len(DATA)):
        with pytest.raises(PolicyFileError):
            PolicyFile.from_bytes(DATA[:size])


def test_file_with_more_behind_it_is_refused() -> None:
    with pytest.raises(PolicyFileError):
        PolicyFile.from_bytes(DATA + b"\0")


def test_any_flipped_bit_is_refused() -> None:
    bits = itertools.product(range(len(DATA)), range(8))
    assert not [each for each in bits if not is_refused(flipped(DATA, *each))]


def test_any_flipped_bit_of_a_policy_of_real_size_is_refused() -> None:
    """All bits with SAC_CONTROL_FAULTS=full; otherwise the first 256 and 1000 others."""
    data = make_file(hidden=64).to_bytes()
    bits = list(itertools.product(range(len(data)), range(8)))
    if os.environ.get("SAC_CONTROL_FAULTS") != "full":
        bits = bits[:256] + random.Random(0).sample(bits, 1000)
    assert not [each for each in bits if not is_refused(flipped(data, *each))]


def is_refused(data: bytes) -> bool:
    try:
        PolicyFile.from_bytes(data)
    except PolicyFileError:
        return True
    return False


def flipped(data: bytes, position: int, bit: int) -> bytes:
    damaged = bytearray(data)
    damaged[position] ^= 1 << bit
    return bytes(damaged)


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_bytes_replaced_by_others_are_refused(data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(DATA) - 1))
    piece = data.draw(st.binary(min_size=1, max_size=16))
    damaged = DATA[:start] + piece + DATA[start + len(piece) :]
    if damaged != DATA:
        with pytest.raises(PolicyFileError):
            PolicyFile.from_bytes(damaged)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_with_a_sentence(data: bytes) -> None:
    with pytest.raises(PolicyFileError, match=r"\w+ \w+"):
        PolicyFile.from_bytes(data)


def test_edited_header_is_refused() -> None:
    def rename(header: Header, _tensors: Tensors) -> None:
        header["run"] = "another"

    with pytest.raises(PolicyFileError, match="does not match its own sha256: it was edited or damaged"):
        PolicyFile.from_bytes(edited(rename, sealed=False))
    assert PolicyFile.from_bytes(edited(rename)).run == "another"


def test_deviation_that_no_probe_sees_cannot_be_edited() -> None:
    """Probes record mean actions: only the digest protects what decides how far samples stray."""

    def change(header: Header, tensors: Tensors) -> None:
        tensors["actor.2.bias"] = tensors["actor.2.bias"] + np.array([0.0, 0.5], np.float32)

    with pytest.raises(PolicyFileError, match="does not match its own sha256"):
        PolicyFile.from_bytes(edited(change, sealed=False))


# not a policy, or not one for us


def test_file_larger_than_any_policy_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "large.safetensors"
    with path.open("wb") as stream:
        stream.truncate(MAX_BYTES + 5)
    with pytest.raises(PolicyFileError, match=f"{path}: policy file has {MAX_BYTES + 1} bytes, limit {MAX_BYTES}"):
        PolicyFile.read(path)


@pytest.mark.parametrize("size", [0, 7, 2**31, 2**63, 2**64 - 1])
def test_header_that_claims_another_size_is_refused(size: int) -> None:
    with pytest.raises(PolicyFileError):
        PolicyFile.from_bytes(size.to_bytes(8, "little") + DATA[8:])


def test_header_as_long_as_the_file_is_refused() -> None:
    for filling in (b" ", b"[", b'{"a":'):
        header = filling * (60_000 // len(filling))
        with pytest.raises(PolicyFileError, match="not a policy of sac_control"):
            PolicyFile.from_bytes(len(header).to_bytes(8, "little") + header)


@pytest.mark.parametrize("metadata", [None, {}, {"format": "pt"}, {"sac_control": "none"}, {"sac_control": ""}])
def test_safetensors_of_somebody_else_are_refused(metadata: dict[str, str] | None) -> None:
    with pytest.raises(PolicyFileError, match="a safetensors file or other data, but not a policy of sac_control"):
        PolicyFile.from_bytes(save(load(DATA), metadata=metadata))


@pytest.mark.parametrize("header", [[], 3, None, "text"])
def test_header_that_is_no_object_is_refused(header: object) -> None:
    with pytest.raises(PolicyFileError, match="header is not an object"):
        PolicyFile.from_bytes(save(load(DATA), metadata={"sac_control": json.dumps(header)}))


@pytest.mark.parametrize("key", sorted(header_of(DATA)))
def test_header_that_lacks_something_is_refused_and_names_it(key: str) -> None:
    with pytest.raises(PolicyFileError, match=f"header is incomplete or malformed.*'{key}'"):
        PolicyFile.from_bytes(edited(lambda header, _: header.pop(key)))


@pytest.mark.parametrize("key", sorted(header_of(DATA)))
def test_header_with_a_value_of_another_kind_is_refused(key: str) -> None:
    values: list[Any] = [None, -1, 1e400, "text", [], {}, [[[]]], [1, "a"], {"a": 1}]
    allowed: dict[str, Any] = {"run": "text", "sde_sample_interval": -1, "region": None}
    for value in values:
        if key in allowed and value == allowed[key]:
            continue
        with pytest.raises(PolicyFileError):
            PolicyFile.from_bytes(with_header(sealed=key != "sha256", **{key: value}))


def test_other_format_version_is_refused_and_both_are_named() -> None:
    with pytest.raises(PolicyFileError, match="policy file has format version 3, this program reads 1 to 2"):
        PolicyFile.from_bytes(with_header(format_version=3))


def test_other_activation_is_refused_and_both_are_named() -> None:
    with pytest.raises(PolicyFileError, match="activation is 'tanh', expected 'relu'"):
        PolicyFile.from_bytes(with_header(activation="tanh"))


@pytest.mark.parametrize("distribution", ["beta", "", None, ["gaussian"], 1])
def test_other_distribution_is_refused_and_those_known_are_named(distribution: Any) -> None:
    with pytest.raises(PolicyFileError, match=r"^distribution is .*, expected one of squashed_gaussian, gaussian$"):
        PolicyFile.from_bytes(with_header(distribution=distribution))


def test_gaussian_travels_with_actions_beyond_one_and_its_probes_hold() -> None:
    file = make_file(seed=7, distribution="gaussian")
    data = file.to_bytes()
    assert_equal(PolicyFile.from_bytes(data), file)
    header = header_of(data)
    assert (header["format_version"], header["distribution"]) == (2, "gaussian")
    policy = Policy(file.actor)
    for observation, action in zip(header["probe_observations"], header["probe_actions"], strict=True):
        np.testing.assert_array_equal(policy.act(np.array(observation, np.float32)), np.array(action, np.float32))
    assert np.abs(header["probe_actions"]).max() > 1.0


def test_squashed_policy_that_is_called_gaussian_is_refused_by_its_probes() -> None:
    with pytest.raises(PolicyFileError, match="does not produce the actions recorded for its probes"):
        PolicyFile.from_bytes(with_header(distribution="gaussian"))


def test_probe_of_a_large_action_may_be_rounded_in_its_last_digits_and_no_more() -> None:
    file = make_file(seed=7, distribution="gaussian")
    *hidden, (weight, bias) = file.actor.layers
    layers = (*hidden, (np.float32(1e4) * weight, bias))
    data = dataclasses.replace(file, actor=dataclasses.replace(file.actor, layers=layers)).to_bytes()
    for share, is_good in ((0.5 * PROBE_TOLERANCE, True), (2.0 * PROBE_TOLERANCE, False)):
        header, tensors = header_of(data), load(data)
        header["probe_actions"] = [[(1.0 + share) * value for value in each] for each in header["probe_actions"]]
        header["sha256"] = policy_file.content_digest(header, tensors)
        rewritten = save(tensors, metadata={"sac_control": json.dumps(header)})
        assert is_refused(rewritten) is not is_good


def test_specification_that_does_not_match_its_hash_is_refused() -> None:
    with pytest.raises(PolicyFileError, match="the specification does not match its hash"):
        PolicyFile.from_bytes(edited(lambda header, _: header["specification"].update(command_limit=[1000.0])))


@pytest.mark.parametrize(
    ("change", "complaint"),
    [
        ({"command_limit": [math.nan]}, r"command_limit is \(nan,\)"),
        ({"command_limit": [math.inf]}, r"command_limit is \(inf,\)"),
        ({"command_limit": [-1.0]}, r"command_limit is \(-1.0,\)"),
        ({"command_limit": [1.0, 1.0]}, "expected a positive number for each of the 1 actuated joints"),
        ({"command_limit": []}, "expected a positive number for each of the 1 actuated joints"),
        ({"control_period": 0.0}, "control_period is 0.0"),
        ({"control_period": math.nan}, "control_period is nan"),
        ({"interface": ["power"]}, r"interface is \('power',\), expected one of effort, velocity, position"),
        ({"interface": ["effort", "effort"]}, "for each of the 1 actuated joints"),
        ({"input": "camera"}, "input is 'camera', expected one of joint_states, observation"),
        ({"observation": ["tan(slider_to_cart)"] * 5}, r"'tan\(slider_to_cart\)', column 1: got the function 'tan'"),
        ({"observation": ["(" * 5000] * 5}, "got 5000 characters, expected at most 2048"),
        ({"observation": ["(" * 100] * 5}, "expected at most 24 parentheses"),
        ({"observation": ["action(cart_to_pendulum)"] * 5}, "got the name 'cart_to_pendulum', expected a driven joint"),
        ({"observation": ["position(wheel)"] * 5}, "joint 'wheel' is missing"),
    ],
)
def test_specification_that_nothing_could_run_is_refused(change: dict[str, object], complaint: str) -> None:
    with pytest.raises(PolicyFileError, match=complaint):
        PolicyFile.from_bytes(with_specification(**change))


def test_tensor_of_another_shape_is_refused_and_both_shapes_are_named() -> None:
    def widen(header: Header, tensors: Tensors) -> None:
        tensors["actor.0.weight"] = np.zeros((7, 8), np.float32)

    with pytest.raises(
        PolicyFileError, match=r"^actor\.0\.weight is \(7, 8\) float32, this policy expects \(5, 8\) float32: it was tr"
    ):
        PolicyFile.from_bytes(edited(widen))


def test_network_for_another_observation_is_refused_and_both_shapes_are_named() -> None:
    with pytest.raises(PolicyFileError, match=r"^actor\.0\.weight is \(5, 8\) float32, this policy expects \(4, 8\)"):
        PolicyFile.from_bytes(with_specification(observation=list(SPECIFICATION.observation[:4])))


@pytest.mark.parametrize("dtype", [np.float64, np.float16, np.int32, np.bool_, np.uint8])
def test_tensor_of_another_type_is_refused_and_both_types_are_named(dtype: type) -> None:
    def change(header: Header, tensors: Tensors) -> None:
        tensors["actor.1.bias"] = tensors["actor.1.bias"].astype(dtype)

    name = np.dtype(dtype).name
    with pytest.raises(PolicyFileError, match=rf"^actor\.1\.bias is \(8,\) {name}, this policy expects \(8,\) float32"):
        PolicyFile.from_bytes(edited(change))


@pytest.mark.parametrize("kind", ["BF16", "F8_E4M3", "F8_E5M2", "F99", "I4"])
def test_tensor_of_a_type_that_numpy_lacks_is_refused(kind: str) -> None:
    size = int.from_bytes(DATA[:8], "little")
    header = DATA[8 : 8 + size].replace(b'"F32"', f'"{kind}"'.encode(), 1)
    with pytest.raises(PolicyFileError):
        PolicyFile.from_bytes(len(header).to_bytes(8, "little") + header + DATA[8 + size :])


def test_tensors_that_are_missing_or_too_many_are_refused_and_named() -> None:
    with pytest.raises(PolicyFileError, match=r"tensors are \['actor.0.bias', 'actor.0.weight', .*, expected \[.*"):
        PolicyFile.from_bytes(edited(lambda _, tensors: tensors.pop("actor.2.bias")))
    with pytest.raises(PolicyFileError, match=r"tensors are \[.*'critic.0.bias'\], expected \["):
        PolicyFile.from_bytes(edited(lambda _, tensors: tensors.update({"critic.0.bias": np.zeros(1, np.float32)})))


@pytest.mark.parametrize("sizes", [[8], [8, 8, 8], [8, 0], [8, -8], [8, 8.0], [2**40, 8], "88", [True, 8]])
def test_layer_sizes_that_do_not_fit_are_refused(sizes: object) -> None:
    with pytest.raises(PolicyFileError):
        PolicyFile.from_bytes(with_header(hidden_sizes=sizes))


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize("name", ["actor.0.weight", "actor.2.bias"])
def test_weight_that_is_not_finite_is_refused_and_named(name: str, value: float) -> None:
    def change(header: Header, tensors: Tensors) -> None:
        tensors[name] = tensors[name].copy()
        tensors[name].flat[-1] = value

    with pytest.raises(PolicyFileError, match=f"^{name} holds a value that is not finite: training diverged or the fi"):
        PolicyFile.from_bytes(edited(change))


@pytest.mark.parametrize("value", [math.nan, math.inf, 0.0, -1.0])
def test_deviation_that_cannot_divide_is_refused(value: float) -> None:
    def change(header: Header, _tensors: Tensors) -> None:
        header["observation_std"][3] = value

    with pytest.raises(PolicyFileError, match=r"^observation_std is \["):
        PolicyFile.from_bytes(edited(change))


@pytest.mark.parametrize("mean", [[math.nan] * 5, [0.0] * 4, [], 0.0, [[0.0] * 5]])
def test_mean_that_cannot_be_subtracted_is_refused(mean: object) -> None:
    with pytest.raises(PolicyFileError, match=r"^observation_mean is .*, expected 5 finite numbers$"):
        PolicyFile.from_bytes(with_header(observation_mean=mean))


@pytest.mark.parametrize("bounds", [[math.nan, 2.0], [-20.0, math.nan], [2.0, -20.0], [-math.inf, 0.0]])
def test_bounds_of_log_std_that_bound_nothing_are_refused(bounds: list[float]) -> None:
    with pytest.raises(PolicyFileError, match=r"^log_std_bounds are .*, expected two finite numbers in rising order$"):
        PolicyFile.from_bytes(with_header(log_std_bounds=bounds))


@pytest.mark.parametrize("correlation", [-0.1, 1.0, math.nan])
def test_noise_correlation_outside_its_range_is_refused(correlation: float) -> None:
    with pytest.raises(PolicyFileError, match=r"^noise_correlation is .*, expected a number from 0 to less than 1$"):
        PolicyFile.from_bytes(with_header(noise_correlation=correlation))


@pytest.mark.parametrize("interval", [-2, 1.0, "1", True, None])
def test_interval_of_exploration_that_is_none_is_refused(interval: Any) -> None:
    with pytest.raises(PolicyFileError, match=r"^sde_sample_interval is .*, expected a whole number from -1$"):
        PolicyFile.from_bytes(with_header(sde_sample_interval=interval))


@pytest.mark.parametrize("interval", [-1, 7])
def test_state_dependent_exploration_travels_with_the_policy(interval: int) -> None:
    actor = dataclasses.replace(FILE.actor, sde_sample_interval=interval)
    file = PolicyFile.from_bytes(dataclasses.replace(FILE, actor=actor).to_bytes())
    assert file.actor.sde_sample_interval == interval
    ours, theirs = Policy(file.actor), Policy(actor)
    first, second = np.random.default_rng(1), np.random.default_rng(1)
    for observation in OBSERVATIONS:
        np.testing.assert_array_equal(ours.act(observation, first), theirs.act(observation, second))


@pytest.mark.parametrize("version", [-1, 1.0, "1", True, None])
def test_version_that_cannot_grow_is_refused(version: Any) -> None:
    for key in ("policy_version", "env_steps"):
        with pytest.raises(PolicyFileError, match="^policy_version and env_steps are "):
            PolicyFile.from_bytes(with_header(**{key: version}))


# probes


def test_probes_hold_what_the_network_answers() -> None:
    header = header_of(DATA)
    assert len(header["probe_observations"]) == PROBE_COUNT
    policy = Policy(FILE.actor)
    for observation, action in zip(header["probe_observations"], header["probe_actions"], strict=True):
        np.testing.assert_array_equal(policy.act(np.array(observation, np.float32)), np.array(action, np.float32))


@pytest.mark.parametrize("difference", [0.01, -0.01, math.nan, 10 * PROBE_TOLERANCE])
def test_probe_that_the_network_answers_otherwise_is_refused(difference: float) -> None:
    def change(header: Header, _tensors: Tensors) -> None:
        header["probe_actions"][PROBE_COUNT - 1][0] += difference

    expected = "are not finite" if math.isnan(difference) else "does not produce the actions recorded for its probes"
    with pytest.raises(PolicyFileError, match=expected):
        PolicyFile.from_bytes(edited(change))


def test_rounding_of_another_processor_is_let_through() -> None:
    def change(header: Header, _tensors: Tensors) -> None:
        for action in header["probe_actions"]:
            action[0] += 0.5 * PROBE_TOLERANCE

    assert_equal(PolicyFile.from_bytes(edited(change)), FILE)


def test_probes_that_are_missing_or_of_another_shape_are_refused() -> None:
    values: list[Any] = [[], [[]], [[0.0] * 5] * 3, [0.0]]
    for key, value in itertools.product(["probe_observations", "probe_actions"], values):
        with pytest.raises(PolicyFileError, match="probes have shapes"):
            PolicyFile.from_bytes(with_header(**{key: value}))


def test_network_that_overflows_on_its_probes_is_refused() -> None:
    def change(header: Header, tensors: Tensors) -> None:
        for k in range(3):
            tensors[f"actor.{k}.weight"] = np.full_like(tensors[f"actor.{k}.weight"], 1e38)

    with np.errstate(over="ignore", invalid="ignore"), pytest.raises(PolicyFileError, match="recorded for its probes"):
        PolicyFile.from_bytes(edited(change))


# the disk


def test_file_that_cannot_be_read_is_refused_with_its_name(tmp_path: Path) -> None:
    missing = tmp_path / "policy.safetensors"
    with pytest.raises(PolicyFileError, match=f"^cannot read policy file {missing}: No such file or directory$"):
        PolicyFile.read(missing)
    with pytest.raises(PolicyFileError, match=f"^cannot read policy file {tmp_path}: Is a directory$"):
        PolicyFile.read(tmp_path)


def test_damaged_file_on_disk_is_refused_with_its_name(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(DATA[:-1])
    with pytest.raises(PolicyFileError, match=f"^{path}: not a whole safetensors file"):
        PolicyFile.read(path)
