"""Understand queries: what is wanted, and what about."""

# ruff: noqa: PLC0415  (torch is loaded for training only)

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import dataclass, replace
from typing import Literal, Self

import numpy as np

from mlsd import checks, rng
from mlsd.errors import InputError, NotFittedError
from mlsd.estimators.temperature import temperature_of
from mlsd.fitting import Curves, Fitting
from mlsd.labels.base import Labels
from mlsd.logs import Log
from mlsd.metrics.base import Judged, Predictions, RowFigure, ratio
from mlsd.models.grams import TextClasses, words_of
from mlsd.models.text_examples import (
    Examples,
    Votes,
    annotated,
    annotated_values,
    clicked_categories,
    examples_of,
)
from mlsd.stages.base import Piece, RequestStage, TrainingData
from mlsd.text import distinct
from mlsd.types import Array, Columns, Floats, RankingBatch, Requests, State

IntentSource = Literal["annotations"]
TopicSource = Literal["clicks", "annotations"]

LEARNT_ON, STOPPED_ON = "retrieval", "validation"


class Understand(RequestStage):
    """Says of each query which intent it has and which topic, and how sure that is.

    Adds `request.intent` and `request.intent_prob`, P(this intent | query), and `request.topic`, the most
    likely category of the catalog, and `request.topic_prob` (n_requests, n_topics), P(category k | query) in
    column k. Each is a classifier of its own: averaged vectors of the query's words and pieces of words under
    a softmax, calibrated by a temperature. It learns from the log's `retrieval` window, which comes before
    that of the rankers, so that they may read what it says; it is stopped and calibrated on `validation`,
    on the queries as earlier stages pass them on: it does not learn alone.

    A query of which neither a word nor a piece of one was seen in training, such as an empty one or one in
    another script, gets the shares that the classes had there.

    Clicks tell topics: an item that was clicked votes for its category, over the examination of its position.
    They tell no intents: how clicks spread over items separates queries for one page from others (Lee, Liu
    and Cho, WWW 2005), but not what is learnt about from what is obtained. So intents come from annotators.

    Args:
        intent_from: "annotations", or None, which leaves intents out.
        topic_from: "clicks", "annotations" of categories by number, or None, which leaves topics out.
        category: column of the catalog with integers from 0, which are the topics.
        dim: of the vectors.
        learning_rate: of AdamW.
        batch_texts: different queries of a batch.
    """

    def __init__(
        self,
        intent_from: IntentSource | None = "annotations",
        topic_from: TopicSource | None = "clicks",
        category: str = "category",
        dim: int = 32,
        learning_rate: float = 0.02,
        batch_texts: int = 32,
    ) -> None:
        sources = ("annotations", "clicks")
        checks.one_of("intent_from", intent_from, (None, *sources[:1]))
        checks.one_of("topic_from", topic_from, (None, *sources))
        checks.require(
            intent_from is not None or topic_from is not None, "intent_from", intent_from,
            "must be given where topic_from is null: one of them must be understood",
        )  # fmt: skip
        self.intent_from, self.topic_from, self.category = intent_from, topic_from, category
        self.dim = checks.at_least("dim", dim, 1)
        self.learning_rate = checks.above("learning_rate", learning_rate, 0)
        self.batch_texts = checks.at_least("batch_texts", batch_texts, 1)
        self._understood: dict[str, _Understood] = {}

    @property
    def sources(self) -> dict[str, str]:
        """What is understood -> where it is learnt from."""
        sources = {"intent": self.intent_from, "topic": self.topic_from}
        return {target: source for target, source in sources.items() if source is not None}

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({"request.query"})

    @property
    def produces(self) -> frozenset[str]:
        return frozenset(f"request.{target}{end}" for target in self.sources for end in ("", "_prob"))

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset({self.category} if self.topic_from else ())

    @property
    def annotation_needs(self) -> frozenset[str]:
        return frozenset(target for target, source in self.sources.items() if source == "annotations")

    @property
    def pieces(self) -> Mapping[str, Piece]:
        return {target: Piece(f"classifier/{target}", self.needs) for target in self.sources}

    def without(self, pieces: Collection[str]) -> Self:
        """Without one of its classifiers, and without its columns."""
        less = self.muted(pieces)
        less._understood = {}  # noqa: SLF001  (its own copy)
        return less

    def muted(self, pieces: Collection[str]) -> Self:
        """With one of its classifiers silent, and without its columns; neither learns from the other."""
        self._check_gone(pieces)
        less = copy(self)
        less.intent_from = None if "intent" in pieces else self.intent_from
        less.topic_from = None if "topic" in pieces else self.topic_from
        less._understood = dict(self._understood)  # noqa: SLF001  (its own copy)
        return less

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        """Fit a classifier for each target.

        Raises:
            InputError: there is no log, no label, no text with a word, or labels of one class only.
        """
        curves = {}
        for target in self.sources:
            own = replace(
                fitting,
                name=f"{fitting.name}.{target}",
                folder=fitting.folder / target if fitting.folder else None,
                seed=rng.derive(fitting.seed, target),
            )
            self._understood[target], curves[target] = self._learnt(target, data, own)
        return curves

    def process(self, batch: RankingBatch) -> RankingBatch:
        texts, rows = distinct(batch.requests["query"])
        columns: dict[str, Array] = {}
        for target in self.sources:
            understood = self._fitted(target)
            prob = understood.classifier.prob(texts)
            best = prob.argmax(axis=1)
            columns[target] = understood.classes[best][rows]
            best_prob = prob[np.arange(len(prob)), best]
            columns[f"{target}_prob"] = (prob if target == "topic" else best_prob)[rows]
        return RankingBatch(batch.requests.with_columns(**columns), batch.candidates)

    def judge(self, asked: Requests, passed: Requests, truth: Columns) -> Judged:
        """Accuracy of intent and topic, F1 of each intent and their mean, and P(chosen class) against right.

        `MacroF1(intent)` is the plain mean of the F1 of all intents that are true or chosen somewhere.
        """
        known = [target for target in self.sources if target in truth]
        right = {target: passed[target] == truth[target] for target in known}
        figures = {f"Accuracy({target})": _accuracy(hits) for target, hits in right.items()}
        if "intent" in known:
            figures |= _f1_figures(passed["intent"], truth["intent"])
        return Judged(
            {name: figures[name] for name in sorted(figures, key=_reading_order)},
            {
                target: Predictions(_confidence(passed, target), hits.astype(np.float64), asked.user)
                for target, hits in right.items()
            },
        )

    def state(self) -> State:
        return {
            f"{target}.{name}": array
            for target in self.sources
            for name, array in self._fitted(target).state().items()
        }

    def load_state(self, state: State) -> None:
        for target in self.sources:
            start = f"{target}."
            own = {name.removeprefix(start): array for name, array in state.items() if name.startswith(start)}
            self._understood[target] = _Understood.from_state(own)

    def _fitted(self, target: str) -> _Understood:
        if target not in self._understood:
            raise NotFittedError("an understand stage was used before fit or load_state")
        return self._understood[target]

    def _learnt(self, target: str, data: TrainingData, fitting: Fitting) -> tuple[_Understood, Curves]:
        from mlsd.models.text_classifier import fit_text_classes

        classes, train, validation = self._lessons(target, data, fitting.name)
        classifier, curves = fit_text_classes(
            train, validation, self.dim, self.learning_rate, self.batch_texts, fitting
        )
        return _Understood(classes, _calibrated(classifier, validation)), curves

    def _lessons(self, target: str, data: TrainingData, name: str) -> tuple[Array, Examples, Examples]:
        """The classes, what is learnt from, and what is stopped and calibrated on.

        The latter are the queries as they arrive here at serving, after earlier stages.
        """
        if data.log is None or data.labels is None:
            raise InputError(f"{name} learns from a log, and nothing has been logged yet")
        classes, votes = self._votes(target, data, data.log, data.labels)
        log, arriving = data.log.window(LEARNT_ON).requests, data.batches[STOPPED_ON].requests
        train, validation = (
            examples_of(requests.request_id, requests["query"], votes, len(classes))
            for requests in (log, arriving)
        )
        for window, examples in ((LEARNT_ON, train), (STOPPED_ON, validation)):
            if not len(examples):
                raise InputError(f"{name}, {window} window: no query has a known {target} to learn from")
        _check_learnable(target, classes, train, f"{name}, {LEARNT_ON} window")
        return classes, train, validation

    def _votes(self, target: str, data: TrainingData, log: Log, labels: Labels) -> tuple[Array, Votes]:
        """The classes there are, and what is known of the classes of requests."""
        log = log.window(LEARNT_ON, STOPPED_ON)
        if target == "intent":
            values = annotated_values(log, target)
            return np.array(values, object), annotated(log, target, values)
        category = data.catalog[self.category].astype(np.int64)
        if category.min(initial=0) < 0:
            raise InputError(f"item.{self.category} has the category {category.min()}, must be at least 0")
        topics = np.arange(int(category.max(initial=0)) + 1)
        if self.topic_from == "clicks":
            return topics, clicked_categories(log, labels, category)
        return topics, annotated(log, target, [str(topic) for topic in topics])


