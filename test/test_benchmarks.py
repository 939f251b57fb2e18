"""The benchmark's mathematics, its bookkeeping and its page. The figures of REAL were measured, seeds 2001 to 2003."""

from __future__ import annotations

import copy
import json
import math
import os
import re
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks import contest, outcomes, peer_environment, plots, report, results, words
from benchmarks.__main__ import main
from benchmarks.intervals import median, median_interval, share_interval
from benchmarks.options import FULL, QUICK, SMOKE, NotAvailableError
from benchmarks.processes import ProcessError, Worker, clean_environment, run
from benchmarks.reasons import REASONS
from benchmarks.rows import ROWS, other_tasks, recording, reduced_precision, solve, stability, updates, watching
from benchmarks.training import train
from benchmarks.workers.products import flops, products

MACHINE = {"processor": "Intel(R) Xeon(R) Processor @ 2.50GHz", "cores": 4, "cores used": 4, "python": "3.11.7"}


def _record(result: dict[str, Any]) -> dict[str, Any]:
    fixed = {"date": "2026-11-21 23:17 UTC", "commit": "ef83aa16f91d+", "form": "full", "machine": MACHINE}
    return {**fixed, "busy_cores": 0.1, "seconds": 131.3, "result": result}


def _evaluation(
    step: int, seconds: float | None, mean: float, low: float, solved: int, episodes: int
) -> dict[str, Any]:
    figures = {"mean_return": mean, "min_return": low, "solved_episodes": solved, "episodes": episodes}
    return {"step": step, "seconds": seconds, **figures}


def _run(seed: int, transitions: int, seconds: float, *evaluations: dict[str, Any]) -> dict[str, Any]:
    figures = {"seed": seed, "solved": True, "transitions": transitions, "seconds": seconds, "env_steps": 1383}
    return {**figures, "command_seconds": seconds + 3.4, "updates": 4728, "evaluations": list(evaluations)}


OURS = [
    _run(
        2001,
        750,
        11.5,
        _evaluation(250, 2.86, 82.7, 50.0, 0, 10),
        _evaluation(500, 4.53, 123.2, 102.0, 0, 10),
        _evaluation(750, 11.53, 1000.0, 1000.0, 30, 30),
    ),
    _run(2002, 1000, 12.3, _evaluation(250, 6.15, 80.9, 47.0, 0, 10), _evaluation(1000, 12.3, 1000.0, 1000.0, 30, 30)),
    _run(2003, 750, 12.6, _evaluation(250, 5.1, 77.5, 45.0, 0, 10), _evaluation(750, 12.6, 1000.0, 1000.0, 30, 30)),
]
PEER = {
    "seed": 2001,
    "solved": False,
    "transitions": None,
    "seconds": None,
    "steps": 893,
    "seconds_spent": 40.01,
    "evaluations": [{"step": 500, "seconds": 27.2, "mean_return": 24.5, "min_return": 16.0}],
}
FAILED: dict[str, Any] = {
    "seed": 2004,
    "solved": False,
    "transitions": None,
    "seconds": None,
    "command_seconds": 600.0,
    "evaluations": [],
}
SOLVE: dict[str, Any] = {
    "ours": OURS,
    "peers": {"sb3": [PEER], "sbx": [PEER]},
    "peer_steps": 20_000,
    "peer_seconds": 40.0,
    "peer_versions": {"stable_baselines3": "2.9.2", "sbx-rl": "0.28.0"},
    "peers_missing": "",
}
SPEED: dict[str, Any] = {
    "peers_missing": "",
    "peer_versions": {},
    "sizes": [
        {
            "hidden": 64,
            "batch": 128,
            "threads": 1,
            "contenders": {
                "ours": {"rates": [1075.2, 1522.6]},
                "reference": {"error": "ended with exit code 2: learner.backend is not a known setting"},
                "sb3": {"rates": [76.5, 65.0]},
                "sbx": {"rates": [1064.0, 469.6]},
                "products numpy": {"rates": [1571.0, 1690.9], "flops": 18169856},
                "products torch": {"rates": [1650.7, 1771.2], "flops": 18169856},
            },
        }
    ],
}
REAL: dict[str, Any] = {
    "solve": _record(SOLVE),
    "no_mirror": _record({"settings": ["learner.mirror=false"], "runs": OURS}),
    "updates": _record(SPEED),
    "reduced_precision": _record({"flags": [], "contenders": {}}),
}


# medians and intervals


def test_a_run_that_failed_takes_part_in_the_median_as_infinite() -> None:
    assert median([500.0, math.inf, 750.0]) == 750.0
    assert median([500.0, 750.0]) == 625.0
    assert median([500.0, math.inf, math.inf]) == math.inf
    with pytest.raises(ValueError, match="no values"):
        median([])


