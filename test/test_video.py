"""Videos of a policy, without a display."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from policies import make_file
from sac_control.errors import ConfigError, RunError
from sac_control.policy.policy_file import PolicyFile
from sac_control.video import encoding
from sac_control.video.encoding import check_kind, write_video
from sac_control.video.film import Take, film
from sac_control.video.label import Command, labelled

TAKE = Take(seconds=0.5, size=(160, 120), fps=20, seed=3)


@pytest.fixture
def file() -> PolicyFile:
    return make_file()


def pictures(count: int, width: int = 64, height: int = 48) -> list[NDArray[np.uint8]]:
    """A white square that moves over black."""
    made: list[NDArray[np.uint8]] = [np.zeros((height, width, 3), np.uint8) for _ in range(count)]
    for k, picture in enumerate(made):
        picture[10:20, 3 * k : 3 * k + 10] = 255
    return made


@pytest.mark.parametrize("engine", [pytest.param("pybullet", marks=pytest.mark.needs("pybullet")), "mujoco"])
def test_film_has_the_pictures_of_the_first_seconds_and_needs_no_display(
    file: PolicyFile, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    taken = film(file, "inverted_pendulum", engine, TAKE)
    assert 3 <= len(taken) <= 11  # it may fall
    assert {each.shape for each in taken} == {(120, 160, 3)}
    assert np.abs(taken[0].astype(int) - taken[-1]).max() > 50  # something moves
    assert len({picture.tobytes() for picture in taken}) == len(taken)


def test_same_seed_films_the_same_and_another_one_another_start(file: PolicyFile) -> None:
    first, again, other = (
        film(file, "inverted_pendulum", "mujoco", Take(seconds=0.1, size=(160, 120), fps=20, seed=seed))
        for seed in (3, 3, 4)
    )
    assert np.array_equal(first[0], again[0])
    assert not np.array_equal(first[0], other[0])


@pytest.mark.parametrize(("share", "side"), [(0.9, 1), (-0.9, -1), (0.0, 0)])
def test_arrow_points_where_the_command_does(share: float, side: int) -> None:
    blank = np.full((120, 320, 3), 255, np.uint8)
    drawn = labelled(blank, "1.00 s", [Command(name="arm", share=share, text="+1.00 N m")])
    is_arrow = (drawn[:, :, 0].astype(int) - drawn[:, :, 2]) > 100
    columns = np.nonzero(is_arrow)[1]
    if side == 0:
        assert columns.size == 0
    else:
        assert np.all(np.sign(columns - 240 + 0.5 * side) == side)
        assert columns.size > 100
    assert np.array_equal(blank, np.full_like(blank, 255))  # the picture itself stays


def test_title_is_at_the_top_and_each_command_has_a_line_of_its_own() -> None:
    blank = np.full((160, 320, 3), 255, np.uint8)
    commands = [Command(name=name, share=0.0, text="") for name in ("one", "two", "three")]
    dark = (labelled(blank, "title", commands)[:, :160].min(axis=2) < 128).any(axis=1)
    lines = np.count_nonzero(np.diff(dark.astype(int)) == 1)
    assert dark[:30].any()
    assert lines >= 4


def test_gif_has_every_picture_and_repeats_for_ever(tmp_path: Path) -> None:
    path = tmp_path / "a.gif"
    write_video(path, pictures(5), 20)
    with Image.open(path) as gif:
        assert (gif.n_frames, gif.info["duration"], gif.info["loop"], gif.size) == (5, 50, 0, (64, 48))
        gif.seek(4)
        shown = np.asarray(gif.convert("L"))
    assert shown[15, 15] > 200
    assert shown[15, 5] < 50
    assert [each.name for each in tmp_path.iterdir()] == ["a.gif"]


def test_mp4_is_read_back_with_every_picture(tmp_path: Path) -> None:
    import imageio_ffmpeg

    path = tmp_path / "a.mp4"
    write_video(path, pictures(5, width=65, height=49), 25)
    reader = imageio_ffmpeg.read_frames(str(path))
    about = next(reader)
    assert about["size"] == (64, 48)
    assert about["fps"] == 25.0
    frames = list(reader)
    assert len(frames) == 5
    shown = np.frombuffer(frames[4], np.uint8).reshape(48, 64, 3)
    assert shown[15, 15].min() > 180
    assert [each.name for each in tmp_path.iterdir()] == ["a.mp4"]


@pytest.mark.parametrize("name", ["a.avi", "a", "a.png"])
def test_other_kinds_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(ConfigError, match=r"expected one of \.gif, \.mp4"):
        check_kind(tmp_path / name)


def test_missing_encoder_is_told_with_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(encoding.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ConfigError, match=f"{sys.executable} -m pip install imageio-ffmpeg; a .gif needs none"):
        check_kind(tmp_path / "a.mp4")
    with pytest.raises(ConfigError, match="pip install pillow$"):
        check_kind(tmp_path / "a.gif")


def test_place_that_cannot_be_written_is_told_before_and_after(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be written: name another file"):
        check_kind(tmp_path / "absent" / "a.gif")
    with pytest.raises(RunError, match="No such file or directory"):
        write_video(tmp_path / "absent" / "a.gif", pictures(2), 20)


def test_video_that_fails_leaves_the_one_before(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", "/bin/false")
    monkeypatch.setattr("PIL.Image.Image.save", lambda *_, **__: Path("/dev/full").write_bytes(bytes(10)))
    for kind in ("gif", "mp4"):
        path = tmp_path / f"a.{kind}"
        path.write_bytes(b"before")
        with pytest.raises(RunError, match=f"cannot write the video {path}: "):
            write_video(path, pictures(3), 20)
        assert path.read_bytes() == b"before"
    assert sorted(each.name for each in tmp_path.iterdir()) == ["a.gif", "a.mp4"]
