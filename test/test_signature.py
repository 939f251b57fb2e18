"""What a signature promises: where it is required, nothing runs that no trusted key has signed, to the last bit."""

from __future__ import annotations

import dataclasses
import hashlib
import itertools
import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from safetensors.numpy import load, save

from policies import OTHER_RUN_ID, RUN_ID, make_file
from sac_control.cli.main import main
from sac_control.cli.options import DeploymentOptions
from sac_control.cli.plan import plan_deployment
from sac_control.errors import ConfigError, PolicyFileError
from sac_control.policy.controller import Controller
from sac_control.policy.hot_swap import HotSwap
from sac_control.policy.pieces import completed
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.policy_file import PolicyFile
from sac_control.policy.signature import DOMAIN, MOST_KEYS, SigningKey, TrustedKeys, make_key_pair
from sac_control.training.learner_config import learner_config
from sac_control.training.training_run import TrainingRun
from sac_control.types import Weights

FILE = make_file(version=5)
NO_ONE = "the policy is not signed by any of the "


@pytest.fixture
def keys(tmp_path: Path) -> tuple[Path, Path]:
    return make_key_pair(tmp_path / "keys")


@pytest.fixture
def signing(keys: tuple[Path, Path]) -> SigningKey:
    return SigningKey.read(keys[0])


@pytest.fixture
def trusted(keys: tuple[Path, Path]) -> TrustedKeys:
    return TrustedKeys.read(keys[1])


@pytest.fixture
def swap(trusted: TrustedKeys, signing: SigningKey) -> HotSwap:
    """With version 5 of the run "test" in force, signatures required."""
    swap = HotSwap("inverted_pendulum", 2**20, lambda: 0.0, trusted=trusted, accept_run_id=RUN_ID)
    swap.install(PolicyFile.from_bytes(FILE.to_bytes(signing)))
    return swap


def signed_weights(file: PolicyFile, key: SigningKey | None) -> Weights:
    return sealed(file, file.to_bytes(key))


def sealed(file: PolicyFile, data: bytes) -> Weights:
    return Weights(
        run_id=file.run_id,
        run=file.run,
        version=file.policy_version,
        env_steps=file.env_steps,
        sha256=hashlib.sha256(data).digest(),
        data=data,
    )


def verdict(swap: HotSwap, weights: Weights) -> str:
    """Of weights that must be refused."""
    before = swap.file, swap.policy
    report = swap.offer(weights)
    assert report is not None
    assert not report.accepted
    assert (swap.file, swap.policy) == before
    return report.verdict


def with_signature(data: bytes, signature: bytes) -> bytes:
    size = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + size])["__metadata__"]
    return save(load(data), metadata={**metadata, "sac_control_signature": signature.hex()})


# files


def test_signed_file_reads_back_and_its_key_is_recognised(signing: SigningKey, trusted: TrustedKeys) -> None:
    file = PolicyFile.from_bytes(FILE.to_bytes(signing))
    assert file.to_bytes() == FILE.to_bytes()
    completed(trusted.check(file.digest, file.signature))


def test_file_without_key_is_the_same_as_ever_and_has_no_signature() -> None:
    assert b"signature" not in FILE.to_bytes()
    assert PolicyFile.from_bytes(FILE.to_bytes()).signature == b""


def test_signature_is_of_the_domain_and_the_digest_that_covers_all_content(
    keys: tuple[Path, Path], signing: SigningKey
) -> None:
    """So it can be checked without this package, too."""
    file = PolicyFile.from_bytes(FILE.to_bytes(signing))
    public = serialization.load_pem_public_key(keys[1].read_bytes())
    public.verify(file.signature, DOMAIN + file.digest)  # type: ignore[call-arg, union-attr, arg-type]
    data = FILE.to_bytes()
    header = json.loads(json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])["__metadata__"]["sac_control"])
    assert file.digest.hex() == header["sha256"]


