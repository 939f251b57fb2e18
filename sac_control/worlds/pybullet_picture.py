"""Pictures of a physics engine, drawn in software: needs neither display nor graphics card."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sac_control.robots.robot import Camera
from sac_control.worlds.pybullet_module import pybullet

_SKY, _HAZE = (242, 248, 251), (226, 231, 234)  # red, green, blue of the backdrop, at its top and bottom
_NOTHING = -1  # the segmentation of a pixel that shows no body


def take_picture(client: int, camera: Camera, width: int, height: int) -> NDArray[np.uint8]:
    """The bodies of engine `client` before a plain backdrop: (height, width, 3) uint8, red, green, blue."""
    _, _, colors, _, bodies = pybullet.getCameraImage(
        width,
        height,
        viewMatrix=pybullet.computeViewMatrixFromYawPitchRoll(
            camera.target, camera.distance, yaw=camera.yaw, pitch=camera.pitch, roll=0.0, upAxisIndex=2
        ),
        projectionMatrix=pybullet.computeProjectionMatrixFOV(camera.field_of_view, width / height, 0.1, 100.0),
        lightDirection=(1.0, -2.0, 3.0),
        lightAmbientCoeff=0.6,
        lightDiffuseCoeff=0.5,
        lightSpecularCoeff=0.1,
        shadow=0,
        renderer=pybullet.ER_TINY_RENDERER,
        physicsClientId=client,
    )
    picture = np.array(colors, dtype=np.uint8).reshape(height, width, 4)[:, :, :3]
    is_backdrop = np.reshape(bodies, (height, width, 1)) == _NOTHING
    backdrop = np.linspace(_SKY, _HAZE, height).astype(np.uint8)[:, np.newaxis, :]
    return np.where(is_backdrop, backdrop, picture)
