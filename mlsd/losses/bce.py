"""Binary cross-entropy of each candidate by itself."""

from __future__ import annotations

from typing import ClassVar, Literal

from torch import Tensor, logit
from torch.nn.functional import softplus

from mlsd.losses.base import Loss


class BCE(Loss):
    """Binary cross-entropy with logits, pointwise: scores become log-odds of the label.

        loss = mean over candidates of  softplus(s) - y s

    Linear in the label, so it is also defined for labels above 1: with y = click / examination its mean is
    the loss that clicks would give if every position were examined like the first.

    Source: Saito, Yaginuma, Nishino, Sakata and Nakata (WSDM 2020), for the form with weighted labels.

    Example:
        One candidate, score 0: log 2 whatever its label.

        >>> import torch
        >>> loss = BCE()(torch.zeros(1), torch.ones(1), torch.tensor([0, 1]))
        >>> round(float(loss), 4)
        0.6931
    """

    calibrated: ClassVar[bool] = True
    averages_over: ClassVar[Literal["candidates", "requests"]] = "candidates"

    def base_score(self, labels: Tensor) -> float:
        """The log-odds of the mean label, which is kept within [0.001, 0.999].

        Example:
            >>> import torch
            >>> round(BCE().base_score(torch.tensor([1.0, 0.0, 0.0, 0.0])), 4)  # -log 3
            -1.0986
        """
        return float(logit(labels.mean().clamp(0.001, 0.999)))

    def __call__(self, scores: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        return (softplus(scores) - labels * scores).sum() / max(self.weight(offsets), 1)
