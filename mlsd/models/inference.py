"""Networks in use: arrays in, arrays out. Nothing here needs Lightning."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from mlsd.errors import InputError
from mlsd.models.layers import FeatureNet
from mlsd.types import Ints, State

Net = TypeVar("Net", bound=nn.Module)


def score_rows(
    net: FeatureNet, dense: NDArray[np.float32], categorical: Ints, shape: tuple[int, ...] = ()
) -> NDArray[np.float32]:
    """(n, *shape) scores by a network; a row's scores depend on no other row, to the last bit.

    The network sees `net.block_rows` rows at a time, always, the last block filled up: the order of summation
    in a product, and so the last bit of a score, depends on the number of rows and of threads.

    Args:
        net: (n, n_dense), (n, n_categorical) -> (n, *shape).
        dense: (n, n_dense).
        categorical: (n, n_categorical).
        shape: of the scores of a row: none for a single one.
    """
    n_rows = net.block_rows
    inputs = (
        torch.zeros(n_rows, dense.shape[1]),
        torch.zeros(n_rows, categorical.shape[1], dtype=torch.int64),
    )
    dense_block, categorical_block = (block.numpy() for block in inputs)
    scores = np.empty((len(dense), *shape), np.float32)
    with _one_thread(), torch.inference_mode():
        for start in range(0, len(dense), n_rows):
            end = min(start + n_rows, len(dense))
            dense_block[: end - start] = dense[start:end]
            categorical_block[: end - start] = categorical[start:end]
            scores[start:end] = net(*inputs).numpy()[: end - start]
    return scores


def cpu_capability() -> str:
    """Which instructions torch computes with, such as AVX2: the last bit of a sum depends on them."""
    return str(torch.backends.cpu.get_cpu_capability())


def weights_of(net: nn.Module) -> State:
    """The network's weights by name."""
    return {name: value.numpy().copy() for name, value in net.state_dict().items()}


def with_weights(build: Callable[[], Net], state: State) -> Net:
    """A network, ready to score, with the weights of another one of the same build.

    Raises:
        InputError: Names or shapes of weights differ.
    """
    with torch.random.fork_rng(devices=[]):
        net = build()
    ours = {name: tuple(value.shape) for name, value in net.state_dict().items()}
    theirs = {name: value.shape for name, value in state.items()}
    for name in sorted({*ours, *theirs}):
        if ours.get(name) != theirs.get(name):
            raise InputError(
                f"weights {name} have shape {theirs.get(name)}, must have {ours.get(name)}: "
                "they belong to a network of other options or features"
            )
    net.load_state_dict({name: torch.from_numpy(value.copy()) for name, value in state.items()})
    net.eval()
    return net


@contextmanager
def _one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(before)
