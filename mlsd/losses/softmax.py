"""Cross-entropy of a whole list against its labels."""

from __future__ import annotations

from typing import ClassVar

from torch import Tensor

from mlsd.losses.base import Loss, segment_ids, segment_sums


class Softmax(Loss):
    """Softmax cross-entropy of a request's candidates, listwise, weighted by labels.

        loss = mean over requests of  sum_i y_i (log sum_j exp(s_j) - s_i)

    Labels are not normalised to one within a request: the loss stays linear in them, which keeps it
    unbiased for labels divided by examination. A request without a positive label, or with one candidate,
    contributes 0. Scores are found up to a constant of each request, so they are no log-odds.

    Source: Cao, Qin, Liu, Tsai and Li (ICML 2007), top-one form; Ai, Bi, Luo, Guo and Croft (SIGIR 2018)
    for labels weighted by inverse propensity.

    Example:
        Two candidates with equal scores, the first relevant: log 2.

        >>> import torch
        >>> loss = Softmax()(torch.zeros(2), torch.tensor([1.0, 0.0]), torch.tensor([0, 2]))
        >>> round(float(loss), 4)
        0.6931
    """

    calibrated: ClassVar[bool] = False

    def __call__(self, scores: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        requests, n = segment_ids(offsets), len(offsets) - 1
        surprise = _log_sum_exp(scores, requests, n).index_select(0, requests) - scores
        return (labels * surprise).sum() / max(n, 1)


def _log_sum_exp(scores: Tensor, requests: Tensor, n: int) -> Tensor:
    """(n,) log sum exp of each request's scores; 0 for an empty one."""
    constant = scores.detach()
    highest = constant.new_zeros(n).scatter_reduce(0, requests, constant, "amax", include_self=False)
    total = segment_sums((scores - highest.index_select(0, requests)).exp(), requests, n)
    return highest + total.clamp(min=1).log()
