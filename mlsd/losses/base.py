"""What training minimises. Labels may exceed 1 (see `mlsd.labels.base.Labels`).

Rankers name losses in their constructors without using torch, so torch is imported when a loss is computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, ClassVar, Literal

if TYPE_CHECKING:
    from torch import Tensor


class Loss(ABC):
    """A loss over ragged lists of candidates.

    Stateless: an instance holds only its hyperparameters.
    """

    calibrated: ClassVar[bool]
    """Whether minimising it makes scores log-odds of the label, up to down-sampling."""

    averages_over: ClassVar[Literal["candidates", "requests"]] = "requests"
    """What the mean is taken over, so that the losses of batches can be averaged with the right weights."""

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

    def base_score(self, labels: Tensor) -> float:
        """The score that is best for all candidates alike: where training starts.

        A loss that compares candidates leaves it at 0, since what all scores share changes nothing.

        Args:
            labels: (n_candidates,) float, at least 0, of all candidates trained on.
        """
        del labels
        return 0.0

    def weight(self, offsets: Tensor) -> int:
        """How much a batch's mean weighs among others: its candidates or its requests."""
        return int(offsets[-1]) if self.averages_over == "candidates" else len(offsets) - 1

    def __repr__(self) -> str:
        options = ", ".join(f"{name}={value!r}" for name, value in vars(self).items())
        return f"{type(self).__name__}({options})"


def segment_ids(offsets: Tensor) -> Tensor:
    """(n_candidates,) the request of every candidate.

    Example:
        >>> import torch
        >>> segment_ids(torch.tensor([0, 2, 2, 3])).tolist()
        [0, 0, 2]
    """
    import torch  # noqa: PLC0415  (rankers name losses without loading torch)

    return torch.repeat_interleave(offsets.diff())


def segment_sums(values: Tensor, segments: Tensor, n_segments: int) -> Tensor:
    """(n_segments,) sum of the values of each segment; 0 for an empty one.

    Example:
        >>> import torch
        >>> segment_sums(torch.tensor([1.0, 2.0, 4.0]), torch.tensor([0, 0, 2]), 3).tolist()
        [3.0, 0.0, 4.0]
    """
    return values.new_zeros(n_segments).index_add(0, segments, values)
