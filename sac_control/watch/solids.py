"""Shapes of a drawing as meshes."""

from __future__ import annotations

from typing import Any

import numpy as np
import trimesh

from sac_control.errors import ConfigError
from sac_control.robots.drawing import Shape

_MOST_FACES = 200_000  # of one mesh: a browser has to draw them


def mesh_of(shape: Shape) -> tuple[Any, Any]:
    """Its vertices, (v, 3) float32 [m], and faces, (f, 3) uint32.

    Raises:
        ConfigError: the file of a mesh cannot be read, or is too large.
    """
    if shape.kind == "mesh":
        mesh = _loaded(shape)
    elif shape.kind == "box":
        mesh = trimesh.creation.box(extents=shape.size)
    elif shape.kind == "cylinder":
        mesh = trimesh.creation.cylinder(radius=shape.size[0], height=shape.size[1], sections=32)
    elif shape.kind == "capsule":
        mesh = trimesh.creation.capsule(radius=shape.size[0], height=shape.size[1], count=[24, 24])
        mesh.apply_translation(-mesh.bounds.mean(axis=0))
    else:
        radii = shape.size if shape.kind == "ellipsoid" else 3 * shape.size
        mesh = trimesh.creation.icosphere(subdivisions=3)
        mesh.apply_scale(radii)
    if len(mesh.faces) > _MOST_FACES:
        raise ConfigError(f"{shape.file} has {len(mesh.faces)} faces: expected at most {_MOST_FACES}, simplify it")
    return np.asarray(mesh.vertices, np.float32), np.asarray(mesh.faces, np.uint32)


def _loaded(shape: Shape) -> Any:
    if shape.file is None:
        return trimesh.Trimesh(shape.vertices, shape.faces, process=False)
    try:
        mesh = trimesh.load(shape.file, force="mesh")
    except (OSError, ValueError, ImportError, NotImplementedError) as error:
        raise ConfigError(f"mesh {shape.file} cannot be read ({error}): convert it to STL or OBJ") from error
    mesh.apply_scale(shape.scale)
    return mesh
