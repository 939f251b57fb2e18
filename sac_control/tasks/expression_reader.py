"""Reads the expressions of a task file."""

from __future__ import annotations

from collections.abc import Iterable

from sac_control.errors import ConfigError
from sac_control.expression import Expression, mirror_sign, parse
from sac_control.tasks.yaml_reader import Entry


def read_expression(entry: Entry, joints: tuple[str, ...], driven: tuple[str, ...]) -> Expression:
    """The expression that `entry` holds, of joints and drives that there are.

    Raises:
        ConfigError: it cannot be understood; file and line are told.
    """
    text = entry.text()
    try:
        expression = parse(text, joints)
        expression.check(joints, driven)
    except ConfigError as error:
        entry.refuse(f"cannot be read: {error}")
    return expression


def check_mirror(entry: Entry, terms: Iterable[Expression]) -> None:
    """Refuse terms of an observation that the mirror image of a robot does not know.

    Raises:
        ConfigError: one is neither even nor odd; file and line are told.
    """
    for term in terms:
        try:
            mirror_sign(term)
        except ConfigError as error:
            entry.refuse(f"has a term without mirror image, but mirror is true: {error}")