@dataclass(frozen=True)
class _Understood:
    """A fitted target.

    Args:
        classes: (n_classes,) their values in the target's column: str objects or int64.
        classifier: of the same classes by number.
    """

    classes: Array
    classifier: TextClasses

    def state(self) -> State:
        classes = self.classes.astype(str) if self.classes.dtype.hasobject else self.classes
        return {"classes": classes, **self.classifier.state()}

    @staticmethod
    def from_state(state: State) -> _Understood:
        classes = state["classes"]
        values = classes.astype(object) if classes.dtype.kind == "U" else classes
        return _Understood(values, TextClasses.from_state(state))


def _check_learnable(target: str, classes: Array, examples: Examples, where: str) -> None:
    present = np.flatnonzero(examples.class_weights > 0)
    if len(present) < 2:
        only = classes[present[0]]
        raise InputError(f"{where}: every {target} is {only!s}, must be of two or more to be told apart")
    if not any(map(words_of, examples.texts)):
        raise InputError(f"{where}: no query has a word to tell its {target} by")


def _calibrated(classifier: TextClasses, validation: Examples) -> TextClasses:
    """With the temperature that fits the validation window's queries of which something is known."""
    bags = classifier.grams.bags(validation.texts)
    known = bags.counts > 0
    if not known.any():
        return classifier
    logits = classifier.logits(bags)[known].astype(np.float64)
    temperature = temperature_of(
        logits, validation.target[known].astype(np.float64), validation.weight[known].astype(np.float64)
    )
    return replace(classifier, temperature=temperature)


