"""What training minimises. Labels may exceed 1 (see `mlsd.labels.base.Labels`)."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

from torch import Tensor


class Loss(ABC):
    """A loss over ragged lists of candidates.

    Stateless: an instance holds only its hyperparameters.
    """

    calibrated: ClassVar[bool]
    """Whether minimising it makes scores log-odds of the label, up to down-sampling."""

    @abstractmethod
    def __call__(self, scores: Tensor, labels: Tensor, offsets: Tensor) -> Tensor:
        """The mean loss of a batch.

        Args:
            scores: (n_candidates,) float.
            labels: (n_candidates,) float, at least 0.
            offsets: (n_requests + 1,) int64.

        Returns:
            A scalar; 0 with a gradient of 0 when nothing in the batch can be learnt from.
        """
