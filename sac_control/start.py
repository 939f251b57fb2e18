"""Entry points of the executables: each imports what it runs, and says in one sentence what is missing for that."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Iterator

from sac_control.errors import EXIT_DONE, EXIT_FAULT, EXIT_SETTING, ConfigError
from sac_control.system import preflight, streams

_INTERRUPTED = 130  # as shells have it, where Ctrl-C comes before anything has begun


def command() -> int:
    """The command `sac_control`."""
    streams.outlive_readers()
    with _refusals_in_words():
        preflight.check_working_directory()
        preflight.check_packages(preflight.CONTROL)
        from sac_control.cli.main import main
    try:
        code = main()
    except KeyboardInterrupt:  # before the nodes were started: from then on it is heard in order
        return _INTERRUPTED
    complaint = streams.finish()
    if complaint:
        print(f"error: {complaint}", file=sys.stderr)
    return code or (EXIT_FAULT if complaint else EXIT_DONE)


def simulator() -> int:
    """The simulator node."""
    with _refusals_in_words():
        _prepare_node(*preflight.CONTROL, *preflight.SIMULATION)
        from sac_control.nodes.simulator import main
    return main()


def policy() -> int:
    """The policy node."""
    with _refusals_in_words():
        _prepare_node(*preflight.CONTROL)
        from sac_control.nodes.policy import main
    return main()


def learner() -> int:
    """The learner node."""
    with _refusals_in_words():
        _prepare_node(*preflight.CONTROL, *preflight.SIMULATION)
        from sac_control.nodes.learner import main
    return main()


def evaluator() -> int:
    """The evaluator node."""
    with _refusals_in_words():
        _prepare_node(*preflight.CONTROL)
        from sac_control.nodes.evaluator import main
    return main()


def recorder() -> int:
    """The recorder node."""
    with _refusals_in_words():
        _prepare_node(*preflight.CONTROL, "mcap")
        from sac_control.nodes.recorder import main
    return main()


def _prepare_node(*packages: str) -> None:
    streams.outlive_readers()
    preflight.check(os.environ, packages)
    os.environ["ROS_LOG_DIR"] = str(preflight.log_directory(os.environ))


@contextlib.contextmanager
def _refusals_in_words() -> Iterator[None]:
    try:
        yield
    except ConfigError as error:
        sentence = str(error)
    except ImportError as error:  # not installed, or of no use as it is
        sentence = f"{error.name or 'a package'} cannot be used ({error}): install it again for {sys.executable}"
    except KeyboardInterrupt:
        raise SystemExit(_INTERRUPTED) from None
    else:
        return
    print(f"error: {sentence}", file=sys.stderr, flush=True)
    raise SystemExit(EXIT_SETTING)