def _confidence(passed: Requests, target: str) -> Floats:
    """(n_requests,) P(the chosen class)."""
    prob = passed[f"{target}_prob"].astype(np.float64)
    return prob if prob.ndim == 1 else np.asarray(prob[np.arange(len(prob)), passed[target]])


def _accuracy(right: Array) -> RowFigure:
    return RowFigure.share(right, among=np.ones(len(right), bool))


def _f1_figures(chosen: Array, true: Array) -> dict[str, RowFigure]:
    """The F1 of each class that is chosen or true somewhere, and their mean; nothing without requests."""
    classes = sorted({*chosen.tolist(), *true.tolist()})
    if not classes:
        return {}
    terms = {name: _f1_terms(chosen == name, true == name) for name in classes}
    figures = {f"F1({name})": RowFigure(columns, _f1) for name, columns in terms.items()}
    together = np.concatenate(list(terms.values()), axis=1)
    return {**figures, "MacroF1(intent)": RowFigure(together, _macro_f1)}


def _f1_terms(chosen: Array, true: Array) -> Floats:
    """(n_requests, 3) hits, chosen, true."""
    return np.stack([chosen & true, chosen, true], axis=1).astype(np.float64)


def _f1(hits: Floats, chosen: Floats, true: Floats) -> Floats:
    return ratio(2 * hits, chosen + true)


def _macro_f1(*sums: Floats) -> Floats:
    """Over the classes that are chosen or true among the rows at hand."""
    f1 = np.stack([_f1(*sums[start : start + 3]) for start in range(0, len(sums), 3)])
    known = ~np.isnan(f1)
    return ratio(np.where(known, f1, 0.0).sum(axis=0), known.sum(axis=0))


def _reading_order(name: str) -> tuple[bool, int, str]:
    """Intent before topic; accuracy, then the mean F1, then the F1 of each."""
    kinds = ("Accuracy", "MacroF1", "F1")
    return "topic" in name, kinds.index(name.partition("(")[0]), name