@pytest.mark.parametrize(("n", "k", "coverage"), [(1, 1, 0.0), (3, 1, 0.75), (6, 1, 0.96875), (10, 2, 0.978515625)])
def test_interval_of_a_median_is_the_order_statistics_of_the_textbook(n: int, k: int, coverage: float) -> None:
    interval = median_interval([float(value) for value in range(n, 0, -1)])
    assert (interval.low, interval.high) == (k, n + 1 - k)
    assert interval.coverage == pytest.approx(coverage)


def test_interval_of_a_median_holds_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(0)
    intervals = [median_interval(rng.exponential(size=10).tolist()) for _ in range(4000)]
    share = np.mean([interval.low <= math.log(2.0) <= interval.high for interval in intervals])
    assert share == pytest.approx(intervals[0].coverage, abs=0.01)


def test_interval_reaches_to_infinity_where_enough_runs_failed() -> None:
    assert median_interval([1.0] * 9 + [math.inf]).high == 1.0
    assert median_interval([1.0] * 8 + [math.inf] * 2).high == math.inf


def test_interval_of_a_share_comes_from_whole_runs() -> None:
    assert share_interval([9], [10]) is None
    alike, apart = share_interval([90] * 10, [100] * 10), share_interval([100] * 9 + [0], [100] * 10)
    assert alike is not None
    assert apart is not None
    assert alike.low == alike.high == 0.9  # every run says the same: so would others
    assert apart.low < 0.75  # though 900 of 1000 evaluations alone would be within 2 %
    assert apart == share_interval([100] * 9 + [0], [100] * 10)  # repeatable


def test_a_share_is_never_rounded_up_to_all() -> None:
    assert words.percent(1.0) == "100 %"
    assert words.percent(0.99999) == "99.9 %"
    assert words.percent(0.97) == "97 %"


# what runs come to


def test_a_failed_run_is_counted_and_makes_the_worst_case() -> None:
    runs = [*OURS, FAILED]
    reached = outcomes.values(runs, "transitions")
    line = outcomes.line("key", "what", runs, reached, (outcomes.goal_all_within(reached, 2000),))
    assert (line.median, line.worst, line.runs) == ("875", "never", "3 of 4 solved")
    assert line.goals[0].met is False
    assert "3 of 4" in line.goals[0].reached


def test_speedup_over_a_peer_that_was_ended_is_told_as_a_bound() -> None:
    goal = solve.lines(SOLVE)[1].goals[2]
    assert goal.met is None  # 40 s / 11.5 s is below 12, but nobody knows how long it would have taken
    assert "at least 3.5 times" in goal.reached
    slow = copy.deepcopy(SOLVE)
    slow["peers"]["sb3"][0]["seconds_spent"] = 146.0
    assert solve.lines(slow)[1].goals[2].met is True
    slow["peers"]["sb3"][0] |= {"solved": True, "seconds": 60.0, "transitions": 5000}
    assert solve.lines(slow)[1].goals[2].met is False


def test_speedup_is_nothing_where_ours_failed() -> None:
    lost = {**SOLVE, "ours": [{**FAILED, "seed": 2001}]}
    assert solve.speedups(lost, "sb3") == ([0.0], False)
    assert solve.lines(lost)[1].goals[2].met is False


def test_a_peer_that_broke_makes_no_speedup() -> None:
    broken = {**SOLVE, "peers": {"sb3": [{**FAILED, "seed": 2001, "error": "exit code 1"}]}}
    assert solve.lines(broken)[1].goals[2].met is None
    assert "1 with a fault" in solve.lines(broken)[0].peers


def test_without_the_peers_their_place_says_why() -> None:
    alone = {**SOLVE, "peers": {}, "peers_missing": "the peers could not be installed: exit code 1"}
    assert solve.lines(alone)[0].peers == "the peers could not be installed: exit code 1"
    assert "could not be installed" in "\n".join(solve.details(alone))


def test_stability_counts_only_what_follows_the_first_solve() -> None:
    evaluations = [
        _evaluation(500, None, 923.1, 231.0, 9, 10),
        _evaluation(600, None, 1000.0, 231.0, 10, 11),  # not confirmed
        _evaluation(750, None, 1000.0, 1000.0, 30, 30),
        _evaluation(1111, None, 950.2, 502.0, 9, 10),
        _evaluation(1361, None, 1000.0, 740.0, 12, 13),  # the extreme start of a confirmation is not of the ten
        _evaluation(2600, None, 30.0, 20.0, 0, 10),
    ]
    after = stability.after_first_solve(evaluations, watched=1000)
    assert after == {
        "first_solve": 750,
        "covered_steps": 611,
        "evaluations": 2,
        "perfect": 1,
        "min_mean_return": 950.2,
        "min_return": 502.0,
        "last_mean_return": 1000.0,
    }
    assert stability.after_first_solve(evaluations[:1], watched=1000) is None