@pytest.mark.parametrize("changes", [{"policy_version": 6}, {"run": "other"}, {"env_steps": 1}])
def test_signature_of_one_policy_does_not_fit_another(
    signing: SigningKey, trusted: TrustedKeys, changes: dict[str, object]
) -> None:
    signature = PolicyFile.from_bytes(FILE.to_bytes(signing)).signature
    data = with_signature(dataclasses.replace(FILE, **changes).to_bytes(), signature)  # type: ignore[arg-type]
    forged = PolicyFile.from_bytes(data)
    with pytest.raises(PolicyFileError, match=NO_ONE):
        completed(trusted.check(forged.digest, forged.signature))


def test_signature_for_another_purpose_does_not_count(keys: tuple[Path, Path], trusted: TrustedKeys) -> None:
    key = serialization.load_pem_private_key(keys[0].read_bytes(), None)
    assert isinstance(key, Ed25519PrivateKey)
    digest = PolicyFile.from_bytes(FILE.to_bytes()).digest
    completed(trusted.check(digest, key.sign(DOMAIN + digest)))
    for message in (digest, b"another domain\n" + digest, digest.hex().encode()):
        with pytest.raises(PolicyFileError, match=NO_ONE):
            completed(trusted.check(digest, key.sign(message)))


@pytest.mark.parametrize("signature", ["", "00", "0" * 127, "0" * 129, "G" * 128, "A" * 128, 3, None, [], {}])
def test_signature_that_is_not_written_as_one_is_refused_by_everybody(signature: object) -> None:
    size = int.from_bytes(FILE.to_bytes()[:8], "little")
    header = json.loads(FILE.to_bytes()[8 : 8 + size])
    header["__metadata__"]["sac_control_signature"] = signature
    text = json.dumps(header).encode()
    data = len(text).to_bytes(8, "little") + text + FILE.to_bytes()[8 + size :]
    with pytest.raises(PolicyFileError):
        PolicyFile.from_bytes(data)


# swaps


def test_newer_weights_are_accepted_where_they_are_signed_by_any_trusted_key(
    swap: HotSwap, signing: SigningKey, keys: tuple[Path, Path], tmp_path: Path
) -> None:
    report = swap.offer(signed_weights(make_file(version=6), signing))
    assert report is not None
    assert report.verdict == "in force"
    other_private, other_public = make_key_pair(tmp_path / "other")
    both = tmp_path / "both.pub"
    both.write_bytes(b"# of the lab\n" + other_public.read_bytes() + b"\n# of the house\n" + keys[1].read_bytes())
    for key in (signing, SigningKey.read(other_private)):
        one = HotSwap("inverted_pendulum", 2**20, lambda: 0.0, trusted=TrustedKeys.read(both), accept_run_id=RUN_ID)
        report = one.offer(signed_weights(make_file(), key))
        assert report is not None
        assert report.accepted


def test_unsigned_weights_are_refused_in_one_sentence_that_says_what_to_do(swap: HotSwap) -> None:
    assert verdict(swap, signed_weights(make_file(version=6), None)) == (
        "the policy is not signed, and policy.require_signature is set: "
        "set learner.signing_key, or use sac_control export --sign"
    )


def test_weights_signed_by_somebody_else_are_refused(swap: HotSwap, tmp_path: Path) -> None:
    stranger = SigningKey.read(make_key_pair(tmp_path / "stranger")[0])
    assert verdict(swap, signed_weights(make_file(version=6), stranger)) == (
        f"{NO_ONE}1 trusted keys: somebody else made it, or it was changed afterwards"
    )


def test_any_flipped_bit_of_signed_weights_is_refused(swap: HotSwap, signing: SigningKey) -> None:
    """One of each byte of the file; each of the signature."""
    weights = signed_weights(make_file(version=6), signing)
    start = weights.data.index(b"sac_control_signature")
    bits = [(position, position % 8) for position in range(len(weights.data))]
    bits += itertools.product(range(start, start + 160), range(8))
    for position, bit in bits:
        data = bytearray(weights.data)
        data[position] ^= 1 << bit
        verdict(swap, sealed(make_file(version=6), bytes(data)))
    report = swap.offer(weights)
    assert report is not None
    assert report.accepted


def test_older_signed_version_is_refused(swap: HotSwap, signing: SigningKey) -> None:
    assert verdict(swap, signed_weights(make_file(version=4), signing)) == "version 4 is older than 5, in force"


