"""The errors a user can cause or meet. Each message says what was got, what was expected and what to do.

Exit codes of a node's process, by which whoever started it decides whether to start it again.
"""

EXIT_DONE = 0  # the work is done, or a signal asked to stop
EXIT_FAULT = 1  # something broke while it ran: a new process may do better
EXIT_SETTING = 2  # a parameter is wrong
EXIT_START = 4  # it could not begin, for a reason that a new process would meet again


class SacControlError(Exception):
    """Base of every error this package raises on purpose; the command line prints it as one sentence."""


class ConfigError(SacControlError):
    """A configuration key is unknown, or a value has the wrong type or lies outside its range."""


class PolicyFileError(SacControlError):
    """A policy file is missing, truncated, damaged, foreign, or made for another task."""


class TransitionError(SacControlError):
    """A transition has the wrong size or a non-finite value."""


class StateError(SacControlError):
    """A joint state lacks a joint, or carries a non-finite value."""


class NeighbourError(SacControlError):
    """Somebody else is on the wires of a training or an evaluation."""


class RunError(SacControlError):
    """A run directory exists already, is missing, damaged, in use, or cannot be written."""
