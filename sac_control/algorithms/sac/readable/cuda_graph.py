"""Updates as replays of CUDA graphs: one launch instead of hundreds, which is what small updates on a GPU wait for."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import TypeAlias

import torch
from torch import Tensor

from sac_control.algorithms.sac.readable.tensors import Metrics, TensorBatch

Scale: TypeAlias = float | Tensor  # () that multiplies all learning rates
Update = Callable[[TensorBatch, Scale, bool, bool], Metrics]
_WARM_UP = 3  # eager updates before a capture: libraries allocate at their first calls, which a capture forbids


class GraphedUpdate:
    """Makes the updates of `update` by graphs that were captured from it.

    A graph repeats the same kernels on the same addresses. So batches are copied into tensors that stay. The noise is
    part of the batch: it is drawn outside, and no replay repeats it. Each combination of turns has a graph of its own.

    Args:
        update: an update that reads nothing back to Python.
        tensors: everything that `update` changes, as it is found in memory for ever.
    """

    def __init__(self, update: Update, tensors: Iterable[Tensor]) -> None:
        self._update, self._tensors = update, tuple(tensors)
        self._graphs: dict[tuple[bool, bool], tuple[torch.cuda.CUDAGraph, Metrics]] = {}
        self._batch: TensorBatch | None = None
        self._scale = torch.ones((), device=self._tensors[0].device)

    def __call__(self, batch: TensorBatch, scale: Scale, is_actors_turn: bool, is_targets_turn: bool) -> Metrics:
        """Make one update; the metrics keep their memory, and show the newest replay of their graph."""
        if self._batch is None or self._batch.reward.shape != batch.reward.shape:
            self._batch = _copy_of(batch)
            self._graphs.clear()
        for field in dataclasses.fields(TensorBatch):
            getattr(self._batch, field.name).copy_(getattr(batch, field.name))
        self._scale.fill_(scale)
        turns = (is_actors_turn, is_targets_turn)
        if turns not in self._graphs:
            self._graphs[turns] = self._captured(self._batch, turns)
        graph, metrics = self._graphs[turns]
        graph.replay()
        return metrics

    def _captured(self, batch: TensorBatch, turns: tuple[bool, bool]) -> tuple[torch.cuda.CUDAGraph, Metrics]:
        before = [tensor.clone() for tensor in self._tensors]
        stream = torch.cuda.Stream()  # type: ignore[no-untyped-call]
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(_WARM_UP):
                self._update(batch, self._scale, *turns)
        torch.cuda.current_stream().wait_stream(stream)
        for tensor, value in zip(self._tensors, before, strict=True):
            tensor.copy_(value)  # as if there had been no warm-up
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            metrics = self._update(batch, self._scale, *turns)
        return graph, metrics


def _copy_of(batch: TensorBatch) -> TensorBatch:
    return TensorBatch(**{f.name: getattr(batch, f.name).clone() for f in dataclasses.fields(TensorBatch)})
