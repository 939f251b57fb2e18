"""Machine, plots and words on the page. Knows neither runs nor topics: it is told what to show."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import viser

from sac_control.errors import ConfigError
from sac_control.robots.drawing import Drawing, DrawnBody, Pose, local_pose
from sac_control.robots.robot import Camera
from sac_control.types import FloatArray
from sac_control.watch.motion import Sample, columns
from sac_control.watch.solids import mesh_of

COLORS = ("#1f77b4", "#e8590c", "#2f9e44", "#9c36b5", "#c92a2a", "#0b7285", "#846358", "#495057")
_LEFT, _RIGHT = 380, 440  # [px] widths of the panels
_TRACE, _CURVE = 150, 190  # [px] heights of plots
_NOTHING = np.zeros(1)  # what a plot holds that has nothing to show yet
_PLAIN = {"ticks": {"show": False}, "gap": 2}
_FLOOR = (200, 205, 210)


class Plot:
    """One diagram; its lines are named when they are known."""

    def __init__(self, gui: viser.GuiApi, title: str, height: int, *, right: str = "") -> None:
        self._gui, self._title, self._height = gui, title, height
        self._right = right  # the line that has an axis of its own, at the right
        self._place = gui.add_folder(title)
        self._names: tuple[str, ...] = ()
        self._range = 0.0, 1.0
        self._handle: Any = None

    def show(self, names: Sequence[str], data: Sequence[FloatArray], dots: Sequence[str] = ()) -> None:
        """Draw lines `names` over ``data[0]``; those in `dots` as points."""
        data = tuple(np.ascontiguousarray(each, float) for each in data)
        ends = _ends([each for name, each in zip(names, data[1:], strict=True) if name != self._right], self._range)
        if self._handle is None or self._names != tuple(names):
            if self._handle is not None:
                self._handle.remove()
            self._names, self._range = tuple(names), ends
            with self._place:
                self._handle = self._gui.add_uplot(data, **self._options(dots))
            return
        if ends != self._range:
            self._range = ends
            self._handle.scales = self._scales()
        self._handle.data = data

    def clear(self) -> None:
        """Show nothing."""
        if self._handle is not None:
            self._handle.remove()
        self._handle, self._names = None, ()

    def _options(self, dots: Sequence[str]) -> dict[str, Any]:
        series: list[Any] = [{"label": ""}]
        for number, name in enumerate(self._names):
            line: dict[str, Any] = {
                "label": name,
                "stroke": COLORS[number % len(COLORS)],
                "width": 0 if name in dots else 1.5,
                "scale": "right" if name == self._right else "y",
                "spanGaps": True,
            }
            line["points"] = {"show": name in dots or name == self._right, "size": 4, "fill": line["stroke"]}
            series.append(line)
        axes: list[Any] = [{"size": 34, **_PLAIN}, {"size": 52, **_PLAIN}]
        if self._right:
            axes.append({"scale": "right", "side": 1, "size": 36, "grid": {"show": False}, "ticks": {"show": False}})
        return {
            "series": tuple(series),
            "scales": self._scales(),
            "axes": tuple(axes),
            "legend": {"show": True},
            "height": self._height,
            "padding": (12, 8, 0, 0),  # [px] above, so that the highest number on the axis is whole
        }

    def _scales(self) -> dict[str, Any]:
        scales: dict[str, Any] = {"x": {"time": False}, "y": {"range": self._range}}
        return {**scales, "right": {"range": (0.0, 105.0)}} if self._right else scales


def _ends(lines: Sequence[FloatArray], before: tuple[float, float]) -> tuple[float, float]:
    """A range that holds all finite numbers, of round ends so that it seldom changes: uPlot finds none among NaN."""
    values = np.concatenate([line[np.isfinite(line)] for line in lines]) if lines else np.zeros(0)
    if not values.size:
        return before
    low, high = float(values.min()), float(values.max())
    step = 10.0 ** math.floor(math.log10(max(high - low, 1e-6)))
    step = step if high - low > 4.0 * step else step / 2.0
    ends = step * math.floor(low / step), step * math.ceil(high / step)
    return ends if ends[0] < ends[1] else (low - step, high + step)


@dataclass(kw_only=True)
class _Moving:
    """A part of the machine that joints move."""

    handle: Any  # of viser
    body: DrawnBody
    names: dict[str, str]  # joint in the drawing -> its name in joint states
    pose: Pose  # as it was sent last


class Page:
    """The page of one server.

    Attributes:
        start: control that chooses a recorded transition.
        is_playing: control that lets recorded motion go on.
    """

    def __init__(self, server: viser.ViserServer) -> None:
        self._server, gui = server, server.gui
        self._moving: list[_Moving] = []
        self._is_drawn = False
        server.scene.set_up_direction("+z")
        server.scene.add_grid("/floor", width=6.0, height=6.0, position=(0.0, 0.0, 0.0), cell_color=_FLOOR)
        gui.set_panel_label("sac_control watch")
        panel = gui.add_panel()
        with panel.add_tab("Machine"):
            self._machine = gui.add_markdown("")
            self._replay = gui.add_folder("recorded transitions", visible=False)
            with self._replay:
                self.start = gui.add_slider("transition", min=0, max=1, step=1, initial_value=0)
                self.is_playing = gui.add_checkbox("go on", initial_value=True)
            self._position = Plot(gui, "position [rad or m]", _TRACE)
            self._velocity = Plot(gui, "velocity [rad/s or m/s]", _TRACE)
            self._command = Plot(gui, "command", _TRACE)
        with panel.add_tab("Diagnostics"):
            self._diagnostics = gui.add_markdown("")
        panel.dock_left()
        panel.set_width(_LEFT)
        self._training = gui.add_markdown("")
        self._returns = Plot(gui, "return over transitions", _CURVE, right="plants passed [%]")
        self._losses = Plot(gui, "losses", _CURVE)
        self._temperature = Plot(gui, "temperature and entropy", _CURVE)
        gui.main_panel.dock_right()
        gui.main_panel.set_width(_RIGHT)
        self._words: dict[str, str] = {}

    @property
    def is_seen(self) -> bool:
        """Whether a browser shows it."""
        return bool(self._server.get_clients())

    def say(self, *, machine: str | None = None, training: str | None = None, diagnostics: str | None = None) -> None:
        """Show words, as Markdown; those that did not change are not sent again."""
        for name, text in (("machine", machine), ("training", training), ("diagnostics", diagnostics)):
            if text is not None and self._words.get(name) != text:
                self._words[name] = text
                getattr(self, f"_{name}").content = text

    def draw(self, drawing: Drawing, names: Mapping[str, str]) -> None:
        """Put the machine on the page, its joints at zero.

        Args:
            drawing: the machine.
            names: joint in the drawing -> its name in joint states, where another.

        Raises:
            ConfigError: a mesh cannot be read.
        """
        self.erase()
        paths: list[str] = []
        for place, body in enumerate(drawing.bodies):
            path = f"{paths[body.parent] if body.parent >= 0 else '/machine'}/{place}"
            paths.append(path)
            pose = local_pose(body, {})
            handle = self._server.scene.add_frame(path, show_axes=False, wxyz=pose.turn, position=pose.position)
            if body.joints:
                named = {joint.name: names.get(joint.name, joint.name) for joint in body.joints}
                self._moving.append(_Moving(handle=handle, body=body, names=named, pose=pose))
            for number, shape in enumerate(body.shapes):
                vertices, faces = mesh_of(shape)
                red, green, blue, opacity = shape.color
                self._server.scene.add_mesh_simple(
                    f"{path}/shape{number}",
                    vertices,
                    faces,
                    color=(round(255 * red), round(255 * green), round(255 * blue)),
                    opacity=None if opacity >= 1.0 else opacity,
                    flat_shading=shape.kind in ("box", "mesh", "cylinder"),
                    position=shape.pose.position,
                    wxyz=shape.pose.turn,
                )
        self._is_drawn = True

    def erase(self) -> None:
        """Take the machine off the page."""
        if self._is_drawn:
            self._server.scene.remove_by_name("/machine")
        self._moving, self._is_drawn = [], False

    def look_by(self, camera: Camera) -> None:
        """How browsers that come look at the machine; the floor is below what they see of it."""
        first = self._server.initial_camera
        first.position, first.look_at = _eye(camera), camera.target
        floor = camera.target[2] - 0.45 * camera.distance * math.tan(math.radians(20.0))
        self._server.scene.add_grid("/floor", width=6.0, height=6.0, position=(0.0, 0.0, floor), cell_color=_FLOOR)

    def move(self, positions: Mapping[str, float]) -> None:
        """Move the machine's joints to `positions` [rad or m]."""
        with self._server.atomic():
            for each in self._moving:
                at = {joint: positions[name] for joint, name in each.names.items() if name in positions}
                pose, before = local_pose(each.body, at), each.pose
                # A joint slides or turns, and viser takes as long to see that a value is the same as to send another.
                if pose.position != before.position:
                    each.handle.position = pose.position
                if pose.turn != before.turn:
                    each.handle.wxyz = pose.turn
                each.pose = pose

    def trace(self, samples: Sequence[Sample], names: Sequence[str], driven: Sequence[str]) -> None:
        """Draw the newest stretch of motion."""
        for plot, name, labels in (
            (self._position, "position", names),
            (self._velocity, "velocity", names),
            (self._command, "command", driven),
        ):
            data = columns(samples, name)
            if len(data) == len(labels) + 1:
                plot.show(labels, data)
            else:
                plot.clear()

    def learn(self, returns: Sequence[FloatArray], told: Mapping[str, FloatArray]) -> None:
        """Draw how the training went."""
        names = ("episode", "mean of 100", "evaluation", "plants passed [%]")
        if len(returns[0]):
            self._returns.show(names, returns, dots=("episode",))
        steps = told.get("env_steps", _NOTHING)
        losses = {name: values for name, values in told.items() if name.endswith("_loss") and name != "alpha_loss"}
        others = {name: told[name] for name in ("alpha", "entropy") if name in told}
        for plot, lines in ((self._losses, losses), (self._temperature, others)):
            if len(steps) and lines:
                plot.show(tuple(lines), (steps, *lines.values()))

    def offer(self, count: int) -> None:
        """Let a recording of `count` transitions be chosen from; 0: there is none."""
        self._replay.visible = count > 0
        if count > 1 and self.start.max != count - 1:
            self.start.max = count - 1

    def clear(self) -> None:
        """Begin anew, for another run."""
        self.erase()
        for plot in (self._position, self._velocity, self._command, self._returns, self._losses, self._temperature):
            plot.clear()
        self.say(machine="", training="", diagnostics="")
        self.offer(0)


def refused(error: ConfigError) -> str:
    """Why there is no machine, in words."""
    return f"*The machine is not drawn: {error}*"


def _eye(camera: Camera) -> tuple[float, float, float]:
    """Where the camera is [m]; the page's opening angle is wider than a picture's."""
    pitch, yaw = math.radians(camera.pitch), math.radians(camera.yaw)
    distance = 0.42 * camera.distance
    forward = (-math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch))
    x, y, z = (at - distance * along for at, along in zip(camera.target, forward, strict=True))
    return x, y, z
