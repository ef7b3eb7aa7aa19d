"""Rewrite what was asked before anything is looked for."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from copy import copy
from dataclasses import replace
from itertools import pairwise
from typing import Self

import numpy as np

from mlsd import checks, ragged, rng
from mlsd.errors import NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.logs import Log
from mlsd.metrics.base import Judged, Predictions, RowFigure
from mlsd.rewriters.base import Rewriter, Rewritten
from mlsd.stages.base import Piece, RequestStage, TrainingData
from mlsd.text import distinct
from mlsd.types import Array, Columns, Ints, RankingBatch, Requests, State

_IDS = "query_ids"


class Rewrite(RequestStage):
    """Hands the text of each query from one rewriter to the next; stages after it see what came out.

        request.query               the rewritten text
        request.query_id            if requests have one: the id under which the log of the windows before the
                                    test has the rewritten text, the typed text's own where it does not
        request.original_query      what was typed
        request.rewrite_confidence  float64 in [0, 1], the product of the rewriters' confidences: P(the
                                    text passed on serves what was meant); 1 where no rewriter had anything
                                    to decide
        request.expansion           blank-separated related terms, "" where there are none; only if one of
                                    the rewriters names any

    Each different text of a batch is rewritten once. Nothing is learnt from labels or from the test window.

    Args:
        rewriters: name -> rewriter, in order; None switches one off.
    """

    learns_alone = True

    def __init__(self, rewriters: Mapping[str, Rewriter | None]) -> None:
        self.rewriters = {name: each for name, each in rewriters.items() if each is not None}
        checks.require(bool(self.rewriters), "rewriters", list(rewriters), "must have one that is not null")
        for name in rewriters:
            right = name.isidentifier() and name != _IDS
            checks.require(right, "rewriters", name, "must be a name of letters, digits and _")
        self._query_ids: dict[str, int] | None = None

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"request.query"})

    @property
    def produces(self) -> frozenset[str]:
        own = {"request.original_query", "request.rewrite_confidence"}
        return frozenset(own | {"request.expansion"} if self._relates else own)

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.catalog_needs for each in self.rewriters.values()))

    @property
    def pieces(self) -> Mapping[str, Piece]:
        return {name: Piece(f"rewriter/{name}", self.needs) for name in self.rewriters}

    def without(self, pieces: Collection[str]) -> Self:
        """Without some of its rewriters: the others hand on to each other what they make of a text.

        Where none of these names related terms, nobody has `request.expansion`.
        """
        self._check_gone(pieces)
        less = copy(self)
        less.rewriters = {name: each for name, each in self.rewriters.items() if name not in pieces}
        return less

    muted = without

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        for name, rewriter in self.rewriters.items():
            own = replace(fitting, name=f"{fitting.name}.{name}", seed=rng.derive(fitting.seed, name))
            rewriter.fit(data.catalog, data.log, own)
        self._query_ids = _query_ids(data.log)
        return {}

    def process(self, batch: RankingBatch) -> RankingBatch:
        if self._query_ids is None:
            raise NotFittedError("Rewrite was used before fit or load_state")
        requests = batch.requests
        texts, rows = distinct(requests["query"])
        rewritten = _rewritten(self.rewriters.values(), texts)
        columns: dict[str, Array] = {
            **self._renumbered(requests, texts, rewritten.texts, rows),
            "query": rewritten.texts[rows],
            "original_query": requests["query"],
            "rewrite_confidence": rewritten.confidence[rows],
        }
        if self._relates:
            columns["expansion"] = rewritten.related[rows]
        return RankingBatch(requests.with_columns(**columns), batch.candidates)

    def _renumbered(self, requests: Requests, typed: Sequence[str], texts: Array, rows: Ints) -> Columns:
        """`query_id`, if requests have one: of the rewritten text, or its own."""
        if "query_id" not in requests.columns:
            return {}
        known = self._query_ids or {}
        pairs = zip(typed, texts.tolist(), strict=True)
        ids = np.array([known.get(text, -1) if text != one else -1 for one, text in pairs], np.int64)[rows]
        return {"query_id": np.where(ids >= 0, ids, requests["query_id"])}

    def judge(self, asked: Requests, passed: Requests, truth: Columns) -> Judged:
        """How often it hits what users meant to type, where the truth says so.

        Texts are compared without case and blanks. Corrected is the text after those rewriters alone that
        correct (`Rewriter.corrects`), as others change a text on purpose.

            CorrectionAccuracy     of the misspelled requests, those corrected into what was meant
            CorrectionRate         of the misspelled requests, those corrected into anything
            CorrectionPrecision    of the requests that are corrected, those corrected into what was meant
            FalseCorrectionRate    of the correctly typed requests, those corrected into anything
            ExactQuery(asked)      of all requests, those typed as they were meant
            ExactQuery(corrected)  of all requests, those whose corrected text is what was meant
            ExactQuery(passed)     of all requests, those whose text is so after the whole stage

        Predictions: `correction`, P(the corrected text is what was meant) and whether it is.
        """
        correctors = [each for each in self.rewriters.values() if each.corrects]
        if not correctors or not {"intended_query", "misspelled"} <= truth.keys():
            return Judged({}, {})
        texts, rows = distinct(asked["query"])
        done = _rewritten(correctors, texts)
        meant, typed, out = map(_plain, (truth["intended_query"], asked["query"], passed["query"]))
        corrected = _plain(done.texts)[rows]
        exact, changed = corrected == meant, corrected != typed
        misspelled, everyone = truth["misspelled"].astype(bool), np.ones(len(asked), bool)
        figures = {
            "CorrectionAccuracy": RowFigure.share(exact, misspelled),
            "CorrectionRate": RowFigure.share(changed, misspelled),
            "CorrectionPrecision": RowFigure.share(exact, changed),
            "FalseCorrectionRate": RowFigure.share(changed, ~misspelled),
            "ExactQuery(asked)": RowFigure.share(typed == meant, everyone),
            "ExactQuery(corrected)": RowFigure.share(exact, everyone),
            "ExactQuery(passed)": RowFigure.share(out == meant, everyone),
        }
        predicted = Predictions(done.confidence[rows], exact.astype(np.float64), asked.user)
        return Judged(figures, {"correction": predicted})

    def state(self) -> State:
        if self._query_ids is None:
            raise NotFittedError("Rewrite was used before fit or load_state")
        states = {name: each.state() for name, each in self.rewriters.items()}
        own = _packed(self._query_ids)
        return {
            **{f"{name}.{key}": array for name, state in states.items() for key, array in state.items()},
            **{f"{_IDS}.{key}": array for key, array in own.items()},
        }

    def load_state(self, state: State) -> None:
        for name, rewriter in self.rewriters.items():
            rewriter.load_state(_under(name, state))
        self._query_ids = _unpacked(_under(_IDS, state))

    @property
    def _relates(self) -> bool:
        return any(each.relates for each in self.rewriters.values())


def _rewritten(rewriters: Iterable[Rewriter], texts: Sequence[str]) -> Rewritten:
    """What becomes of texts from one rewriter to the next."""
    whole = Rewritten.of(texts)
    for each in rewriters:
        step = each.rewrite(whole.texts.tolist())
        related = [_both(*pair) for pair in zip(whole.related, step.related, strict=True)]
        confidence = whole.confidence * step.confidence
        whole = Rewritten(step.texts, confidence, np.array([*related, None], object)[:-1])
    return whole


def _both(terms: str, more: str) -> str:
    """All terms, each once."""
    return " ".join(dict.fromkeys(f"{terms} {more}".split()))


def _plain(texts: Array) -> Array:
    """Lower-cased texts with single blanks."""
    once, rows = distinct(texts)
    return np.array([*(" ".join(text.lower().split()) for text in once), None], object)[rows]


def _query_ids(log: Log | None) -> dict[str, int]:
    """Text -> the id that it first has in the windows before the test."""
    if log is None or "query_id" not in log.requests.columns:
        return {}
    requests = log.until("validation").requests
    texts, rows = distinct(requests["query"])
    _, first = np.unique(rows, return_index=True)
    return dict(zip(texts, requests["query_id"][first].tolist(), strict=True))


def _packed(query_ids: Mapping[str, int]) -> State:
    """As UTF-8, one text after the other: a single long text would widen all of a fixed width."""
    encoded = [text.encode("utf-8", "surrogatepass") for text in query_ids]
    return {
        "texts": np.frombuffer(b"".join(encoded), np.uint8),
        "offsets": ragged.offsets_of_counts(np.array([len(one) for one in encoded], np.int64)),
        "ids": np.array(list(query_ids.values()), np.int64),
    }


def _unpacked(state: State) -> dict[str, int]:
    whole, offsets = state["texts"].tobytes(), state["offsets"].tolist()
    texts = [whole[start:end].decode("utf-8", "surrogatepass") for start, end in pairwise(offsets)]
    return dict(zip(texts, state["ids"].tolist(), strict=True))


def _under(name: str, state: State) -> State:
    """A part's own arrays."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): array for key, array in state.items() if key.startswith(prefix)}