def test_stability_is_not_met_by_leaving_out_the_run_that_never_solved() -> None:
    after: dict[str, float] = {"first_solve": 750, "covered_steps": 1000, "evaluations": 4, "perfect": 4}
    after |= {"min_mean_return": 1000.0, "min_return": 1000.0, "last_mean_return": 1000.0}
    good = {**OURS[0], "busy_loops": 0, "after": after}
    never = {**FAILED, "busy_loops": 2, "after": None}
    result = {"watched_steps": 1000, "max_steps": 3000, "runs": [good, good]}
    assert [goal.met for goal in stability.lines(result)[0].goals] == [True, True, True]
    result["runs"] = [good, never]
    assert [goal.met for goal in stability.lines(result)[0].goals] == [False, False, False]
    assert stability.lines(result)[0].runs == "1 of 2 solved and watched"
    assert "| 2004 | 2 | never |" in "\n".join(stability.details(result))
    lost = {**good, "after": {**after, "perfect": 3, "min_mean_return": 30.0, "last_mean_return": 30.0}}
    result["runs"] = [good, lost]
    assert stability.lines(result)[0].goals[2].reached == "1 of 2"


def test_the_level_of_another_task_is_reached_at_its_first_evaluation_there() -> None:
    evaluations = [_evaluation(step, None, value, value, 0, 10) for step, value in ((1, 880.0), (2, 891.0), (3, 885.0))]
    assert other_tasks.reached(evaluations, 890.5) == {"best_return": 891.0, "last_return": 885.0, "level_at": 2}
    assert other_tasks.reached([], 890.5)["level_at"] is None


# speed


def test_one_update_needs_sixteen_products_of_hidden_by_hidden_weights() -> None:
    counts = products(64, 256)
    of_hidden = sum(count for (m, k, n), count in counts.items() if min(m, k, n) >= 64)
    assert of_hidden == 16  # actor 2 and its gradients 2, targets 2, critics 2 and 4, critics for the actor 2 and 2
    assert 16 * 2 * 256**3 < flops(products(256, 256)) < 1.03 * 16 * 2 * 256**3  # the narrow ones hardly count


def test_ratio_of_contenders_is_that_of_each_round() -> None:
    contenders = SPEED["sizes"][0]["contenders"]
    assert contest.ratios(contenders, "ours", "sbx") == pytest.approx([1075.2 / 1064.0, 1522.6 / 469.6])
    assert contest.ratios(contenders, "ours", "reference") == []
    assert contest.ratios(contenders, "ours", "nobody") == []


def test_share_of_the_limit_is_that_of_the_faster_products() -> None:
    assert updates.limit(SPEED["sizes"][0]["contenders"]) == pytest.approx((1650.7 + 1771.2) / 2)
    assert "75.9 % of the limit" in updates.lines(SPEED)[0].median


def test_contenders_take_turns_and_one_that_breaks_is_told_of() -> None:
    rates = contest.hold(
        {"good": contest.products("numpy", 4, 4), "bad": contest.products("fortran", 4, 4)},
        cores=sorted(os.sched_getaffinity(0))[:1],
        threads=1,
        rounds=2,
        seconds=0.01,
    )
    assert len(rates["good"]["rates"]) == 2
    assert min(rates["good"]["rates"]) > 0.0
    assert "invalid choice: 'fortran'" in rates["bad"]["error"]


def test_reduced_precision_says_that_a_processor_has_none() -> None:
    line = reduced_precision.lines({"flags": [], "contenders": {}})[0]
    assert line.median == "this CPU has none"
    assert line.goals[0].met is None


# processes


def test_a_process_is_ended_at_its_time_limit_and_keeps_what_it_said() -> None:
    program = (
        "import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "  # background jobs begin without it
        "print('{\"so far\": 1}', flush=True); signal.pause()"
    )
    done = run([sys.executable, "-c", program], timeout=3.0, environment=clean_environment())
    assert done.timed_out
    assert "time limit" in done.complaint
    assert done.lines[0][1] == '{"so far": 1}'


