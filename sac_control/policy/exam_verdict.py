"""The verdict of an exam, as it travels with the policy that was examined. Examines nothing.

It is bound to the SHA-256 of the policy file's content, which does not cover it: so a verdict can be added without
changing what the policy is, and cannot be moved to another one. It has a SHA-256 of its own, which is what is signed.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from sac_control.errors import PolicyFileError
from sac_control.policy.policy_header import is_signature
from sac_control.policy.signature import SigningKey, TrustedKeys
from sac_control.types import is_name

DOMAIN = b"sac_control exam verdict, signature 1\n"
LONGEST_NAME = 200  # letters of one text; longer ones are cut when a verdict is made
_MAX_BYTES = 2**13
_MOST_ENGINES = 16
_LARGEST_COUNT = 10**9
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)
_DATE = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What an exam found."""

    policy: str  # SHA-256 of the content of the policy file, as its header says it
    date: str  # of the exam, year-month-day
    task: str  # by whose rules an episode counts as kept
    plants: str  # where the plants are from: the task's name, or that of a file
    engines: tuple[str, ...]  # in which they were simulated
    episodes: int  # of each plant in each engine
    pass_mark: float  # share of them that a plant must be kept in to be passed
    judged: int  # plants, counted once for each engine that can simulate them
    passed: int  # of these
    worst: str  # plant and engine in which the fewest episodes were kept
    worst_kept: int  # of its episodes
    hour: bool | None = None  # whether each hour of robot time was kept, too; None: not tried
    signature: bytes = field(default=b"", compare=False)  # (64,) where it was read and had one

    @property
    def is_passed(self) -> bool:
        """Whether every plant was passed, and every hour kept that was tried."""
        return 0 < self.judged == self.passed and self.hour is not False

    def to_text(self, key: SigningKey | None = None) -> str:
        """The entry of the metadata, signed where there is a key."""
        content, digest = self._content(), self._digest()
        signature = key.sign(digest, DOMAIN).hex() if key else ""
        return json.dumps({**content, "sha256": digest.hex(), "signature": signature})

    @classmethod
    def from_text(cls, text: object, policy: bytes) -> Verdict:
        """What `to_text` gave, for the policy whose content has the SHA-256 `policy`, (32,).

        Raises:
            PolicyFileError: it is damaged, or the verdict on another policy.
        """
        damaged = PolicyFileError(
            "the verdict of its exam was edited or damaged: copy the policy file again, or export and examine it anew"
        )
        try:
            if not isinstance(text, str) or len(text.encode()) > _MAX_BYTES:
                raise damaged
            values = json.loads(text)
            if json.dumps(values) != text:
                raise damaged
            digest, signature = values.pop("sha256"), values.pop("signature")
            verdict = cls(**{**values, "engines": tuple(values["engines"])}, signature=bytes.fromhex(signature))
            if verdict._content() != values or list(values) != [*verdict._content()]:
                raise damaged
            is_whole = verdict._is_plausible() and (signature == "" or is_signature(signature))
            if not is_whole or verdict._digest().hex() != digest:
                raise damaged
        except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
            raise damaged from error
        if verdict.policy != policy.hex():
            raise PolicyFileError(
                "the verdict of an exam in the policy file is on another policy: it was moved here; take the file as "
                "it was exported, or examine this policy"
            )
        return verdict

    def is_signed_by(self, trusted: TrustedKeys) -> bool:
        """Whether somebody who is trusted says so."""
        return trusted.have_signed(self._digest(), self.signature, DOMAIN)

    def in_words(self) -> str:
        """What people should know of it, in one line."""
        hour = {None: "", True: " and every hour", False: ", but not every hour"}[self.hour]
        return (
            f"{self.passed} of {self.judged} plants of {self.plants}{hour}, in {together(self.engines)} "
            f"({self.date}; {self.episodes} episodes each, worst: {self.worst}, {self.worst_kept} kept)"
        )

    def to_mapping(self) -> dict[str, Any]:
        """For people and programs, with what follows from it."""
        return {"is_passed": self.is_passed, **self._content(), "signed": bool(self.signature)}

    def _content(self) -> dict[str, Any]:
        content = asdict(self)
        del content["signature"]
        return {**content, "engines": list(self.engines)}

    def _digest(self) -> bytes:
        return hashlib.sha256(json.dumps(self._content(), sort_keys=True).encode()).digest()

    def _is_plausible(self) -> bool:
        """Whether each field is of its type and measure: what is shown to people comes from a file."""
        names = (self.task, self.plants, self.worst, *self.engines)
        counts = (self.episodes, self.judged, self.passed, self.worst_kept)
        return (
            _DIGEST.fullmatch(self.policy) is not None
            and _DATE.fullmatch(self.date) is not None
            and 0 < len(self.engines) <= _MOST_ENGINES
            and all(is_name(name) and len(name) <= LONGEST_NAME for name in names)
            and all(type(count) is int and 0 <= count <= _LARGEST_COUNT for count in counts)
            and self.passed <= self.judged
            and self.worst_kept <= self.episodes
            and type(self.pass_mark) is float
            and 0.0 < self.pass_mark <= 1.0
            and (self.hour is None or type(self.hour) is bool)
        )


def together(engines: Sequence[str]) -> str:
    """Names of engines whose plants are counted as one."""
    return f"{' and '.join(engines)} together" if len(engines) > 1 else engines[0]
