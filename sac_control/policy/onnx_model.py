"""A policy as an ONNX model, for programs that know nothing of sac_control. Written only, never read.

The graph is all that lies between an observation and a command: normalisation, network, squashing, scaling.

    observation  (batch, o) float32, the terms of the specification, before normalisation
    action       (batch, a) float32, of u = μ: what `Policy.act` gives without noise
    command      (batch, a) float32 [unit of the interface], that action clipped to [-1, 1], times the command limit

The header of the policy file, with specification, run, digest and probes, is metadata of the model, `METADATA_KEY`.
What is not in a model: arming, watchdog, envelope, limits of rate. A program that runs it on a robot brings its own.

This is the only file that needs the package onnx, an extra: ``pip install 'sac_control[onnx]'``.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from typing import Any

import numpy as np

from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy.pieces import completed
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.policy_header import read_metadata
from sac_control.types import Float32Array

METADATA_KEY = "sac_control"
OPSET, IR_VERSION = 17, 8  # of 2022: runtimes on robots are seldom new, and nothing newer is needed
TOLERANCE = 1e-5  # between the model and the policy, at each probe; of an action beyond 1, its share


def check_onnx() -> None:
    """See that the package is there.

    Raises:
        ConfigError: it is not; says how to install it.
    """
    if importlib.util.find_spec("onnx") is None:
        raise ConfigError(f"--format onnx needs onnx, which is not installed: {sys.executable} -m pip install onnx")


def to_onnx(data: bytes) -> bytes:
    """The ONNX model of a policy file's content; its probes are compared with the policy's before it is returned.

    Raises:
        ConfigError: onnx is not installed.
        PolicyFileError: it is no policy file, or the model does not give the actions recorded for its probes.
    """
    check_onnx()
    import onnx

    file, header = PolicyFile.from_bytes(data), dict(completed(read_metadata(data)).header)
    model = _model(file, header)
    onnx.checker.check_model(model, full_check=True)
    _check_probes(model, header)
    return bytes(model.SerializeToString())


def _model(file: PolicyFile, header: dict[str, Any]) -> Any:
    from onnx import TensorProto, helper, numpy_helper

    actor, specification = file.actor, file.specification
    size = len(specification.actuated_joints)
    constants: dict[str, Float32Array] = {
        "observation_mean": actor.observation_mean,
        "inverse_std": (1.0 / actor.observation_std).astype(np.float32),
        "lowest": np.array(-1.0, np.float32),
        "highest": np.array(1.0, np.float32),
        "command_limit": np.array(specification.command_limit, np.float32),
    }
    nodes = [
        helper.make_node("Sub", ["observation", "observation_mean"], ["centred"]),
        helper.make_node("Mul", ["centred", "inverse_std"], ["x0"]),
    ]
    last = len(actor.layers) - 1
    for k, (weight, bias) in enumerate(actor.layers):
        kept = slice(size) if k == last else slice(None)  # the rest of the last layer is about log σ
        constants[f"weight{k}"], constants[f"bias{k}"] = weight[:, kept], bias[kept]
        nodes.append(helper.make_node("Gemm", [f"x{k}", f"weight{k}", f"bias{k}"], [f"y{k}"]))
        if k < last:
            nodes.append(helper.make_node("Relu", [f"y{k}"], [f"x{k + 1}"]))
    squashing = {"squashed_gaussian": "Tanh", "gaussian": "Identity"}[actor.distribution]
    nodes += [
        helper.make_node(squashing, [f"y{last}"], ["action"]),
        helper.make_node("Clip", ["action", "lowest", "highest"], ["clipped"]),
        helper.make_node("Mul", ["clipped", "command_limit"], ["command"]),
    ]

    def batch(name: str, width: int) -> Any:
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", width])

    graph = helper.make_graph(
        nodes,
        "policy",
        [batch("observation", len(specification.observation))],
        [batch("action", size), batch("command", size)],
        [numpy_helper.from_array(np.ascontiguousarray(array), name) for name, array in constants.items()],
    )
    model = helper.make_model(
        graph,
        opset_imports=[helper.make_opsetid("", OPSET)],
        ir_version=IR_VERSION,
        producer_name="sac_control",
        doc_string=f"policy of run {file.run}, version {file.policy_version}, task {specification.task}",
    )
    helper.set_model_props(model, {METADATA_KEY: json.dumps(header)})
    return model


def _check_probes(model: Any, header: dict[str, Any]) -> None:
    from onnx.reference import ReferenceEvaluator

    probes = np.asarray(header["probe_observations"], np.float32)
    expected = np.asarray(header["probe_actions"], np.float32)
    action, command = map(np.asarray, ReferenceEvaluator(model).run(None, {"observation": probes}))
    is_close = np.abs(action - expected) <= TOLERANCE * np.maximum(np.abs(expected), 1.0)
    if not (is_close.all() and np.isfinite(command).all()):
        raise PolicyFileError(
            f"as an ONNX model the policy gives {action.tolist()!s:.200} for its probes, recorded are "
            f"{expected.tolist()!s:.200}: it is not exported, keep to --format safetensors"
        )
