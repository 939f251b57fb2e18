"""A policy as an ONNX model: the same actions in another program, and all that names it."""

from __future__ import annotations

import dataclasses
import importlib.util
import json
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from policies import make_file
from sac_control.cli.main import main
from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy import onnx_model
from sac_control.policy.onnx_model import METADATA_KEY, to_onnx
from sac_control.policy.policy import Policy
from sac_control.policy.policy_file import PolicyFile
from sac_control.types import DISTRIBUTIONS, Float32Array, Specification


def observations(file: PolicyFile, count: int) -> Float32Array:
    """(count, o) float32: within four deviations of the mean."""
    unit = np.random.default_rng(1).uniform(-4.0, 4.0, (count, len(file.specification.observation)))
    return np.asarray(file.actor.observation_mean + unit * file.actor.observation_std, np.float32)


def session(data: bytes) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    return onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])


def overflowing(file: PolicyFile) -> PolicyFile:
    """`file`, whose sums are infinite, and their differences no numbers."""
    layers = tuple((np.copysign(np.float32(1e38), weight), bias) for weight, bias in file.actor.layers)
    return dataclasses.replace(file, actor=dataclasses.replace(file.actor, layers=layers))


def moderate(file: PolicyFile) -> PolicyFile:
    """Its actions are not all at ±1, where any two policies agree."""
    without_squashing = dataclasses.replace(file, actor=dataclasses.replace(file.actor, distribution="gaussian"))
    policy = Policy(without_squashing.actor)
    u = np.array([policy.act(each) for each in observations(file, 200)])
    *hidden, (weight, bias) = file.actor.layers
    layers = (*hidden, (weight * np.float32(0.7 / float(u.std())), np.zeros_like(bias)))
    return dataclasses.replace(file, actor=dataclasses.replace(file.actor, layers=layers))


@pytest.mark.parametrize("distribution", DISTRIBUTIONS)
def test_model_and_policy_agree_on_ten_thousand_observations(distribution: str) -> None:
    file = moderate(make_file(hidden=64, distribution=distribution))
    seen = observations(file, 10_000)
    action, command = session(to_onnx(file.to_bytes())).run(["action", "command"], {"observation": seen})
    policy = Policy(file.actor)
    expected = np.array([policy.act(each) for each in seen])
    assert np.abs(expected).std() > 0.1
    assert np.abs(action - expected).max() <= 1e-5 * max(1.0, np.abs(expected).max())
    limit = np.array(file.specification.command_limit, np.float32)
    np.testing.assert_allclose(command, np.clip(expected, -1.0, 1.0) * limit, rtol=0, atol=1e-5 * limit.max())


def test_model_takes_one_observation_or_many_of_several_joints() -> None:
    specification = Specification(
        task="arm",
        joints=("a", "b"),
        actuated_joints=("a", "b"),
        observation=("position(a)", "velocity(a)", "sin(b)"),
        command_limit=(2.0, 30.0),
        control_period=0.01,
    )
    file = moderate(make_file(specification=specification))
    model = session(to_onnx(file.to_bytes()))
    many = observations(file, 5)
    action, command = model.run(["action", "command"], {"observation": many})
    assert action.shape == command.shape == (5, 2)
    np.testing.assert_allclose(command, action * np.array([2.0, 30.0], np.float32), rtol=1e-6)
    one = model.run(["action"], {"observation": many[:1]})[0]
    np.testing.assert_allclose(one, action[:1], atol=1e-6)


def test_model_says_whose_it_is_what_it_sees_and_what_it_did_at_its_probes() -> None:
    file = make_file(version=7, run="mine")
    data = file.to_bytes()
    model = session(to_onnx(data))
    header = json.loads(model.get_modelmeta().custom_metadata_map[METADATA_KEY])
    assert Specification.from_mapping(header["specification"]) == file.specification
    assert (header["run"], header["policy_version"], header["run_id"]) == ("mine", 7, file.run_id)
    assert header["sha256"] == PolicyFile.from_bytes(data).digest.hex()
    probes = np.array(header["probe_observations"], np.float32)
    np.testing.assert_allclose(
        model.run(["action"], {"observation": probes})[0], header["probe_actions"], rtol=0, atol=1e-5
    )


def test_model_that_would_not_give_the_actions_of_its_probes_is_not_exported(monkeypatch: pytest.MonkeyPatch) -> None:
    made = onnx_model._model

    def turned(file: PolicyFile, header: dict[str, object]) -> onnx.ModelProto:
        model = made(file, header)
        next(node for node in model.graph.node if node.op_type == "Tanh").op_type = "Sin"
        return model

    monkeypatch.setattr(onnx_model, "_model", turned)
    with pytest.raises(PolicyFileError, match="it is not exported, keep to --format safetensors"):
        to_onnx(make_file().to_bytes())


@pytest.mark.parametrize("format_", ["onnx", "safetensors"])
def test_policy_whose_probes_are_not_finite_is_not_exported_and_nothing_is_written(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], format_: str
) -> None:
    source, target = tmp_path / "policy.safetensors", tmp_path / f"out.{format_}"
    with np.errstate(all="ignore"):
        source.write_bytes(overflowing(make_file()).to_bytes())
    assert main(["export", str(source), str(target), "--format", format_]) == 1
    error = capsys.readouterr().err
    assert error.startswith(f"error: {source}: the actions recorded for its probes are not finite")
    assert error.count("\n") == 1
    assert not target.exists()


def test_command_writes_a_model_and_keeps_what_is_there(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    source, target = tmp_path / "policy.safetensors", tmp_path / "policy.onnx"
    source.write_bytes(make_file().to_bytes())
    assert main(["export", str(source), str(target), "--format", "onnx"]) == 0
    assert capsys.readouterr().out == f"{target}\n"
    written = target.read_bytes()
    assert session(written).get_inputs()[0].shape == ["batch", 5]
    assert main(["export", str(source), str(target), "--format", "onnx"]) == 2
    assert target.read_bytes() == written


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["policy.onnx"], "give --format onnx, or another name"),
        (["policy.safetensors", "--format", "onnx"], "a name that ends with .onnx"),
        (["policy.onnx", "--format", "onnx", "--sign", "key"], "an ONNX model is not signed: leave --sign out"),
    ],
)
def test_name_or_key_that_does_not_fit_the_format_is_refused(
    capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert main(["export", "run", *arguments]) == 2
    assert complaint in capsys.readouterr().err


def test_without_onnx_one_sentence_says_how_to_install_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(ConfigError, match=f"^--format onnx needs onnx, .*: {sys.executable} -m pip install onnx$"):
        to_onnx(make_file().to_bytes())
