"""The status message of a policy node, and the figures and findings of its diagnostics."""

from __future__ import annotations

from typing import Any

import sac_control.msg
from sac_control.health.aside import Aside
from sac_control.health.diagnosis import ERROR, WARN, Finding
from sac_control.nodes import messages
from sac_control.nodes.shadow_relay import ShadowLink
from sac_control.policy.controller import Controller
from sac_control.policy.faults import FaultCounter
from sac_control.policy.policy_config import PolicyConfig
from sac_control.policy.safety import Mode
from sac_control.policy.tick_statistics import TickStatistics


class PolicyReport:
    """Reads off what is told. The parts belong to the node; nothing here changes them.

    Args:
        controller: what answers.
        ticks: when it did, since the last status.
        faults: what went wrong inside callbacks.
        shadow: what runs beside it.
        aside: what is done for those who watch.
    """

    def __init__(
        self, controller: Controller, ticks: TickStatistics, faults: FaultCounter, shadow: ShadowLink, aside: Aside
    ) -> None:
        self._controller, self._ticks, self._faults = controller, ticks, faults
        self._shadow, self._aside = shadow, aside

    def status(self, config: PolicyConfig) -> Any:
        """PolicyStatus, without its stamp."""
        controller, swap = self._controller, self._controller.swap
        msg = sac_control.msg.PolicyStatus()
        msg.run_id = config.run_id
        msg.mode, msg.cause = controller.mode, controller.cause[:256]
        if swap.file is not None:
            file, specification = swap.file, swap.file.specification
            msg.run, msg.policy_run_id = file.run, file.run_id
            msg.policy_version, msg.env_steps = file.policy_version, file.env_steps
            msg.specification_hash = file.specification_hash
            msg.joints, msg.interface = list(specification.actuated_joints), messages.interface_codes(specification)
            msg.command = controller.last_command.tolist()
        if swap.last_report is not None:
            report = swap.last_report
            msg.offered_version, msg.offered_accepted = report.offered_version, report.accepted
            msg.offered_verdict, msg.swap_gap = report.verdict[:256], report.gap
        msg.ticks, msg.swaps = controller.ticks, swap.swaps
        msg.rejected_weights, msg.rejected_states = swap.rejected, controller.admission.rejected_states
        msg.foreign_states, msg.last_rejection = controller.unused.foreign, controller.admission.last_rejection[:256]
        msg.region, msg.region_verdict = controller.arming_region.place, controller.arming_region.verdict[:256]
        msg.state_age = controller.state_age()
        msg.tick_duration_mean, msg.tick_duration_max = self._ticks.mean_duration, self._ticks.longest
        return msg

    def figures(self, config: PolicyConfig) -> dict[str, object]:
        """By name, times in [s]; those of ticks are since the last status."""
        controller, swap, ticks = self._controller, self._controller.swap, self._ticks
        return {
            "mode": controller.mode.name,
            "cause": controller.cause,
            "run": swap.file.run if swap.file else "",
            "policy_run_id": swap.file.run_id if swap.file else "",
            "run_id": config.run_id,
            "policy_version": swap.file.policy_version if swap.file else 0,
            "policy_age": controller.policy_age(),
            "swaps": swap.swaps,
            "last_offer": swap.last_report.verdict if swap.last_report else "",
            "state_age": controller.state_age(),
            "state_timeout": controller.safety.timeout,
            "last_rejection": controller.admission.last_rejection,
            "foreign_states": controller.unused.foreign,
            "ticks": controller.ticks,
            "passed_over_states": controller.unused.passed_over,
            "control_period": controller.control_period,
            "tick_period_mean": ticks.mean_period,
            "tick_period_deviation": ticks.period_deviation,
            "tick_duration_mean": ticks.mean_duration,
            "tick_duration_max": ticks.longest,
            "clamp_share": controller.limiter.clamped / max(controller.active_ticks, 1),
            "region": controller.arming_region.verdict or controller.arming_region.place.name.lower(),
            "last_fault": self._faults.newest,
            "shadow": self._shadow.state,
            "require_arm": config.require_arm,
            "dry_run": config.dry_run,
        }

    def losses(self) -> dict[str, int]:
        """Counters that are a reason to warn while they grow."""
        controller = self._controller
        return {
            "swap_failures": controller.swap.rejected,
            "rejected_states": controller.admission.rejected_states,
            "faults": self._faults.count,
            "observer_failures": self._aside.failures,
        }

    def findings(self, config: PolicyConfig, now: float) -> list[Finding]:
        """What is wrong at present; `now` is steady time [s]."""
        controller = self._controller
        found: list[Finding] = []
        if self._faults.is_recent(now):
            found.append((ERROR, self._faults.newest))
        if controller.mode is Mode.LATCHED_FAULT:
            found.append((ERROR, controller.cause))
        elif controller.mode in (Mode.ARMING, Mode.HOLD):
            found.append((WARN, controller.cause))
        if controller.blocked_by:
            found.append((ERROR, controller.blocked_by))
        if self._shadow.was_switched_off:
            found.append((WARN, f"shadow policy {self._shadow.state}"))
        if controller.period.compares_clocks:
            found += self._ticks.findings(controller.control_period, config)
        found += controller.period.findings()
        return found
