"""Dropout by random bytes beside torch's: python benchmarks/bench_dropout.py.

Forward and backward of 4,096 rows in a layer of 400, laid out as `deepfm` has them, in one thread, in rounds
that alternate.
"""

from __future__ import annotations

import statistics
import time

import torch
from torch import Tensor, nn

from mlsd.models.layers import ByteDropout

N_ROWS, WIDTH, SHARE, N_ROUNDS = 4_096, 400, 0.5, 50


def main() -> None:
    torch.set_num_threads(1)
    torch.manual_seed(0)
    inputs = torch.randn(WIDTH, N_ROWS).t().requires_grad_()
    ours, theirs = ByteDropout(SHARE), nn.Dropout(SHARE)
    pairs = [(seconds(ours, inputs), seconds(theirs, inputs)) for _ in range(N_ROUNDS)]
    fast, slow = (1000 * statistics.median(times) for times in zip(*pairs, strict=True))
    print(f"ByteDropout {fast:.2f} ms, nn.Dropout {slow:.2f} ms; ratio {fast / slow:.2f}")


def seconds(layer: nn.Module, inputs: Tensor) -> float:
    began = time.perf_counter()
    layer(inputs).sum().backward()
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
