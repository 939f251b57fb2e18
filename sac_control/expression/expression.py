"""Expression: a tree, and what is asked of it. Calculates nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

from sac_control.expression.canonical import text_of
from sac_control.expression.tokens import quote, refuse
from sac_control.expression.tree import Node, memory_of, signals_of
from sac_control.option import suggest


@dataclass(frozen=True)
class Expression:
    """An expression that was read. Two of them are equal where their canonical texts are.

    Made by `parser.parse`, which bounds its depth, and so that of every recursion here.
    """

    root: Node
    text: str = field(default="", compare=False)  # as it was given

    @cached_property
    def canonical(self) -> str:
        """Its text, with white space, parentheses, quotes and numbers in one spelling, and everything in its order."""
        return text_of(self.root)

    @cached_property
    def memory(self) -> int:
        """How many control periods it looks back; 0: it reads the newest row alone."""
        return memory_of(self.root)

    @cached_property
    def signals(self) -> dict[str, tuple[str, ...]]:
        """The joints whose signals are read, by the kind of signal, each in the order of its first appearance."""
        found: dict[str, dict[str, None]] = {}
        for signal in signals_of(self.root):
            found.setdefault(signal.kind, {}).update(dict.fromkeys(signal.joints))
        return {kind: tuple(joints) for kind, joints in found.items()}

    @cached_property
    def joints(self) -> tuple[str, ...]:
        """The joints that are named, in the order of their first appearance."""
        return tuple(dict.fromkeys(joint for signal in signals_of(self.root) for joint in signal.joints))

    def check(self, joints: Sequence[str], actuated_joints: Sequence[str] = ()) -> None:
        """See whether all joints are there: any for position, velocity and effort, a driven one for action.

        Args:
            joints: names of all joints.
            actuated_joints: those that are driven.

        Raises:
            ConfigError: one is not; the nearest name that is there is said.
        """
        for signal in signals_of(self.root):
            valid, what = (actuated_joints, "driven joint") if signal.kind == "action" else (joints, "joint")
            for joint in signal.joints:
                if joint not in valid:
                    nearest = suggest(joint[:80], map(quote, valid)) if valid else f"there is no {what}"
                    refuse(self.text, signal.place, f"the name {joint!r:.80}", f"a {what}; {nearest}")
