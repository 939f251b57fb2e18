"""The verb plot: several runs and seeds beside each other."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib import image

from sac_control.cli import config_file, main
from sac_control.errors import RunError
from sac_control.store.comparison import Curve, band, read_curve
from sac_control.store.run_directory import RunDirectory
from sac_control.store.table import Table

MakeRun = Callable[..., RunDirectory]


@pytest.fixture
def make_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> MakeRun:
    """Makes a run with settings, evaluated after 100, 200, … transitions and 1, 2, … seconds."""
    monkeypatch.chdir(tmp_path)

    def make(name: str, returns: Sequence[float] = (10.0, 20.0), seed: int = 0, **learner: Any) -> RunDirectory:
        run = RunDirectory(tmp_path / "runs" / name)
        settings = {"run_id": f"{seed:032x}", "seed": seed, "run_directory": str(run.path), **learner}
        run.create(config_file.write_text(config_file.RunConfig().with_values({"learner": settings})))
        evaluations = Table(run.evaluations, ("env_steps", "policy_version", "mean_return"))
        metrics = Table(run.metrics, ("env_steps", "wall_time"))
        metrics.write({"env_steps": 0, "wall_time": 0.0})
        for k, value in enumerate(returns, start=1):
            evaluations.write({"env_steps": 100 * k, "policy_version": k, "mean_return": value})
            metrics.write({"env_steps": 100 * k, "wall_time": float(k)})
        evaluations.close()
        metrics.close()
        run.write_summary({"solved": True, "solved_at_step": 100 * len(returns), "solved_after_seconds": 2.0})
        return run

    return make


def curve(steps: Sequence[float], returns: Sequence[float], pace: float = 0.01) -> Curve:
    places = np.array(steps)
    return Curve(steps=places, seconds=pace * places, returns=np.array(returns))


def test_curve_has_the_time_of_each_evaluation(make_run: MakeRun) -> None:
    read = read_curve(make_run("a", (1.0, 2.0, 3.0)))
    assert read.steps.tolist() == [100, 200, 300]
    assert read.seconds.tolist() == [1.0, 2.0, 3.0]
    assert read.returns.tolist() == [1.0, 2.0, 3.0]


def test_band_is_median_and_middle_half_of_what_each_run_has_reached() -> None:
    curves = [curve((100, 200), (level, 10.0 * level)) for level in (1.0, 2.0, 3.0, 4.0, 5.0)]
    at, quartiles = band(curves, "steps")
    assert (at[0], at[-1]) == (100.0, 200.0)
    assert quartiles[:, 0].tolist() == [2.0, 3.0, 4.0]
    assert quartiles[:, -2].tolist() == [2.0, 3.0, 4.0]  # until the next evaluation
    assert quartiles[:, -1].tolist() == [20.0, 30.0, 40.0]


def test_run_that_has_ended_keeps_what_it_reached_and_the_band_begins_where_all_are_evaluated() -> None:
    at, quartiles = band([curve((50, 100), (0.0, 1000.0)), curve((80, 300), (0.0, 0.0))], "steps")
    assert (at[0], at[-1]) == (80.0, 300.0)
    assert quartiles[1, 0] == 0.0
    assert quartiles[1, -1] == 500.0
    seconds, _ = band([curve((50, 100), (0.0, 1.0), pace=0.1), curve((80, 300), (0.0, 0.0))], "seconds")
    assert (seconds[0], seconds[-1]) == (5.0, 10.0)


def test_seeds_are_one_group_and_other_settings_another(make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(3):
        make_run(f"a{seed}", (10.0, 900.0 + seed), seed)
    make_run("fast", (10.0, 20.0, 30.0), replay_ratio=4.0)
    assert main.main(["plot", "a0", "a1", "fast", "a2", "--output", "both.png"]) == 0
    first, second, picture = capsys.readouterr().out.splitlines()
    assert first == "a0 …: replay_ratio=8.0: 3 of 3 runs solved, after 200 transitions, 2.0 s (median)"
    assert second == "fast: replay_ratio=4.0: 1 of 1 runs solved, after 300 transitions, 2.0 s (median)"
    assert picture == "both.png"
    assert np.std(image.imread("both.png")[:, :, :3]) > 0.02


def test_setting_that_was_left_to_its_default_has_a_name(make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    make_run("one", (10.0, 20.0))
    make_run("other", (10.0, 20.0), until="solved")
    assert main.main(["plot", "one", "other", "--output", "both.png"]) == 0
    told = capsys.readouterr().out
    assert "one: until=by default: " in told
    assert "other: until=solved: " in told


@pytest.mark.parametrize("kind", ["png", "pdf", "svg"])
def test_picture_is_of_the_kind_that_its_name_says(make_run: MakeRun, kind: str) -> None:
    make_run("a")
    make_run("b", seed=1)
    assert main.main(["plot", "a", "b", "--output", f"x.{kind}"]) == 0
    start = Path(f"x.{kind}").read_bytes()[:200]
    assert {"png": b"PNG", "pdf": b"%PDF", "svg": b"svg"}[kind] in start
    assert not list(Path().glob(".*"))


def test_evaluations_of_all_runs_are_told_together(make_run: MakeRun, capsys: pytest.CaptureFixture[str]) -> None:
    for seed in range(2):
        run = make_run(f"a{seed}", seed=seed)
        run.evaluation.write_text(json.dumps({"returns": [1000.0 * seed] * 4}))
    assert main.main(["plot", "a0", "a1"]) == 0
    told, picture = capsys.readouterr().out.splitlines()
    assert told.endswith(
        "evaluated: interquartile mean 500 (95 % interval 500 to 500) of 8 episodes, stratified by run"
    )
    assert picture == "runs/comparison.png"


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["a", "absent"], "there is no run at runs/absent: `sac_control info` lists what there is"),
        (["absent"], "there is no run at runs/absent"),
        (["a", "x.png"], "x.png is no run: name a picture with --output x.png"),
        (["a", "b", "--output", "x.jpeg"], "--output is 'x.jpeg': expected a file that ends with .png, .pdf, .svg"),
        (["a", "runs/a"], "a run is named twice"),
        (["a", "swing"], "returns of different tasks cannot be compared (a inverted_pendulum, swing inverted_pend"),
        (["a", "b", "--output", "absent/x.png"], "cannot write absent/x.png: No such file or directory"),
        (["a", "never"], "has no evaluation that could be drawn"),
        (["a", "cut"], "runs/cut/metrics.csv"),
        (["a", "broken"], "runs/broken/eval.json is damaged (KeyError: 'returns'): sac_control evaluate broken writes"),
    ],
)
def test_what_cannot_be_drawn_is_told_in_one_sentence(
    make_run: MakeRun, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    make_run("a")
    make_run("b", seed=1)
    make_run("swing", task="inverted_pendulum_swingup")
    make_run("never", ())
    make_run("cut", seed=2).metrics.write_text("env_steps,wall_ti")
    make_run("broken", seed=3).evaluation.write_text("{}")
    assert main.main(["plot", *arguments]) in (1, 2)
    said = capsys.readouterr()
    assert said.err.startswith("error: ")
    assert len(said.err.splitlines()) == 1
    assert complaint in said.err.replace(str(Path.cwd()) + "/", "")
    assert not list(Path().rglob("*.png"))


def test_curve_of_a_run_without_times_is_refused(make_run: MakeRun) -> None:
    run = make_run("a")
    run.metrics.write_text("env_steps,wall_time\n")
    with pytest.raises(RunError, match="holds no wall_time"):
        read_curve(run)
