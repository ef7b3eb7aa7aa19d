"""Texts and the classes they belong to: what a text classifier learns from. NumPy only."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlsd.errors import InputError
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.models.bags import Vectors
from mlsd.text import distinct
from mlsd.types import Array, Floats, Ints


class Votes(NamedTuple):
    """What somebody or something said about the class of requests, any number of times for each.

    Args:
        request_id: (n_votes,) of the request.
        label: (n_votes,) int64, the class.
        weight: (n_votes,) how much it counts, above 0.
    """

    request_id: Ints
    label: Ints
    weight: Floats


class Examples(NamedTuple):
    """Different texts and their classes.

    Args:
        texts: n_texts of them, each once.
        target: (n_texts, n_classes) float32, the share of each class among the text's votes.
        weight: (n_texts,) float32, its votes together.
    """

    texts: list[str]
    target: Vectors
    weight: Vectors

    def __len__(self) -> int:
        return len(self.texts)

    @property
    def class_weights(self) -> Floats:
        """(n_classes,) the votes for each class together."""
        return np.asarray(self.weight.astype(np.float64) @ self.target)

    @property
    def prior(self) -> Vectors:
        """(n_classes,) the share of each class, after one vote more that is for all of them alike.

        That vote keeps what nobody voted for possible.

        Example:
            >>> target = np.array([[1, 0], [1, 0]], np.float32)
            >>> Examples(["a", "b"], target, np.array([2, 1], np.float32)).prior.tolist()
            [0.875, 0.125]
        """
        votes = self.class_weights
        return np.asarray((votes + 1 / len(votes)) / (votes.sum() + 1), np.float32)


def examples_of(request_id: Ints, texts: Array, votes: Votes, n_classes: int) -> Examples:
    """Different texts with the votes of all requests that had them.

    Args:
        request_id: (n_requests,) ascending.
        texts: (n_requests,) str objects, what each request asked.
        votes: about these requests; those about others are left out.
        n_classes: classes there are.

    Example:
        >>> votes = Votes(np.array([7, 8, 9]), np.array([1, 0, 1]), np.array([1.0, 1.0, 2.0]))
        >>> texts = np.array(["jazz", "rock", "jazz"], object)
        >>> examples = examples_of(np.array([7, 8, 9]), texts, votes, n_classes=2)
        >>> examples.texts, examples.target.tolist(), examples.weight.tolist()
        (['jazz', 'rock'], [[0.0, 1.0], [1.0, 0.0]], [3.0, 1.0])
    """
    once, text_of_request = distinct(texts)
    known = np.isin(votes.request_id, request_id)
    rows = np.searchsorted(request_id, votes.request_id[known])
    cells = text_of_request[rows] * n_classes + votes.label[known]
    votes_of = np.bincount(cells, votes.weight[known], len(once) * n_classes).reshape(len(once), n_classes)
    weight = votes_of.sum(axis=1)
    kept = np.flatnonzero(weight > 0)
    target = votes_of[kept] / weight[kept, None]
    return Examples([once[row] for row in kept], target.astype(np.float32), weight[kept].astype(np.float32))


def clicked_categories(log: Log, labels: Labels, category: Ints) -> Votes:
    """A vote of each click for the category of its item, over the examination of its position.

    Args:
        log: with `click` among its impressions.
        labels: with the estimated examination; without one, a click counts once.
        category: (n_items,) of the catalog.

    Raises:
        InputError: the log has no clicks.
    """
    shown = log.impressions
    if "click" not in shown.columns:
        raise InputError(f"no action click to learn from, only {', '.join(shown.columns)}")
    clicked = shown["click"].to_numpy() > 0
    items, position = shown["item"].to_numpy()[clicked], shown["position"].to_numpy()[clicked]
    return Votes(shown["request_id"].to_numpy()[clicked], category[items], labels.weights(position))


def annotated(log: Log, name: str, classes: Sequence[str]) -> Votes:
    """A vote of each annotation.

    Args:
        log: with annotations.
        name: what was annotated, such as `intent`.
        classes: values that an annotation may have, by their number.

    Raises:
        InputError: an annotation is none of the classes.
    """
    said = annotations_of(log, name)
    numbers = {value: number for number, value in enumerate(classes)}
    labels = said["value"].map(numbers)
    if labels.isna().any():
        strange = said["value"][labels.isna()].iloc[0]
        raise InputError(f"an annotation of {name} is {strange!r}, must be one of {len(classes)} known ones")
    return Votes(said["request_id"].to_numpy(), labels.to_numpy().astype(np.int64), np.ones(len(said)))


def annotated_values(log: Log, name: str) -> list[str]:
    """The different values that annotators gave, in alphabetical order."""
    return sorted(set(annotations_of(log, name)["value"]))


def annotations_of(log: Log, name: str) -> pd.DataFrame:
    """The annotations of one kind: `request_id` and `value`.

    Raises:
        InputError: there are none.
    """
    said = log.annotations
    if said is None or not (said["name"] == name).any():
        raise InputError(
            f"nobody annotated the {name} of requests; logging.collect.annotate has some annotated"
        )
    return said[said["name"] == name]
