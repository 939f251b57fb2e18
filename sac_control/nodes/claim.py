"""Two trainings or evaluations in one namespace: the older one goes on, the younger one exits with an error."""

from __future__ import annotations

from typing import Any

from sac_control.errors import NeighbourError
from sac_control.identity import describe_run
from sac_control.nodes import messages


class Claim:
    """Compares the credit that others give under our name with ours.

    Args:
        run_id: ours.
        started: [ns] system time at which we began, as our own credit says.
        topic: resolved name of the topic on which credit is given.

    Attributes:
        rival: what is said of a younger one; empty where none was heard.
    """

    def __init__(self, run_id: str, started: int, topic: str) -> None:
        self._ours = started, run_id
        self._topic = topic
        self.rival = ""

    def hear(self, msg: Any) -> None:
        """Credit was given under our name, by ourselves or by another one.

        Raises:
            NeighbourError: by an older one.
        """
        started, run_id = self._ours
        if msg.run_id == run_id:
            return
        if (messages.stamp_from_msg(msg.started), msg.run_id) < (started, run_id):
            raise NeighbourError(
                f"{describe_run(msg.run_id)} is on {self._topic} already: two simulations cannot share their "
                "names. Choose another --namespace (launch: namespace:=), or another ROS_DOMAIN_ID"
            )
        self.rival = f"{describe_run(msg.run_id)}, which began later, is on {self._topic}, too: it is rejected"
