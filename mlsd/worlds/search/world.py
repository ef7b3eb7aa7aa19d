"""The synthetic search world: documents, queries and users, all made up, with the truth known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import NamedTuple

import numpy as np

from mlsd import checks, rng
from mlsd.types import (
    Array,
    Catalog,
    Columns,
    Floats,
    Ints,
    Judgements,
    Requests,
    Served,
    Slates,
    State,
    Subtopics,
)
from mlsd.worlds.base import LiveWorld
from mlsd.worlds.click_models.base import ClickModel
from mlsd.worlds.search.documents import DocumentOptions, Documents, make_documents
from mlsd.worlds.search.forms import MISSPELLED, WORDINGS, Forms, make_forms
from mlsd.worlds.search.queries import INTENTS, POPULARITIES, Queries, QueryOptions, make_queries
from mlsd.worlds.search.relevance import N_GRADES, Relevance, RelevanceOptions, make_relevance
from mlsd.worlds.search.responses import ResponseModel, ResponseOptions, Responses
from mlsd.worlds.search.subtopics import subtopics_of
from mlsd.worlds.search.texts import make_catalog
from mlsd.worlds.search.users import UserOptions, Users
from mlsd.worlds.search.vocabulary import LanguageOptions, Lexicon, make_lexicon
from mlsd.worlds.search.wordings import ReformulationOptions, WordingOptions, Wordings, n_variants
from mlsd.worlds.visits.base import Moments, ascending, moments_of


@dataclass(kw_only=True, eq=False)
class SearchWorld(LiveWorld):
    """Users who search a made-up collection of documents.

    Nothing is made before it is first asked for. How each part is made stands with it: `vocabulary`,
    `documents`, `texts`, `queries`, `forms`, `wordings`, `relevance`, `users`, `responses`.

    What is true of a request is known by its `request_id`, whatever text it carries: a funnel may change it.

    Args:
        seed: of everything; another seed is another world with other users and other luck.
        n_items: documents.
        n_queries: different things to ask for, at most; less where the language cannot say so many.
        n_users: people who search.
        click_model: which positions users look at.
        language: words, topics, concepts.
        documents: what documents are like.
        queries: what queries are like.
        wordings: how what is asked for is put.
        reformulation: who asks again, and how.
        relevance: the parameters of the formula of relevance.
        responses: what users do with what they look at.
        users: who comes, and who comes back.
    """

    actions = ("click", "dwell_s")
    catalog_columns = frozenset(
        {"title", "text", "category", "source", "authority", "published_days", "n_words"}
    )
    relevant_grade = 2.0
    max_grade = float(N_GRADES)

    seed: int = 0
    n_items: int = 20_000
    n_queries: int = 5_000
    n_users: int = 1_200
    click_model: ClickModel
    language: LanguageOptions = field(default_factory=LanguageOptions)
    documents: DocumentOptions = field(default_factory=DocumentOptions)
    queries: QueryOptions = field(default_factory=QueryOptions)
    wordings: WordingOptions = field(default_factory=WordingOptions)
    reformulation: ReformulationOptions = field(default_factory=ReformulationOptions)
    relevance: RelevanceOptions = field(default_factory=RelevanceOptions)
    responses: ResponseOptions = field(default_factory=ResponseOptions)
    users: UserOptions = field(default_factory=UserOptions)

    def __post_init__(self) -> None:
        checks.at_least("n_items", self.n_items, 1)
        checks.at_least("n_queries", self.n_queries, 1)
        checks.at_least("n_users", self.n_users, 1)

    @property
    def name(self) -> str:
        return f"synthetic search world, {self.n_items:,} documents, {self.n_users:,} users"

    @property
    def notes(self) -> tuple[str, ...]:
        graded = f"Grades run from 0 to {N_GRADES}; {self.relevant_grade:g} and more count as relevant."
        return (
            f"Documents, queries and users are made up, so it is known what is relevant. {graded}",
            "Users look less often at what stands further down, and click by its grade and their interest.",
            "They misspell, use other words or too many, and some ask again when nothing satisfied them.",
            "They come back more often when they were satisfied, and less often after slow answers.",
        )

    @cached_property
    def lexicon(self) -> Lexicon:
        """Everything that can be said."""
        return make_lexicon(self.language, self.documents.n_official(self.n_items), self.seed)

    @cached_property
    def all_documents(self) -> Documents:
        """What the documents are: hidden truth."""
        return make_documents(self.documents, self.lexicon, self.n_items, self.seed)

    @cached_property
    def all_queries(self) -> Queries:
        """What can be asked for."""
        return make_queries(self.queries, self.lexicon, self.n_queries, self.seed)

    @cached_property
    def all_forms(self) -> Forms:
        """How it can be said; the rows of its texts are the `query_id` of requests."""
        variants = n_variants(self.wordings, self.reformulation)
        return make_forms(variants, self.wordings.spelling, self.all_queries, self.lexicon, self.seed)

    @cached_property
    def all_wordings(self) -> Wordings:
        """How users say it."""
        options = self.wordings, self.reformulation
        return Wordings(*options, self.all_queries, self.all_forms, self.seed)

    @cached_property
    def truth(self) -> Relevance:
        """What is relevant to each query."""
        return make_relevance(self.relevance, self.all_queries, self.all_documents, self.lexicon.n_concepts)

    @cached_property
    def all_users(self) -> Users:
        """Who searches."""
        n_tries = self.reformulation.n_tries
        return Users(self.users, self.all_queries, self.n_users, self.seed, n_tries)

    @cached_property
    def catalog(self) -> Catalog:
        return make_catalog(self.documents, self.lexicon, self.all_documents, self.seed)

    def judgements(self, requests: Requests) -> Judgements:
        offsets, items, grades = self.truth.relevant(self._asked(requests).query, requests.time_days)
        return Judgements(offsets, items, grades.astype(np.float64))

    def truth_of(self, requests: Requests) -> Columns:
        asked = self._asked(requests)
        misspelled = self._wording(asked) == MISSPELLED
        typed, meant = self.all_forms.text[self._text(asked)], self.all_queries.text[asked.query]
        return {
            "intent": np.array(INTENTS, dtype=object)[self.all_queries.intent[asked.query]],
            "topic": self.all_queries.topic[asked.query],
            "intended_query": np.where(misspelled, meant, typed),
            "misspelled": misspelled,
        }

    def subtopics(self, requests: Requests) -> Subtopics:
        """The topics that somebody may mean by the text of each request, in order of their numbers.

        An item serves a topic if it is relevant to anything of the topic that this text asks for. A topic
        weighs as much as this is popular.
        """
        texts = self._text(self._asked(requests))
        return subtopics_of(
            texts, requests.time_days, self.all_forms, self.all_queries, self.truth, self.relevant_grade
        )

    def segments(self, requests: Requests) -> Mapping[str, Array]:
        asked = self._asked(requests)
        ambiguous = self.all_forms.ambiguous[self._text(asked)]
        return {
            "intent": np.array(INTENTS)[self.all_queries.intent[asked.query]],
            "popularity": np.array(POPULARITIES)[self.all_queries.popularity[asked.query]],
            "wording": np.array(WORDINGS)[self._wording(asked)],
            "ambiguity": np.where(ambiguous, "ambiguous", "clear"),
        }

    def first_state(self) -> State:
        return self.all_users.first_state()

    def arrivals(self, users: Ints, day: int, state: State) -> Requests:
        return self._requests(self.all_users.come(ascending(users), day, state))

    def follow_ups(self, served: Served) -> Requests:
        moments = self.all_users.numbering.moments(served.requests.request_id)
        satisfied = self.hidden_responses(served.requests, served.slates).satisfied.any(axis=1)
        willing = rng.uniform(self.seed, "asks_again", *moments) < self.reformulation.prob
        again = ~satisfied & willing & (moments.attempt + 1 < self.reformulation.n_tries)
        moments = moments.take(again)
        return self._requests(moments._replace(attempt=moments.attempt + 1))

    def _requests(self, moments: Moments) -> Requests:
        """What is asked at these moments, by ascending id."""
        ids = np.sort(self.all_users.numbering.ids(moments))
        moments = self.all_users.numbering.moments(ids)
        query = self.all_users.query_of(moments)
        text = self._text(_Asked(query, self.all_wordings.of(query, moments)))
        columns = {"query": self.all_forms.text[text], "query_id": text}
        return Requests(ids, moments.user, moments.day, self.all_users.time_of(moments), columns)

    def respond(self, requests: Requests, slates: Slates, state: State) -> Columns:  # noqa: ARG002
        hidden = self.hidden_responses(requests, slates)
        return {"click": hidden.clicked, "dwell_s": hidden.dwell_s}

    def hidden_responses(self, requests: Requests, slates: Slates) -> Responses:
        """All that users do with their slates, also what no log shows: what they look at, what satisfies."""
        grades = self._grades(requests, slates.items)
        odds = self._odds[requests.user[:, None], self.all_documents.topic[slates.items]]
        return self._response_model(requests.request_id, slates.items, grades, odds)

    def after(self, users: Ints, served: Served, latency_ms: float, state: State) -> State:  # noqa: ARG002
        hidden = self.hidden_responses(served.requests, served.slates)
        satisfied = np.asarray(hidden.satisfied.any(axis=1))
        return self.all_users.remember(served.requests.user, satisfied, latency_ms, state)

    def examination_prob(self, n_positions: int) -> Floats:
        return self.click_model.examination_prob(n_positions)

    def _grades(self, requests: Requests, items: Ints) -> Ints:
        """(n_requests, n_positions) the grade of each item shown."""
        queries = np.repeat(self._query(requests), items.shape[1])
        time_days = np.repeat(requests.time_days, items.shape[1])
        return self.truth.grades(queries, items.reshape(-1), time_days).reshape(items.shape)

    @cached_property
    def _response_model(self) -> ResponseModel:
        return ResponseModel(self.responses, self.click_model, self.seed)

    @cached_property
    def _odds(self) -> Floats:
        """(n_users, n_topics) factor on the odds of a click."""
        return self.all_users.affinity**self.responses.interest_effect

    def _query(self, requests: Requests) -> Ints:
        """(n_requests,) what each request asks for."""
        return self.all_users.query_of(self._moments(requests))

    def _asked(self, requests: Requests) -> _Asked:
        """What each request asks for, and how it was put."""
        moments = self._moments(requests)
        query = self.all_users.query_of(moments)
        return _Asked(query, self.all_wordings.of(query, moments))

    def _text(self, asked: _Asked) -> Ints:
        return self.all_forms.of_query[asked.query, asked.form]

    def _wording(self, asked: _Asked) -> Ints:
        return self.all_forms.wording[asked.form]

    def _moments(self, requests: Requests) -> Moments:
        """What the ids of the requests stand for."""
        return moments_of(requests, self.all_users.numbering)


class _Asked(NamedTuple):
    """What requests ask for, and how they put it; each (n_requests,).

    Args:
        query: rows of the world's queries.
        form: columns of the forms of these.
    """

    query: Ints
    form: Ints
