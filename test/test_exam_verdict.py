"""What the verdict of an exam promises: it is on this policy and no other, whole, and shown before anything starts."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest
from safetensors.numpy import load, save

from policies import make_file
from sac_control.cli import info
from sac_control.cli.main import main
from sac_control.cli.options import DeploymentOptions
from sac_control.cli.plan import plan_deployment
from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy.exam_verdict import Verdict
from sac_control.policy.pieces import completed
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.sealing import signed, with_verdict
from sac_control.policy.signature import SigningKey, TrustedKeys, make_key_pair

DATA = make_file(version=5).to_bytes()
FILE = PolicyFile.from_bytes(DATA)
FORMAT_1 = Path(__file__).parent / "data" / "run_format_1" / "checkpoints" / "best" / "policy.safetensors"
KEY = "sac_control_exam"  # of the metadata


def make_verdict(file: PolicyFile = FILE, **changes: object) -> Verdict:
    verdict = Verdict(
        policy=file.digest.hex(),
        date="2026-11-26",
        task="inverted_pendulum",
        plants="inverted_pendulum",
        engines=("pybullet", "mujoco"),
        episodes=20,
        pass_mark=0.95,
        judged=40,
        passed=40,
        worst="mass ×2 in mujoco",
        worst_kept=19,
    )
    return dataclasses.replace(verdict, **changes)  # type: ignore[arg-type]


FAILED = make_verdict(passed=39, worst_kept=3)


@pytest.fixture
def keys(tmp_path: Path) -> tuple[SigningKey, TrustedKeys, Path]:
    private, public = make_key_pair(tmp_path / "keys")
    return SigningKey.read(private), TrustedKeys.read(public), tmp_path / "keys"


def metadata_of(data: bytes) -> dict[str, str]:
    size = int.from_bytes(data[:8], "little")
    metadata: dict[str, str] = json.loads(data[8 : 8 + size])["__metadata__"]
    return metadata


def with_entry(text: str, data: bytes = DATA) -> bytes:
    """The policy file with another verdict entry."""
    return save(load(data), metadata={**metadata_of(data), KEY: text})


def sealed_entry(**changes: object) -> str:
    """An entry that says something else, with a SHA-256 that fits, as a program that forges it would make it."""
    verdict = make_verdict()
    object.__setattr__(verdict, "_content", lambda: {**Verdict._content(verdict), **changes})
    return verdict.to_text()


@pytest.mark.parametrize("verdict", [make_verdict(), FAILED, make_verdict(hour=True), make_verdict(hour=False)])
def test_verdict_reads_back_and_the_policy_stays_what_it_was(
    verdict: Verdict, keys: tuple[SigningKey, TrustedKeys, Path]
) -> None:
    key, trusted, _ = keys
    data = FILE.to_bytes(key)
    file = PolicyFile.from_bytes(with_verdict(data, verdict))
    assert file.verdict == verdict
    assert file.to_bytes() == DATA
    assert file.digest == FILE.digest
    completed(trusted.check(file.digest, file.signature))


def test_later_verdict_takes_the_place_of_the_earlier_one() -> None:
    data = with_verdict(with_verdict(DATA, FAILED), make_verdict())
    assert PolicyFile.from_bytes(data).verdict == make_verdict()


def test_file_of_format_1_can_hold_a_verdict() -> None:
    file = PolicyFile.read(FORMAT_1)
    assert file.verdict is None
    verdict = make_verdict(file)
    again = PolicyFile.from_bytes(with_verdict(FORMAT_1.read_bytes(), verdict))
    assert again.verdict == verdict
    assert again.digest == file.digest


def test_exam_is_passed_if_every_plant_was_and_every_hour_that_was_tried() -> None:
    assert make_verdict().is_passed
    assert make_verdict(hour=True).is_passed
    assert not make_verdict(hour=False).is_passed
    assert not FAILED.is_passed
    assert not make_verdict(judged=0, passed=0).is_passed


# what is refused


def test_verdict_on_another_policy_is_refused() -> None:
    other = make_file(seed=9, version=6).to_bytes()
    entry = metadata_of(with_verdict(DATA, make_verdict()))[KEY]
    with pytest.raises(
        PolicyFileError, match="verdict of an exam in the policy file is on another policy: it was moved"
    ):
        PolicyFile.from_bytes(with_entry(entry, other))
    with pytest.raises(PolicyFileError, match="on another policy"):
        with_verdict(other, make_verdict())


def test_verdict_in_which_any_letter_was_changed_is_refused() -> None:
    entry = make_verdict().to_text()
    for place, letter in enumerate(entry):
        changed = entry[:place] + ("1" if letter != "1" else "2") + entry[place + 1 :]
        with pytest.raises(PolicyFileError):
            Verdict.from_text(changed, FILE.digest)


@pytest.mark.parametrize(
    "changes",
    [
        {"passed": 41},
        {"worst_kept": 21},
        {"judged": True},
        {"judged": -1},
        {"episodes": 2.0},
        {"pass_mark": 1},
        {"pass_mark": 2.0},
        {"pass_mark": float("nan")},
        {"hour": 1},
        {"date": "yesterday"},
        {"task": "\x1b[2J"},
        {"task": ""},
        {"plants": 5},
        {"worst": "x" * 1000},
        {"engines": []},
        {"engines": "pybullet"},
        {"engines": ["a\n"]},
        {"engines": ["e"] * 100},
        {"policy": "0" * 63},
        {"unknown": 1},
    ],
    ids=str,
)
def test_strange_verdict_is_refused_though_its_digest_fits(changes: dict[str, object]) -> None:
    with pytest.raises(
        PolicyFileError, match="the verdict of its exam was edited or damaged: copy the policy file again"
    ):
        Verdict.from_text(sealed_entry(**changes), FILE.digest)


def test_forged_entry_that_changes_nothing_would_be_read() -> None:
    assert Verdict.from_text(sealed_entry(), FILE.digest) == make_verdict()


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "null", "1", "not JSON", " " + make_verdict().to_text(), "[" * 5000, '"' + "x" * 9000 + '"'],
)
def test_entry_that_is_no_verdict_is_refused(text: str) -> None:
    with pytest.raises(PolicyFileError, match="edited or damaged"):
        PolicyFile.from_bytes(with_entry(text))


# signatures


def test_signature_counts_for_this_verdict_alone(keys: tuple[SigningKey, TrustedKeys, Path]) -> None:
    key, trusted, _ = keys
    good = PolicyFile.from_bytes(with_verdict(DATA, make_verdict(), key)).verdict
    assert good is not None
    assert good.is_signed_by(trusted)
    assert not dataclasses.replace(good, worst_kept=20).is_signed_by(trusted)
    assert not make_verdict().is_signed_by(trusted)


def test_signature_of_the_policy_is_none_of_its_verdict(keys: tuple[SigningKey, TrustedKeys, Path]) -> None:
    key, trusted, _ = keys
    policy = PolicyFile.from_bytes(signed(DATA, key))
    for digest in (policy.digest, make_verdict()._digest()):
        assert not dataclasses.replace(make_verdict(), signature=key.sign(digest)).is_signed_by(trusted)


# what carries it


def test_export_keeps_the_verdict_and_signs_it_with_the_policy(
    tmp_path: Path, keys: tuple[SigningKey, TrustedKeys, Path]
) -> None:
    _, trusted, directory = keys
    source, plain, sealed = (tmp_path / name for name in ("policy", "plain", "sealed"))
    source.write_bytes(with_verdict(DATA, make_verdict()))
    assert main(["export", str(source), str(plain)]) == 0
    assert plain.read_bytes() == source.read_bytes()
    assert main(["export", str(source), str(sealed), "--sign", str(directory / "policy_signing.key")]) == 0
    file = PolicyFile.read(sealed)
    completed(trusted.check(file.digest, file.signature))
    assert file.verdict == make_verdict()
    assert file.verdict.is_signed_by(trusted)


def test_info_tells_the_verdict(tmp_path: Path) -> None:
    path = tmp_path / "policy.safetensors"
    path.write_bytes(DATA)
    assert info.describe(str(path), tmp_path)["exam"] == {"held": False}
    path.write_bytes(with_verdict(DATA, FAILED))
    content = info.describe(str(path), tmp_path)
    assert content["exam"]["is_passed"] is False
    assert content["exam"]["passed"] == 39
    json.dumps(content)
    assert "mass ×2 in mujoco" in info.as_text(content)


# deploy


def deployment(path: Path, data: bytes, **options: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    path.write_bytes(data)
    plan = plan_deployment(DeploymentOptions(policy=str(path), **options))  # type: ignore[arg-type]
    return plan.notes, plan.warnings


def test_deploy_says_that_an_exam_was_passed(tmp_path: Path) -> None:
    data = with_verdict(DATA, make_verdict())
    notes, warnings = deployment(tmp_path / "p", data, require_exam=True)
    assert notes == (
        "the policy passed its exam: 40 of 40 plants of inverted_pendulum, in pybullet and mujoco together "
        "(2026-11-26; 20 episodes each, worst: mass ×2 in mujoco, 19 kept)",
    )
    assert not warnings


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (DATA, "the policy was never examined: sac_control exam tells how it does on other plants"),
        (with_verdict(DATA, FAILED), "the policy failed its exam: 39 of 40 plants"),
    ],
    ids=["none", "failed"],
)
def test_deploy_warns_without_a_passed_exam_and_refuses_where_one_is_required(
    tmp_path: Path, data: bytes, sentence: str, capsys: pytest.CaptureFixture[str]
) -> None:
    notes, (warning,) = deployment(tmp_path / "p", data)
    assert not notes
    assert warning.startswith(sentence)
    assert main(["deploy", str(tmp_path / "p"), "--require-exam"]) == 2
    error = capsys.readouterr().err
    assert error.startswith(f"error: {sentence}")
    assert "--require-exam lets only a policy run that passed one" in error


def test_where_signatures_are_required_only_a_signed_verdict_counts(
    tmp_path: Path, keys: tuple[SigningKey, TrustedKeys, Path]
) -> None:
    key, _, directory = keys
    settings = ["policy.require_signature=true", f"policy.trusted_keys={directory / 'policy_signing.pub'}"]
    unsigned = with_verdict(signed(DATA, key), make_verdict())
    notes, (warning,) = deployment(tmp_path / "p", unsigned, settings=settings)
    assert not notes
    assert "is not signed by a trusted key and counts as none" in warning
    with pytest.raises(ConfigError, match="counts as none.*--require-exam lets"):
        deployment(tmp_path / "p", unsigned, settings=settings, require_exam=True)
    (note,), warnings = deployment(tmp_path / "p", signed(unsigned, key), settings=settings, require_exam=True)
    assert note.startswith("the policy passed its exam")
    assert not warnings
