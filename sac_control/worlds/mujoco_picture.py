"""Pictures of a MuJoCo world by casting rays: needs neither display, nor graphics card, nor a library of OpenGL."""

from __future__ import annotations

import math

import mujoco
import numpy as np
from numpy.typing import NDArray

from sac_control.robots.robot import Camera

_SKY, _HAZE = (242, 248, 251), (226, 231, 234)  # red, green, blue of the backdrop, at its top and bottom
_LIGHT = np.array([1.0, -2.0, 3.0]) / math.sqrt(14.0)  # direction to the light
_AMBIENT, _DIFFUSE = 0.6, 0.5
_FARTHEST = 1000.0  # [m]


def take_picture(
    model: mujoco.MjModel, data: mujoco.MjData, camera: Camera, width: int, height: int
) -> NDArray[np.uint8]:
    """The geoms of a world before a plain backdrop: (height, width, 3) uint8, red, green, blue."""
    eye, rays = _rays(camera, width, height)
    count = width * height
    geoms, distances, normals = np.empty(count, np.int32), np.empty(count), np.zeros((count, 3))
    mujoco.mj_multiRay(
        model,
        data,
        eye.reshape(3, 1),
        np.ascontiguousarray(rays.reshape(-1, 1)),
        None,
        True,
        -1,
        geoms,
        distances,
        normals.reshape(-1, 1),
        count,
        _FARTHEST,
    )
    shade = _AMBIENT + _DIFFUSE * np.clip(normals @ _LIGHT, 0.0, 1.0)
    colors = np.clip(255.0 * model.geom_rgba[geoms, :3] * shade[:, np.newaxis], 0.0, 255.0)
    backdrop = np.linspace(_SKY, _HAZE, height)[:, np.newaxis, :].repeat(width, axis=1).reshape(count, 3)
    picture = np.where((geoms >= 0)[:, np.newaxis], colors, backdrop)
    return picture.astype(np.uint8).reshape(height, width, 3)


def _rays(camera: Camera, width: int, height: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where the camera is, (3,) [m], and the direction of the ray through each pixel, (height, width, 3)."""
    pitch, yaw = math.radians(camera.pitch), math.radians(camera.yaw)
    forward = np.array([-math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), math.sin(pitch)])
    right = np.array([math.cos(yaw), math.sin(yaw), 0.0])
    up = np.cross(right, forward)
    half = math.tan(math.radians(camera.field_of_view) / 2.0)
    rows = half * (1.0 - (2.0 * np.arange(height) + 1.0) / height)
    columns = half * width / height * ((2.0 * np.arange(width) + 1.0) / width - 1.0)
    rays = forward + columns[np.newaxis, :, np.newaxis] * right + rows[:, np.newaxis, np.newaxis] * up
    return np.asarray(camera.target) - camera.distance * forward, rays / np.linalg.norm(rays, axis=2, keepdims=True)