def test_a_process_without_an_answer_is_a_fault_that_names_its_last_words() -> None:
    program = "import sys; print('no JSON'); sys.exit('error: nothing to measure')"
    done = run([sys.executable, "-c", program], timeout=60.0, environment=clean_environment())
    with pytest.raises(ProcessError, match="exit code 1: error: nothing to measure"):
        _ = done.answer


def test_a_worker_answers_line_by_line() -> None:
    program = "import sys\nprint('{}', flush=True)\nfor line in sys.stdin: print('noise\\n' + line, end='', flush=True)"
    with Worker([sys.executable, "-c", program]) as worker:
        assert worker.answer(60.0) == {}
        worker.send('{"a": 1}')
        assert worker.answer(60.0) == {"a": 1}


def test_threads_and_domains_of_the_caller_do_not_reach_what_is_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    monkeypatch.setenv("ROS_DOMAIN_ID", "7")
    environment = clean_environment(OPENBLAS_NUM_THREADS="2")
    assert "ROS_DOMAIN_ID" not in environment
    assert "OMP_NUM_THREADS" not in environment
    assert environment["OPENBLAS_NUM_THREADS"] == "2"


def test_a_setting_that_the_package_lacks_is_not_available_rather_than_a_failure(tmp_path: Path) -> None:
    with pytest.raises(
        NotAvailableError, match=re.escape("learner.miror is not a known setting; did you mean mirror?")
    ):
        train(tmp_path, 2000, name="wrong", timeout=60.0, settings=["learner.miror=true"])
    with pytest.raises(NotAvailableError, match="there is no config/nowhere.yaml"):
        train(tmp_path, 2000, name="wrong", timeout=60.0, config="nowhere.yaml")


# peers


def test_every_peer_is_pinned() -> None:
    lines = [line.split("#")[0].strip() for line in peer_environment.REQUIREMENTS.read_text().splitlines()]
    requirements = [line for line in lines if line]
    assert "torch==2.13.0" in requirements
    assert all(re.fullmatch(r"[\w.-]+==[\w.]+", line) for line in requirements)


def test_an_environment_without_peers_says_so(tmp_path: Path) -> None:
    peers = peer_environment.existing(tmp_path / "none")
    assert peers.python is None
    assert "does not work" in peers.reason


# results, page and plots


def test_merging_a_row_keeps_the_others(tmp_path: Path) -> None:
    file = tmp_path / "benchmarks" / "results.json"
    results.merge(file, "solve", REAL["solve"])
    results.merge(file, "updates", {"rate": math.nan, "of": [math.inf, 1.0]})
    rows = results.read(file)
    assert rows["solve"] == json.loads(json.dumps(REAL["solve"]))
    assert rows["updates"] == {"rate": None, "of": [None, 1.0]}  # JSON has no infinity
    assert list(file.parent.iterdir()) == [file]


def test_a_file_of_another_kind_is_not_overwritten(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    file.write_text('{"machine": {}}')
    with pytest.raises(ValueError, match="move it away"):
        results.merge(file, "solve", {})
    assert file.read_text() == '{"machine": {}}'


def test_page_has_every_line_its_goals_and_the_machine() -> None:
    page = report.render(REAL)
    assert "Xeon" in page
    assert "median at most 1,000: **met** (750)" in page
    assert "median at most 12 s: **not met** (12.3 s)" in page
    assert "> 40.0 s (0 of 1 solved)" in page
    assert "this CPU has none" in page
    assert "[" not in words.interval(None)
    for size in SPEED["sizes"]:
        assert updates.size_name(size) in page


def test_page_says_what_is_missing_interrupted_or_short() -> None:
    rows = copy.deepcopy(REAL)
    rows["no_mirror"] |= {"error": "it ended before it was complete", "form": "quick"}
    rows["stability"] = {**_record({}), "error": "exit code 1"}
    del rows["stability"]["result"]
    page = report.render(rows)
    assert "Interrupted: it ended before it was complete." in page
    assert "not measured: exit code 1" in page
    assert "Not in the full form, and so of little weight: no_mirror (quick)." in page
    not_measured = (
        "realtime, hardening, hardened_realtime, hardened_tasks, latency, watching, recording, other_tasks, "
        "pendulum_v1, mountain_car, lunar_lander, bipedal_walker, trpo, bipedal_walker_trpo, variants, worlds"
    )
    assert f"## Not measured yet\n\nRows {not_measured}." in page


def test_page_gives_the_reason_of_a_goal_that_is_not_met_and_of_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REASONS, "solve.seconds", "evaluations take most of it.")
    monkeypatch.setitem(REASONS, "no_mirror.transitions", "nothing to explain.")
    page = report.render(REAL)
    assert "evaluations take most of it." in page
    assert "nothing to explain" not in page


