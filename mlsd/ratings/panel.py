"""Raters, and how each of them errs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from mlsd import checks, rng
from mlsd.types import Array, Floats, Ints


def with_errors(
    grades: Floats, luck: Floats, higher_prob: Array | float, lower_prob: Array | float, max_grade: float
) -> Floats:
    """True grades as they are given: one too high or one too low at times, never beyond the scale.

    Args:
        grades: (n,) the truth.
        luck: (n,) uniform draws.
        higher_prob: P(one too high), for all or (n,).
        lower_prob: P(one too low); the two add up to 1 at most.
        max_grade: the scale's upper end; its lower end is 0.

    Example:
        >>> with_errors(np.array([0.0, 2, 4, 4]), np.array([0.95, 0.95, 0.05, 0.5]), 0.1, 0.1, 4).tolist()
        [0.0, 1.0, 4.0, 4.0]
    """
    error = (luck < higher_prob).astype(float) - (luck >= 1 - np.asarray(lower_prob))
    return np.asarray(np.clip(grades + error, 0, max_grade))


@dataclass(frozen=True, kw_only=True)
class Panel:
    """The raters. They see a request as it was meant, and err at random and each in a way of their own.

    A rater with accuracy a and bias b gives a pair its true grade with probability a, one more with
    (1 - a) (1 + b) / 2 and one less with (1 - a) (1 - b) / 2. At the ends of the scale there is nowhere to
    err to on one side, so a rater is right there more often than a.

    Args:
        n_raters: how many there are.
        accuracy: in [0, 1], a list with that of each rater, or what they are drawn around.
        accuracy_spread: standard deviation of the raters around one accuracy; they are cut to the range.
        bias: in [-1, 1], 1 errs only upwards and -1 only downwards; a list, or what they are drawn around.
        bias_spread: likewise.
    """

    n_raters: int
    accuracy: float | tuple[float, ...]
    accuracy_spread: float = 0.0
    bias: float | tuple[float, ...] = 0.0
    bias_spread: float = 0.0

    def __post_init__(self) -> None:
        checks.at_least("n_raters", self.n_raters, 1)
        self._check("accuracy", self.accuracy, self.accuracy_spread, 0)
        self._check("bias", self.bias, self.bias_spread, -1)

    def _check(self, name: str, given: float | tuple[float, ...], spread: float, low: float) -> None:
        checks.at_least(f"{name}_spread", spread, 0)
        if not isinstance(given, tuple):
            checks.between(name, given, low, 1)
            return
        rule = f"must be one for each of the raters, n_raters == {self.n_raters}"
        checks.require(len(given) == self.n_raters, name, given, rule)
        checks.require(
            spread == 0, f"{name}_spread", spread, f"must be 0 where {name} is given for each rater"
        )
        for at, one in enumerate(given):
            checks.between(f"{name}[{at}]", one, low, 1)

    def accuracies(self, seed: int) -> Floats:
        """(n_raters,) P(right), where both errors are possible."""
        return self._drawn("accuracy", self.accuracy, self.accuracy_spread, 0, seed)

    def biases(self, seed: int) -> Floats:
        """(n_raters,) in [-1, 1]."""
        return self._drawn("bias", self.bias, self.bias_spread, -1, seed)

    def _drawn(
        self, name: str, given: float | tuple[float, ...], spread: float, low: float, seed: int
    ) -> Floats:
        """Of each rater; the same however many others there are."""
        luck = rng.normal(seed, f"raters' {name}", np.arange(self.n_raters))
        return np.clip(np.asarray(given) + spread * luck, low, 1)

    def assigned(self, request_id: Ints, item: Ints, overlap: int, seed: int) -> Ints:
        """(n_pairs, overlap) who rates each pair: different raters, drawn by pair, in ascending order."""
        raters = np.arange(self.n_raters)
        luck = rng.uniform(seed, "assigned raters", request_id[:, None], item[:, None], raters)
        return np.sort(np.argsort(luck, axis=1, kind="stable")[:, :overlap], axis=1)

    def rate(
        self, grades: Floats, rater: Ints, request_id: Ints, item: Ints, max_grade: int, seed: int
    ) -> Ints:
        """(n,) the grade that each rater gives, drawn by rater, request and item.

        Args:
            grades: (n,) the truth.
            rater: (n,) who rates.
            request_id: (n,) what was asked.
            item: (n,) what is rated.
            max_grade: the scale's upper end.
            seed: of raters and of their errors.
        """
        wrong, up = 1 - self.accuracies(seed)[rater], (1 + self.biases(seed)[rater]) / 2
        luck = rng.uniform(seed, "ratings", rater, request_id, item)
        return with_errors(grades, luck, wrong * up, wrong * (1 - up), max_grade).astype(np.int64)
