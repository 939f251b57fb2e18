"""A node of which one callback raises: ``python faulty_node.py simulator _on_command COUNT --ros-args …``.

It raises at its COUNT-th call, and whenever it is called after that; calls count once somebody hears the diagnostics.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

from sac_control.nodes.process import run


def main() -> int:
    """Break the class, then run it as its own executable does."""
    executable, callback, count = sys.argv[1:4]
    module = importlib.import_module(f"sac_control.nodes.{executable}")
    node_class = getattr(module, f"{executable.capitalize()}Node")
    original = getattr(node_class, callback)
    calls = 0

    def raise_at_last(*arguments: Any) -> Any:
        nonlocal calls
        node = arguments[0]
        calls += any(p.topic_name == "/diagnostics" and p.get_subscription_count() for p in node.publishers)
        if calls >= int(count):
            raise RuntimeError("injected")
        return original(*arguments)

    setattr(node_class, callback, raise_at_last)
    return run(node_class)


if __name__ == "__main__":
    sys.exit(main())
