"""Publishers that take turns are told from one that took another's place."""

from __future__ import annotations

from sac_control.policy.state_sources import MEMORY, StateSources


def test_one_source_is_alone() -> None:
    sources = StateSources()
    assert not any(sources.hear("a", 0.01 * k) for k in range(1000))
    assert sources.rivals(10.0) == ()


def test_source_that_takes_the_place_of_another_is_alone() -> None:
    sources = StateSources()
    assert not any(sources.hear("a" if k < 50 else "b", 0.01 * k) for k in range(200))
    assert sources.rivals(2.0) == ()


def test_source_that_is_heard_again_after_another_has_spoken_is_not_alone() -> None:
    sources = StateSources()
    assert [sources.hear(source, 0.01 * k) for k, source in enumerate("aabab")] == [False, False, False, True, False]
    assert set(sources.rivals(0.05)) == {"a", "b"}


def test_three_that_take_turns_are_all_found() -> None:
    sources = StateSources()
    for k in range(9):
        sources.hear("abc"[k % 3], 0.01 * k)
    assert set(sources.rivals(0.1)) == {"a", "b", "c"}


def test_rivals_are_forgotten_when_one_falls_silent_and_found_again_when_it_speaks() -> None:
    sources = StateSources()
    for k, source in enumerate("aba"):
        sources.hear(source, 0.01 * k)
    for k in range(150):
        assert not sources.hear("a", 0.03 + 0.01 * k)
    assert sources.rivals(0.02 + MEMORY + 0.01) == ()
    assert not sources.hear("b", 1.6)  # its old turn is too long ago
    assert sources.hear("a", 1.61)


def test_source_that_comes_back_after_a_long_time_has_taken_the_place_of_the_other() -> None:
    sources = StateSources()
    sources.hear("a", 0.0)
    sources.hear("b", 0.5)
    assert not sources.hear("a", 0.5 + 2 * MEMORY)
