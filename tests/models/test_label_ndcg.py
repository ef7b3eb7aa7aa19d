"""How good a ranker is after each epoch: the same nDCG as the metric's, by the ranker's own labels."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from mlsd import ragged
from mlsd.metrics.base import RankedGrades
from mlsd.metrics.ndcg import NDCG
from mlsd.models.ranking import label_ndcg


@given(st.lists(st.integers(0, 6), min_size=1, max_size=8), st.integers(0, 10**6))
def test_it_is_the_metric_without_a_cutoff(counts: list[int], seed: int) -> None:
    generator = np.random.default_rng(seed)
    offsets = ragged.offsets_of_counts(np.array(counts))
    labels = generator.integers(0, 3, offsets[-1]).astype(np.float32)
    scores = generator.normal(size=offsets[-1]).astype(np.float32)
    mean, n = label_ndcg(torch.from_numpy(scores), torch.from_numpy(labels), torch.from_numpy(offsets))
    ideal = labels[ragged.order(labels, offsets)].astype(np.float64)
    positive = ideal > 0
    grades = RankedGrades(
        labels.astype(np.float64), offsets, ideal[positive], ragged.offsets_of_mask(positive, offsets)
    )
    expected = NDCG(cutoff=None)(grades.sorted_by(scores))
    assert n == np.count_nonzero(~np.isnan(expected))
    if n:
        assert float(mean) == pytest.approx(np.nanmean(expected))
