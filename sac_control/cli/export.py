"""The verb export: the policy of a run in one file, for another computer or for another program."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sac_control.cli.choice import choice
from sac_control.cli.named import find_policy
from sac_control.cli.options import OfRuns
from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy.onnx_model import check_onnx, to_onnx
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.sealing import signed
from sac_control.policy.signature import SigningKey
from sac_control.store import atomic

FORMATS = ("safetensors", "onnx")


@dataclass(frozen=True, kw_only=True)
class ExportOptions(OfRuns):
    """What people choose to be written into one file."""

    policy: str = choice("name or directory of a run, or a policy file", metavar="RUN", is_positional=True)
    file: Path = choice("where to write it", metavar="FILE", is_positional=True)
    format: str = choice(
        "safetensors, which sac_control runs, or onnx, for other programs", default=FORMATS[0], choices=FORMATS
    )
    sign: Path | None = choice("sign it with the private key in this file", default=None, metavar="KEY")
    overwrite: bool = choice("replace FILE", default=False)

    def __post_init__(self) -> None:
        if self.format not in FORMATS:
            raise ConfigError(f"--format is {self.format!r}: expected one of {', '.join(FORMATS)}")
        if self.format == "onnx" and self.sign:
            raise ConfigError("an ONNX model is not signed: leave --sign out, or keep to --format safetensors")
        if self.format == "onnx" and self.file.suffix == ".safetensors":
            raise ConfigError(f"{self.file} would hold an ONNX model: give it a name that ends with .onnx")
        if self.format != "onnx" and self.file.suffix == ".onnx":
            raise ConfigError(f"{self.file} would hold no ONNX model: give --format onnx, or another name")


def export(options: ExportOptions) -> int:
    """Write the policy; returns the exit code, 0.

    Raises:
        ConfigError: the file exists already or cannot be written, the key is refused, or onnx is not installed.
        RunError: there is no such run, or it has no policy yet.
        PolicyFileError: the policy file is damaged, not one, or its probes' actions are not finite.
    """
    if options.format == "onnx":
        check_onnx()
    path, _ = find_policy(options.policy, options.runs_dir)
    key = SigningKey.read(options.sign) if options.sign else None
    if options.file.exists() and not options.overwrite:
        raise ConfigError(f"{options.file} exists already: choose another name, or give --overwrite")
    PolicyFile.read(path)
    data = path.read_bytes()
    if options.format == "onnx":
        try:
            data = to_onnx(data)
        except PolicyFileError as error:
            raise PolicyFileError(f"{path}: {error}") from error
    elif key:
        data = signed(data, key)
    try:
        atomic.write_bytes(options.file, data)
    except OSError as error:
        raise ConfigError(f"cannot write {options.file}: {error.strerror}") from error
    print(options.file)
    return 0
