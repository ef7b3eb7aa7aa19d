"""A text collection with graded judgements, as it was published."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from mlsd import checks, rng
from mlsd.datasets import beir
from mlsd.errors import InputError
from mlsd.logs import Log, impressions_of
from mlsd.text import Vocabulary
from mlsd.types import Array, Catalog, Ints, Judgements, Requests, Served, Slates
from mlsd.worlds.base import RecordedWorld

_LEARNING = ("ranking", "validation")


class _Asked(NamedTuple):
    """The judged queries as requests."""

    requests: Requests

    split: Array
    """(n_requests,) the window of each."""


class BeirWorld(RecordedWorld):
    """A collection in BEIR layout: every judged query is asked once, at time 0, by a user of its own.

    Published splits are kept: `test` is the test window, `train` the ranking window and `dev` the
    validation window. Without `dev`, a share of the training queries validates; without `train`, `dev` is
    learnt from in its place; without either, a share of the test queries is set apart to learn from, and
    figures are over the others. Queries are set apart by a hash of their id, so the order of lines does not
    matter. Item, query and grade are all that is known: nobody was shown anything, so the log has no
    impressions, and what it has of judgements is of the learning windows alone.

    Requests have `query` (text), `query_id` (int64, one for each different text) and `external_query_id`.

    Args:
        path: folder of the collection; see `mlsd.datasets.beir`.
        seed: of the hash that sets queries apart.
        train_share: of the test queries that is learnt from where neither `train` nor `dev` is published.
        validation_share: of the queries learnt from that is kept for validation where `dev` is not
            published beside `train`.
        unknown_ids: whether judgements of unknown items or queries are an error or left out.
    """

    catalog_columns = frozenset({"title", "text"})

    def __init__(
        self,
        path: str,
        seed: int = 0,
        train_share: float = 0.5,
        validation_share: float = 0.2,
        unknown_ids: beir.UnknownIds = "error",
    ) -> None:
        self.folder = Path(str(path)).expanduser()
        problem = beir.missing_files(self.folder)
        checks.require(not problem, "path", path, f"must be the folder of a collection: {problem}")
        self.seed = seed
        self.train_share = checks.share("train_share", train_share)
        self.validation_share = checks.share("validation_share", validation_share)
        self.unknown_ids = unknown_ids

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.folder.resolve().name

    @property
    def catalog(self) -> Catalog:
        return self._collection.catalog

    @property
    def fingerprint(self) -> str:
        return f"{self._collection.name} {self._collection.fingerprint}"

    @property
    def max_grade(self) -> float:
        return max(self.relevant_grade, float(self._judged.grade.max()))

    @property
    def notes(self) -> tuple[str, ...]:
        return tuple(note for note in (self._note_on_splits(), *self._notes_on_queries()) if note)

    def requests(self) -> Requests:
        """Every judged query once, in the order of the file of queries."""
        return self._asked.requests

    def judgements(self, requests: Requests) -> Judgements:
        judged, positive = self._judged, self._judged.grade > 0
        offsets = np.searchsorted(judged.query[positive], np.arange(len(self._collection.query) + 1))
        return Judgements(offsets, judged.item[positive], judged.grade[positive]).take(requests.user)

    def segments(self, requests: Requests) -> Mapping[str, Array]:
        """`query_length`: a query with more words than the median judged query is long."""
        asked = self._n_words[self._asked.requests.user]
        return {"query_length": np.where(self._n_words[requests.user] > np.median(asked), "long", "short")}

    def log(self) -> Log:
        requests, split = self._asked
        nothing = Served(requests.take(np.arange(0)), Slates(np.zeros((0, 0), np.int64)), {})
        query, item, grade = self._judged
        row = np.searchsorted(requests.user, query)
        judged = pd.DataFrame({"request_id": requests.request_id[row], "item": item, "grade": grade})
        learnt = np.isin(split[row], _LEARNING)
        return Log(requests, impressions_of(nothing), split, judged[learnt].reset_index(drop=True))

    @cached_property
    def _collection(self) -> beir.Collection:
        return beir.read(self.folder, self.unknown_ids)

    @cached_property
    def _judged(self) -> beir.Qrels:
        """The judgements of all splits, ascending by query, then item."""
        parts = self._collection.qrels.values()
        query, item = (np.concatenate([part[column] for part in parts]) for column in (0, 1))
        order = np.lexsort((item, query))
        return beir.Qrels(query[order], item[order], np.concatenate([part.grade for part in parts])[order])

    @cached_property
    def _asked(self) -> _Asked:
        splits = self._splits
        query = np.sort(np.concatenate(list(splits.values())))
        split = np.empty(len(query), dtype=f"<U{max(map(len, splits))}")
        for name, rows in splits.items():
            split[np.searchsorted(query, rows)] = name
        text = self._collection.query[query]
        columns = {
            "query": text,
            "query_id": pd.factorize(text)[0].astype(np.int64),
            "external_query_id": self._collection.query_id[query],
        }
        zeros = np.zeros(len(query), np.int64)
        return _Asked(Requests(np.arange(len(query)), query, zeros, zeros.astype(np.float64), columns), split)

    @cached_property
    def _splits(self) -> dict[str, Ints]:
        """Window -> rows of its queries."""
        published = {split: np.unique(qrels.query) for split, qrels in self._collection.qrels.items()}
        self._check_apart(published)
        test = published["test"]
        if "train" in published and "dev" in published:
            return {"ranking": published["train"], "validation": published["dev"], "test": test}
        learnt = published.get("train", published.get("dev"))
        if learnt is None:
            learnt, test = self._set_apart(test, self.train_share, "learning queries")
        validation, ranking = self._set_apart(learnt, self.validation_share, "validation queries")
        return {"ranking": ranking, "validation": validation, "test": test}

    def _check_apart(self, published: Mapping[str, Ints]) -> None:
        """Refuse queries that are judged in two splits: a test that was learnt from is none."""
        queries = np.concatenate(list(published.values()))
        query, counts = np.unique(queries, return_counts=True)
        twice = self._collection.query_id[query[counts > 1]]
        if len(twice):
            shown = ", ".join(map(repr, twice[:3]))
            splits = ", ".join(published)
            raise InputError(
                f"{self._collection.name}: {len(twice)} queries are judged in two of the splits {splits}, "
                f"first {shown}; a query must be in one"
            )

    def _set_apart(self, rows: Ints, share: float, stream: str) -> tuple[Ints, Ints]:
        """A share of the queries, those with the lowest hashes of their ids, and the others."""
        ids = pd.util.hash_array(self._collection.query_id[rows])
        order = np.argsort(rng.uniform(self.seed, stream, ids), kind="stable")
        n = round(share * len(rows))
        return np.sort(rows[order[:n]]), np.sort(rows[order[n:]])

    @cached_property
    def _n_words(self) -> Ints:
        """(n_queries,) words of each query, without stop words."""
        return np.diff(Vocabulary.learn(self._collection.query.tolist())[1].offsets)

    def _note_on_splits(self) -> str:
        """How the windows came about, where they are not the published splits."""
        n = {window: len(rows) for window, rows in self._splits.items()}
        published, name = self._collection.qrels, self._collection.name
        apart = f"{n['validation']} of {n['ranking'] + n['validation']}"
        if "train" in published:
            return (
                ""
                if "dev" in published
                else f"{apart} training queries are kept for validation, chosen by a hash of their id."
            )
        if "dev" in published:
            return f"{name} publishes no training queries: its dev queries are learnt from; {apart} validate."
        return (
            f"{name} publishes test queries only: {sum(n.values()) - n['test']} of {sum(n.values())}, by a "
            f"hash of their id, are learnt from ({apart} of them validate). Figures are over the other "
            f"{n['test']} and cannot be held against published ones."
        )

    def _notes_on_queries(self) -> list[str]:
        requests, split = self._asked
        test, query = split == "test", requests["query_id"]
        n_empty = int(np.count_nonzero(self._n_words[requests.user] == 0))
        n_known = int(np.count_nonzero(np.isin(query[test], query[~test])))
        counted = {
            "judgements of unknown items or queries were left out.": self._collection.n_dropped,
            "judged queries have no word to search for and find nothing by words.": n_empty,
            "test queries are also, letter by letter, among those learnt from.": n_known,
        }
        notes = [f"{n} {what}" for what, n in counted.items() if n]
        return [*notes, "An item without a judgement counts as not relevant."]
