"""The verb report: one page that needs nothing else."""

from __future__ import annotations

import base64
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

from policies import make_file
from sac_control.cli import config_file, main
from sac_control.store import page
from sac_control.store.checkpoints import CheckpointStore
from sac_control.store.png import png
from sac_control.store.run_directory import RunDirectory
from sac_control.video.encoding import write_video
from test_metrics_and_curve import write_tables

HEADINGS = [
    "Result", "Video of the best policy", "Learning curve", "Evaluations in training", "Evaluation through nodes",
    "Exam", "Policy", "Hot swaps", "Versions", "Configuration",
]  # fmt: skip
LOADING = {
    "src",
    "href",
    "srcset",
    "data",
    "poster",
    "action",
    "background",
}  # attributes by which a page asks for more


class Page(HTMLParser):
    """What a page shows, and what it would load."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.headings: list[str] = []
        self.sources: list[str] = []
        self.tags: list[str] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.sources += [value or "" for name, value in attrs if name in LOADING]

    def handle_data(self, data: str) -> None:
        if self.tags and self.tags[-1] == "h2" and data.strip():
            self.headings.append(data)
        self.text += data


@pytest.fixture
def run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> RunDirectory:
    """A run that has ended, with all that it can have."""
    monkeypatch.chdir(tmp_path)
    run = RunDirectory(tmp_path / "runs" / "first")
    run.create(config_file.write_text(config_file.RunConfig()))
    CheckpointStore(run.checkpoints, keep_last=1).save(
        100, {"policy.safetensors": make_file().to_bytes()}, {}, is_best=True
    )
    write_tables(run, rows=5)
    summary = {"task": "inverted_pendulum", "solved": True, "env_steps": 1041, "policy_version": 58, "seed": 1}
    run.write_summary({**summary, "swap_gap_max": 0.0004, "rollbacks": 0, "versions": {"python": "3.11.7"}})
    evaluation: dict[str, object] = {
        "episodes": 4,
        "mean_return": 987.5,
        "interquartile_mean": 999.0,
        "min_return": 950.0,
    }
    evaluation |= {"interquartile_interval": [970.5, 1000.0], "chatter": {"slider_to_cart": 3.25}}
    run.evaluation.write_text(json.dumps({**evaluation, "policy_versions": [58]}))
    plants = [{"plant": "as described", "engine": "mujoco", "kept": 20}, {"plant": "x", "engine": "mujoco", "kept": 3}]
    exam = {"is_passed": False, "needed": 19, "episodes": 20, "on_plants": plants, "worst": plants[1]}
    run.exam.write_text(json.dumps({**exam, "engines": ["mujoco"], "policy_version": 58, "date": "2026-11-27"}))
    picture = np.zeros((30, 40, 3), np.uint8)
    run.exam_picture.write_bytes(png(picture))
    write_video(run.video, [picture, picture + 255], 20)
    return run


@pytest.fixture
def undrawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """No curve, which takes a second to draw."""
    monkeypatch.setattr("sac_control.cli.report.draw", lambda _, picture: picture.write_bytes(b""))


def test_page_has_everything_in_it(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    assert main.main(["report", "first"]) == 0
    assert capsys.readouterr().out == "runs/first/report.html\n"
    shown = Page(run.report.read_text())
    assert shown.headings == HEADINGS
    for word in ("1041", "999", "970.5 to 1000", "3.25", "1 of 2, in mujoco", "x in mujoco, 3 of 20 kept", "3.11.7"):
        assert word in shown.text, word
    for word in ("58", "0.0004", make_file().digest.hex(), "position(slider_to_cart)", "batch_size: 128"):
        assert word in shown.text, word
    kinds = [source.partition(";")[0] for source in shown.sources]
    assert kinds == ["data:image/gif", "data:image/png", "data:image/png"]
    assert base64.b64decode(shown.sources[0].partition(",")[2]) == run.video.read_bytes()


@pytest.mark.usefixtures("undrawn")
def test_no_request_leaves_the_page(run: RunDirectory) -> None:
    assert main.main(["report", "first"]) == 0
    text = run.report.read_text()
    shown = Page(text)
    assert all(source.startswith("data:") for source in shown.sources)
    assert not {"script", "link", "iframe", "object", "embed", "form"} & set(shown.tags)
    assert "default-src 'none'" in text
    assert not re.search(r"url\(|@import|http", re.sub(r"base64,[A-Za-z0-9+/=]+|http-equiv", "", text))


def test_what_is_missing_is_said_in_its_place(run: RunDirectory, capsys: pytest.CaptureFixture[str]) -> None:
    for path in (run.summary, run.evaluation, run.exam, run.exam_picture, run.video, run.metrics, run.evaluations):
        path.unlink()
    shutil.rmtree(run.checkpoints)
    assert main.main(["report", "first", "--output", "page.html"]) == 0
    shown = Page(Path("page.html").read_text())
    assert shown.headings == [each for each in HEADINGS if each not in ("Hot swaps", "Versions")]
    for sentence in ("has not ended", "sac_control evaluate first", "sac_control exam first", "No curve: cannot read"):
        assert sentence in shown.text
    assert "has no checkpoint yet" in shown.text


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize("content", ["", "{", "[]", "\x00"])
def test_what_is_damaged_is_said_in_its_place_and_left_alone(run: RunDirectory, content: str) -> None:
    for path in (run.summary, run.evaluation, run.exam):
        path.write_text(content)
    (run.checkpoints / "best" / "policy.safetensors").write_bytes(b"damaged")
    assert main.main(["report", "first"]) == 0
    shown = Page(run.report.read_text())
    for name in ("summary.json", "eval.json", "exam.json"):
        assert f"{name} is damaged" in shown.text
    assert run.summary.read_text() == content


@pytest.mark.usefixtures("undrawn")
def test_text_of_a_run_is_no_html(run: RunDirectory) -> None:
    run.config.write_text("</pre><script>alert(1)</script>")
    run.write_summary({"task": "<img src=http://x>", "versions": {"<b>": "&"}})
    assert main.main(["report", "first"]) == 0
    shown = Page(run.report.read_text())
    assert "script" not in shown.tags
    assert "<img src=http://x>" in shown.text
    assert all(source.startswith("data:") for source in shown.sources)


@pytest.mark.usefixtures("undrawn")
@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["absent"], "there is no run at runs/absent: `sac_control info` lists what there is"),
        (["first", "--output", "a.pdf"], "--output is 'a.pdf': expected a file that ends with .html"),
        (
            ["first", "--output", "absent/a.html"],
            "cannot write absent/a.html: No such file or directory; --output FILE",
        ),
    ],
)
def test_what_cannot_be_written_is_told_in_one_sentence(
    run: RunDirectory, capsys: pytest.CaptureFixture[str], arguments: list[str], complaint: str
) -> None:
    assert main.main(["report", *arguments]) in (1, 2)
    said = capsys.readouterr().err
    assert complaint in said
    assert len(said.splitlines()) == 1


def test_values_are_written_as_people_read_them() -> None:
    text = Page(page.values({"a": True, "b": None, "c": 0.1234567, "d": 12, "e": ""})).text
    assert text.split() == ["ayes", "b–", "c0.123457", "d12", "e–"]


def test_video_is_shown_as_one(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"film")
    assert '<video src="data:video/mp4;base64,ZmlsbQ=="' in page.picture(tmp_path / "a.mp4", "it")


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium here")
@pytest.mark.long
def test_browser_shows_its_pictures(run: RunDirectory, tmp_path: Path) -> None:
    assert main.main(["report", "first"]) == 0
    shot = tmp_path / "shot.png"
    browser = ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    done = subprocess.run(
        [*browser, "--window-size=1000,1600", f"--screenshot={shot}", run.report.as_uri()],
        capture_output=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    from matplotlib import image

    assert np.std(image.imread(shot)[:, :, :3]) > 0.05