def test_signed_policy_of_another_run_cannot_be_replayed(swap: HotSwap, signing: SigningKey) -> None:
    """It is signed and new to this node, and may be years old: on a robot only a person changes the run."""
    weights = signed_weights(make_file(version=99, run="old", run_id=OTHER_RUN_ID), signing)
    assert verdict(swap, weights) == (
        "weights are of run fedcba98, policy.accept_weights is run 01234567: weights of another run are rejected"
    )


def test_policy_from_disk_must_be_signed_too(swap: HotSwap, tmp_path: Path) -> None:
    before = swap.file
    stranger = SigningKey.read(make_key_pair(tmp_path / "stranger")[0])
    for key, sentence in ((None, "the policy is not signed, and"), (stranger, NO_ONE)):
        with pytest.raises(PolicyFileError, match=sentence):
            swap.install(PolicyFile.from_bytes(make_file(version=6).to_bytes(key)))
        assert swap.file is before
    with pytest.raises(PolicyFileError, match="the policy is not signed, and"):
        swap.install(make_file(version=6))  # one that was never written


# key files


def test_keys_are_written_for_their_owner_and_never_over_others(tmp_path: Path) -> None:
    private, public = make_key_pair(tmp_path / "new" / "keys")
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    text = private.read_bytes()
    with pytest.raises(ConfigError, match="there is a key already"):
        make_key_pair(private.parent)
    public.unlink()
    with pytest.raises(ConfigError, match="there is a key already"):
        make_key_pair(private.parent)
    assert private.read_bytes() == text


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644, 0o610])
def test_signing_key_that_others_may_use_is_refused(keys: tuple[Path, Path], mode: int) -> None:
    keys[0].chmod(mode)
    with pytest.raises(ConfigError, match=f"has mode {mode:04o}, which is too open: chmod 600 {keys[0]}"):
        SigningKey.read(keys[0])


@pytest.mark.parametrize("mode", [0o664, 0o646, 0o666])
def test_trusted_keys_that_others_may_change_are_refused(keys: tuple[Path, Path], mode: int) -> None:
    keys[1].chmod(mode)
    with pytest.raises(ConfigError, match=f"has mode {mode:04o}, which is too open: chmod go-w {keys[1]}"):
        TrustedKeys.read(keys[1])


def test_files_that_are_no_keys_are_refused_with_their_names(keys: tuple[Path, Path], tmp_path: Path) -> None:
    curve = ec.generate_private_key(ec.SECP256R1())
    pem = serialization.Encoding.PEM
    spki = serialization.PublicFormat.SubjectPublicKeyInfo
    other_public = curve.public_key().public_bytes(pem, spki)
    pkcs8 = serialization.PrivateFormat.PKCS8
    other_private = curve.private_bytes(pem, pkcs8, serialization.NoEncryption())
    locked = Ed25519PrivateKey.generate().private_bytes(pem, pkcs8, serialization.BestAvailableEncryption(b"x"))
    public, private = keys[1].read_bytes(), keys[0].read_bytes()
    damaged = public.replace(b"M", b"!", 1)
    path = tmp_path / "file"

    def write(text: bytes) -> Path:
        path.unlink(missing_ok=True)
        path.write_bytes(text)
        path.chmod(0o600)
        return path

    for text in (b"", b"nothing", public, other_private, locked, bytes(2**17)):
        with pytest.raises(ConfigError, match=f"signing key {path} "):
            SigningKey.read(write(text))
    for text in (b"", b"nothing", private, public + private, other_public, damaged, public[:-5], bytes(2**17)):
        with pytest.raises(ConfigError, match=str(path)):
            TrustedKeys.read(write(text))
    with pytest.raises(ConfigError, match=f"has {MOST_KEYS + 1} public keys"):
        TrustedKeys.read(write(public * (MOST_KEYS + 1)))
    with pytest.raises(ConfigError, match="^cannot read signing key .*missing: No such file or directory$"):
        SigningKey.read(tmp_path / "missing")
    with pytest.raises(ConfigError, match="^cannot read file of trusted keys .*: Is a directory$"):
        TrustedKeys.read(tmp_path)


