"""People who say what requests are, and sometimes err."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from mlsd import checks, rng
from mlsd.errors import InputError, nearest
from mlsd.logs import ANNOTATION_COLUMNS, Log
from mlsd.types import Array, Ints
from mlsd.worlds.base import World

ANNOTATED_SPLITS = ("retrieval", "validation")
"""The windows whose requests are annotated: the first, earlier one, which request stages learn from so that
their columns are honest features for the rankers, and the one that they are stopped and calibrated on."""


@dataclass(frozen=True, kw_only=True)
class Annotators:
    """Say what a sample of the logged requests is, such as its intent: one answer to each question.

    An answer is the truth with the declared accuracy, else another value, each as likely, of those that are
    true of some request of the same windows. Where one value alone is, nobody errs. Draws are keyed by
    request, so that a larger sample holds a smaller one; the test window is never annotated.

    Args:
        n_requests: how many are annotated, all where there are fewer. Each costs an answer to each question.
        accuracy: what is asked, a column of `World.truth_of` -> P(the answer is true), in (0, 1].
    """

    n_requests: int
    accuracy: Mapping[str, float]

    def __post_init__(self) -> None:
        checks.at_least("n_requests", self.n_requests, 1)
        checks.not_empty("accuracy", self.accuracy)
        for name, probability in self.accuracy.items():
            checks.probability(f"accuracy.{name}", probability)

    def annotate(self, world: World, log: Log, seed: int) -> pd.DataFrame:
        """The answers, as in `Log.annotations`, sorted by request and question.

        Args:
            world: knows the truth.
            log: whose requests are annotated.
            seed: of the sample and of the errors.

        Raises:
            InputError: the world does not know what is asked.
        """
        requests = log.window(*ANNOTATED_SPLITS).requests
        truth = world.truth_of(requests)
        luck = rng.uniform(seed, "annotated", requests.request_id)
        chosen = np.sort(np.argsort(luck, kind="stable")[: self.n_requests])
        asked = requests.request_id[chosen]
        tables = [
            _answers(name, asked, *_numbered(name, truth, chosen), accuracy, seed)
            for name, accuracy in sorted(self.accuracy.items())
        ]
        return pd.concat(tables).sort_values(["request_id", "name"], ignore_index=True)


def _numbered(name: str, truth: Mapping[str, Array], chosen: Ints) -> tuple[Array, Ints]:
    """The different values of the truth, and which of them the chosen requests have."""
    if name not in truth:
        known = ", ".join(sorted(truth)) or "nothing"
        close = nearest(name, sorted(truth))
        hint = f"; nearest is {close!r}" if close else ""
        raise InputError(
            f"annotate.accuracy: the world knows no {name!r} of its requests, only {known}{hint}"
        )
    values, numbers = np.unique(truth[name], return_inverse=True)
    return values, numbers[chosen]


def _answers(
    name: str, request_id: Ints, values: Array, true: Ints, accuracy: float, seed: int
) -> pd.DataFrame:
    """One answer for each request."""
    errs = rng.uniform(seed, f"annotation of {name}", request_id) >= accuracy
    step = 1 + rng.integers(seed, f"mistaken {name}", max(len(values) - 1, 0), request_id)
    given = np.where(errs & (len(values) > 1), (true + step) % max(len(values), 1), true)
    said = np.array([str(value) for value in values], object)[given]
    return pd.DataFrame(dict(zip(ANNOTATION_COLUMNS, (request_id, name, said), strict=True)))
