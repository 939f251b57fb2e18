"""The process that serves the page of `sac_control watch`, and ends when that is over."""

from __future__ import annotations

import json
import os
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sac_control.cli.runner import node_environment
from sac_control.cli.watch import WatchOptions, environment_at, finder, robot_of
from sac_control.errors import EXIT_SETTING, SacControlError
from sac_control.system.background import yield_to_others
from sac_control.system.offspring import hear_requests


def serve(options: WatchOptions) -> None:
    """Serve until Ctrl-C; one line on standard output says that it begins.

    Raises:
        ConfigError: the port was taken in between.
        RunError: the run has gone in between.
    """
    from sac_control.watch.feed import Feed  # viser, which brings these, may not be installed
    from sac_control.watch.page import Page
    from sac_control.watch.server import close_server, open_server
    from sac_control.watch.view import View

    plain = node_environment(os.environ, domain=None)
    starter = ThreadPoolExecutor(1)  # whose processes have the usual priority, which this thread gives up now
    starter.submit(str).result()  # its thread begins
    yield_to_others()  # a training, or a robot, goes first
    server = open_server(options.port, "sac_control watch")
    try:
        view = View(
            Page(server),
            finder(options),
            lambda: starter.submit(Feed, plain).result(),
            environment_at(options),
            robot_of(options),
        )
        print("serves", flush=True)  # when nothing can be refused any more
        view.run()
    finally:
        close_server(server)


def main(options: str) -> int:
    """Serve what the JSON of WatchOptions says; returns the exit code."""
    told = json.loads(options)
    try:
        hear_requests()
        serve(WatchOptions(**{**told, "runs_dir": Path(told["runs_dir"])}))
    except SacControlError as error:
        print(f"error: {error}", file=sys.stderr)
        return EXIT_SETTING
    except KeyboardInterrupt:
        pass
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