@pytest.mark.parametrize("settings", [{"require_signature": True}, {"trusted_keys": "keys.pub"}])
def test_requirement_and_keys_are_set_together_or_not_at_all(settings: dict[str, object]) -> None:
    with pytest.raises(ConfigError, match="set both, or neither"):
        Controller(PolicyConfig.from_mapping(settings))


def test_without_the_library_signatures_are_refused_in_words_and_all_else_works(tmp_path: Path) -> None:
    """A robot without signatures needs no cryptography."""
    path = tmp_path / "policy.safetensors"
    path.write_bytes(FILE.to_bytes())
    public = make_key_pair(tmp_path / "keys")[1]
    code = f"""
import sys
sys.modules["cryptography"] = None
from pathlib import Path
from sac_control.policy.policy_config import PolicyConfig
from sac_control.errors import ConfigError
from sac_control.policy.controller import Controller
from sac_control.policy.policy_file import PolicyFile
Controller(PolicyConfig()).install(PolicyFile.read(Path({str(path)!r})))
try:
    Controller(PolicyConfig(require_signature=True, trusted_keys={str(public)!r}))
except ConfigError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout == (
        f"signatures need cryptography, which is not installed: {sys.executable} -m pip install cryptography, or "
        "apt install python3-cryptography\n"
    ), done.stderr


# who signs


def test_training_signs_what_it_publishes_and_what_it_writes(
    keys: tuple[Path, Path], trusted: TrustedKeys, tmp_path: Path
) -> None:
    run = tmp_path / "run"
    run.mkdir()
    config = learner_config(run_directory=str(run), signing_key=str(keys[0]), evaluation_every=0)
    training = TrainingRun(config, say=lambda _: None)
    try:
        published = training.weights.data
        written = training.save() / "policy.safetensors"
        for file in (PolicyFile.from_bytes(published), PolicyFile.read(written)):
            completed(trusted.check(file.digest, file.signature))
    finally:
        training.close()


def test_training_with_a_key_that_cannot_be_used_does_not_begin(keys: tuple[Path, Path], tmp_path: Path) -> None:
    keys[0].chmod(0o644)
    with pytest.raises(ConfigError, match="chmod 600"):
        TrainingRun(learner_config(run_directory=str(tmp_path / "run"), signing_key=str(keys[0])), say=lambda _: None)
    assert not (tmp_path / "run" / "checkpoints").exists()


def test_command_makes_keys_signs_an_existing_policy_and_deploys_it_alone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, signed = tmp_path / "plain.safetensors", tmp_path / "signed.safetensors"
    plain.write_bytes(FILE.to_bytes())
    assert main(["keys", str(tmp_path / "keys")]) == 0
    private, public = tmp_path / "keys" / "policy_signing.key", tmp_path / "keys" / "policy_signing.pub"
    assert str(public) in capsys.readouterr().out
    assert main(["export", str(plain), str(signed), "--sign", str(private)]) == 0
    assert main(["export", str(plain), str(signed), "--sign", str(private)]) == 2
    assert main(["export", str(plain), str(signed), "--sign", str(private), "--overwrite"]) == 0
    assert main(["info", str(signed)]) == 0
    assert "signed             True" in capsys.readouterr().out
    settings = ["policy.require_signature=true", f"policy.trusted_keys={public}"]
    (node,) = plan_deployment(DeploymentOptions(policy=str(signed), settings=settings)).nodes
    assert node.parameters["require_signature"] is True
    with pytest.raises(PolicyFileError, match="the policy is not signed, and"):
        plan_deployment(DeploymentOptions(policy=str(plain), settings=settings))


def test_command_exports_a_policy_unsigned_where_no_key_is_named(tmp_path: Path) -> None:
    plain, copy = tmp_path / "plain.safetensors", tmp_path / "copy.safetensors"
    plain.write_bytes(FILE.to_bytes())
    assert main(["export", str(plain), str(copy)]) == 0
    assert copy.read_bytes() == FILE.to_bytes()
    assert main(["export", str(plain), str(tmp_path / "missing" / "copy")]) == 2
