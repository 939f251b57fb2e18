from __future__ import annotations

from sac_control.health.diagnosis import ERROR, OK, RECENT, WARN, RecentGrowth, diagnosis


def test_the_worst_comes_first_and_nothing_is_left_unsaid() -> None:
    findings = [(WARN, "slow"), (ERROR, ""), (ERROR, "full"), (WARN, "")]
    assert diagnosis(findings, otherwise="runs") == (ERROR, "full; slow")
    assert diagnosis(findings[:2], otherwise="runs") == (WARN, "slow")
    assert diagnosis([(ERROR, "")], otherwise="runs") == (OK, "runs")


def test_a_counter_is_worth_a_warning_only_while_it_grows() -> None:
    growth = RecentGrowth({"lost": 7, "late": 0})
    assert growth.finding({"lost": 7, "late": 0}, now=1.0) == (WARN, ""), "those of an earlier life"
    assert growth.finding({"lost": 9, "late": 0}, now=2.0) == (WARN, "lost now 9")
    assert growth.finding({"lost": 9, "late": 1}, now=1.9 + RECENT) == (WARN, "lost now 9, late now 1")
    assert growth.finding({"lost": 9, "late": 1}, now=2.0 + RECENT) == (WARN, "late now 1")
    assert growth.finding({"lost": 9, "late": 1}, now=2.0 + 2 * RECENT) == (WARN, "")
