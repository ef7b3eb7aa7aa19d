"""What the text of a request may mean, and which items serve each meaning."""

from __future__ import annotations

import numpy as np

from mlsd import ragged
from mlsd.types import Floats, Ints, Subtopics
from mlsd.worlds.search.forms import Forms
from mlsd.worlds.search.queries import Queries
from mlsd.worlds.search.relevance import Relevance


def subtopics_of(
    texts: Ints, time_days: Floats, forms: Forms, queries: Queries, truth: Relevance, relevant_grade: float
) -> Subtopics:
    """The topics that each text may be about, in order of their numbers, with the items that serve them.

        P(topic | text) = popularity of the queries of the topic that have this text, of all that have it

    Args:
        texts: (n_requests,) rows of `forms.text`.
        time_days: (n_requests,) when each is asked.
        forms: the texts of all queries.
        queries: what is asked for.
        truth: what is relevant to each query.
        relevant_grade: the lowest grade of an item that serves.
    """
    text_offsets, queries_of = forms.queries_of
    rows, offsets = ragged.take_segments(text_offsets, texts)
    query, request = queries_of[rows], ragged.segment_ids(offsets)
    number = _numbers(queries.topic[query], request)
    weight = queries.weight[query] / ragged.sums(queries.weight[query], offsets)[request]

    found, items, grades = truth.relevant(query, time_days[request])
    kept = grades >= relevant_grade
    asked = ragged.segment_ids(found)[kept]
    width = 1 + int(number.max(initial=0))
    weights = np.zeros(len(texts) * width)
    np.add.at(weights, request * width + number, weight)
    served = np.unique(np.stack([request[asked], items[kept], number[asked]], axis=1), axis=0)
    of_request, item, subtopic = served.T
    counts = np.bincount(of_request, minlength=len(texts))
    return Subtopics(ragged.offsets_of_counts(counts), item, subtopic, weights[of_request * width + subtopic])


def _numbers(topic: Ints, request: Ints) -> Ints:
    """0, 1, ... for the topics of each request, which stand together.

    Example:
        >>> _numbers(np.array([3, 3, 8, 5, 7]), np.array([0, 0, 0, 1, 1])).tolist()
        [0, 0, 1, 0, 1]
    """
    same_request = request[1:] == request[:-1]
    step = np.concatenate([[0], (same_request & (topic[1:] != topic[:-1])).astype(np.int64)])[: len(topic)]
    total = np.cumsum(step)
    first = np.concatenate([[True], ~same_request])[: len(topic)]
    return np.asarray(total - np.maximum.accumulate(np.where(first, total, 0)), dtype=np.int64)
