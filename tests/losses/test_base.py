"""Segments of a ragged batch, as tensors."""

from __future__ import annotations

import subprocess
import sys

import torch

from mlsd.losses.base import segment_ids, segment_sums
from mlsd.losses.bce import BCE
from mlsd.losses.lambdarank import LambdaRank
from mlsd.losses.softmax import Softmax

OFFSETS = torch.tensor([0, 0, 3, 3, 5])


def test_segments_skip_empty_requests() -> None:
    assert segment_ids(OFFSETS).tolist() == [1, 1, 1, 3, 3]
    values = torch.tensor([1.0, 2.0, 4.0, 8.0, 16.0])
    assert segment_sums(values, segment_ids(OFFSETS), 4).tolist() == [0, 7, 0, 24]


def test_weight_is_what_the_mean_is_taken_over() -> None:
    assert BCE().weight(OFFSETS) == 5
    assert Softmax().weight(OFFSETS) == 4


def test_a_loss_is_shown_with_its_options() -> None:
    assert repr(BCE()) == "BCE()"
    assert repr(LambdaRank(cutoff=5)) == "LambdaRank(sigma=1.0, cutoff=5, gain='linear')"


def test_base_does_not_load_torch() -> None:
    code = "import sys, mlsd.losses.base, mlsd.rankers.dcn_v2; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