def test_tables_of_the_page_are_whole() -> None:
    widths: dict[int, int] = {}
    table = -1
    lines = report.render(REAL).splitlines()
    for number, text in enumerate(lines):
        if text.startswith("|"):
            table = table if number and lines[number - 1].startswith("|") else number
            cells = len(re.split(r"(?<!\\)\|", text))
            assert widths.setdefault(table, cells) == cells, text
    assert len(widths) >= 4


def test_plots_are_drawn_from_the_same_results(tmp_path: Path) -> None:
    edges = np.geomspace(50.0, 5000.0, 11).tolist()
    side = {"p50": 266.0, "p99": None, "histogram": {"edges": edges, "counts": [0, 1, 5, 9, 3, 0, 0, 0, 0, 0]}}
    rows = {**REAL, "latency": _record({"round_trip": {"bare": side, "ours": side}})}
    written = plots.draw(rows, tmp_path)
    assert {path.name for path in written} == {"return_over_transitions.png", "return_over_time.png", "latency.png"}
    assert all(path.read_bytes().startswith(b"\x89PNG") for path in written)
    assert plots.draw({}, tmp_path) == []


def test_curve_holds_the_newest_evaluation_and_nothing_before_the_first() -> None:
    curve = plots.curve(OURS[0], "step", np.array([100.0, 250.0, 400.0, 800.0]))
    assert np.isnan(curve[0])
    assert curve[1:].tolist() == [82.7, 82.7, 1000.0]


# command line


def test_rows_have_names_of_their_own_and_say_what_they_measure(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    listed = capsys.readouterr().out.splitlines()
    assert len({row.NAME for row in ROWS}) == len(listed) == len(ROWS)
    for row, line in zip(ROWS, listed, strict=True):
        assert line.startswith(row.NAME)
        assert len(line.split()) > 4


def test_an_unknown_row_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as error:
        main(["--rows", "solv"])
    assert error.value.code == 2
    assert "expected some of solve, no_mirror" in capsys.readouterr().err


def test_report_alone_measures_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    results.merge(tmp_path / "benchmarks" / "results.json", "solve", REAL["solve"])
    assert main(["--report", "--into", str(tmp_path)]) == 0
    assert "return_over_time.png" in capsys.readouterr().out
    assert (tmp_path / "docs" / "benchmarks.md").read_text() == report.render({"solve": REAL["solve"]})


def test_a_row_that_needs_nothing_is_measured_into_the_given_directory(tmp_path: Path) -> None:
    arguments = ["--smoke", "--rows", "reduced_precision", "--peers", str(tmp_path / "none"), "--into", str(tmp_path)]
    main(arguments)
    record = results.read(tmp_path / "benchmarks" / "results.json")["reduced_precision"]
    assert {"date", "commit", "form", "machine", "busy_cores", "seconds"} <= record.keys()
    assert record["form"] == "smoke"


def test_the_full_form_has_the_seeds_and_steps_of_the_goals() -> None:
    assert (FULL.seeds, FULL.realtime_seeds, FULL.stability_seeds, FULL.task_seeds) == (10, 10, 20, 5)
    assert FULL.stability_steps == FULL.peer_steps == 20_000
    assert FULL.task_steps * 3 >= min(task["steps"] for task in other_tasks.TASKS.values()), "all that a goal allows"
    assert FULL.seeds > QUICK.seeds >= SMOKE.seeds


def test_slow_down_by_watching_is_the_median_of_its_pairs_with_each_of_them_in_the_report() -> None:
    pairs = [{"alone": 100.0, "watched": 100.0 / (1.0 + more / 100.0), "slower": more} for more in (1.5, -3.0, 9.0)]
    (line,) = watching.lines({"stretch": 3.0, "pairs": pairs})
    assert (line.median, line.worst, line.goals[0].met) == ("1.5 %", "9.0 %", True)
    assert "| 100.0 | 103.1 | -3.0 |" in watching.details({"stretch": 3.0, "pairs": pairs})
    (line,) = watching.lines({"stretch": 3.0, "pairs": []})
    assert line.goals[0].met is None


def test_slow_down_by_recording_is_the_median_of_its_pairs_with_each_of_them_in_the_report() -> None:
    pairs = [{"alone": 100.0, "recorded": 100.0 / (1.0 + more / 100.0), "slower": more} for more in (4.5, -3.0, 9.0)]
    (line,) = recording.lines({"pairs": pairs})
    assert (line.median, line.worst) == ("4.5 %", "9.0 %")
    assert "| 100.0 | 103.1 | -3.0 |" in recording.details({"pairs": pairs})
    assert recording.lines({"pairs": []})[0].median == "–"
