"""The synthetic search world: documents, queries and users, all made up, with the truth known."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from mlsd import checks
from mlsd.errors import InputError
from mlsd.types import Array, Catalog, Columns, Floats, Ints, Judgements, Requests, Served, Slates, State
from mlsd.worlds.base import LiveWorld
from mlsd.worlds.click_models.base import ClickModel
from mlsd.worlds.search.documents import DocumentOptions, Documents, make_documents
from mlsd.worlds.search.queries import INTENTS, POPULARITIES, Queries, QueryOptions, make_queries
from mlsd.worlds.search.relevance import N_GRADES, Relevance, RelevanceOptions, make_relevance
from mlsd.worlds.search.responses import ResponseModel, ResponseOptions, Responses
from mlsd.worlds.search.texts import make_catalog
from mlsd.worlds.search.users import UserOptions, Users
from mlsd.worlds.search.vocabulary import LanguageOptions, Lexicon, make_lexicon


@dataclass(kw_only=True, eq=False)
class SearchWorld(LiveWorld):
    """Users who search a made-up collection of documents.

    Nothing is made before it is first asked for. How each part is made stands with it: `vocabulary`,
    `documents`, `texts`, `queries`, `relevance`, `users`, `responses`.

    Args:
        seed: of everything; another seed is another world with other users and other luck.
        n_items: documents.
        n_queries: distinct queries, at most; less where the language cannot say so many.
        n_users: people who search.
        click_model: which positions users look at.
        language: words, topics, concepts.
        documents: what documents are like.
        queries: what queries are like.
        relevance: the parameters of the formula of relevance.
        responses: what users do with what they look at.
        users: who comes, and who comes back.
    """

    actions = ("click", "dwell_s")
    catalog_columns = frozenset({"title", "text", "category", "authority", "published_days", "n_words"})
    relevant_grade = 2.0
    max_grade = float(N_GRADES)

    seed: int = 0
    n_items: int = 20_000
    n_queries: int = 5_000
    n_users: int = 2_000
    click_model: ClickModel
    language: LanguageOptions = field(default_factory=LanguageOptions)
    documents: DocumentOptions = field(default_factory=DocumentOptions)
    queries: QueryOptions = field(default_factory=QueryOptions)
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
        """What can be asked for; its rows are the `query_id` of requests."""
        return make_queries(self.queries, self.lexicon, self.n_queries, self.seed)

    @cached_property
    def truth(self) -> Relevance:
        """What is relevant to each query."""
        return make_relevance(self.relevance, self.all_queries, self.all_documents, self.lexicon.n_concepts)

    @cached_property
    def all_users(self) -> Users:
        """Who searches."""
        return Users(self.users, self.all_queries, self.n_users, self.seed)

    @cached_property
    def catalog(self) -> Catalog:
        return make_catalog(self.documents, self.lexicon, self.all_documents, self.seed)

    def judgements(self, requests: Requests) -> Judgements:
        offsets, items, grades = self.truth.relevant(self._query_rows(requests), requests.time_days)
        return Judgements(offsets, items, grades.astype(np.float64))

    def truth_of(self, requests: Requests) -> Columns:
        rows = self._query_rows(requests)
        intent = np.array(INTENTS, object)[self.all_queries.intent[rows]]
        return {"intent": intent, "topic": self.all_queries.topic[rows]}

    def segments(self, requests: Requests) -> Mapping[str, Array]:
        rows = self._query_rows(requests)
        return {
            "intent": np.array(INTENTS)[self.all_queries.intent[rows]],
            "popularity": np.array(POPULARITIES)[self.all_queries.popularity[rows]],
        }

    def first_state(self) -> State:
        return self.all_users.first_state()

    def arrivals(self, users: Ints, day: int, state: State) -> Requests:
        asked = self.all_users.ask(_ascending(users), day, state)
        session = np.full(len(asked.user), day, np.int64)
        columns = {"query": self.all_queries.text[asked.query], "query_id": asked.query}
        return Requests(asked.request_id, asked.user, session, asked.time_days, columns)

    def respond(self, requests: Requests, slates: Slates) -> Columns:
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
        queries = np.repeat(self._query_rows(requests), items.shape[1])
        time_days = np.repeat(requests.time_days, items.shape[1])
        return self.truth.grades(queries, items.reshape(-1), time_days).reshape(items.shape)

    @cached_property
    def _response_model(self) -> ResponseModel:
        return ResponseModel(self.responses, self.click_model, self.seed)

    @cached_property
    def _odds(self) -> Floats:
        """(n_users, n_topics) factor on the odds of a click."""
        return self.all_users.affinity**self.responses.interest_effect

    def _query_rows(self, requests: Requests) -> Ints:
        """(n_requests,) the query of each request."""
        rows = requests["query_id"]
        strange = (rows < 0) | (rows >= len(self.all_queries))
        if np.any(strange):
            raise InputError(
                f"request.query_id == {rows[strange][0]}, must be a query of this world, "
                f"0 to {len(self.all_queries) - 1}"
            )
        return np.asarray(rows)


def _ascending(users: Ints) -> Ints:
    """Distinct users in ascending order."""
    ordered = np.sort(users)
    if np.any(np.diff(ordered) == 0):
        raise InputError("users must not repeat")
    return ordered
