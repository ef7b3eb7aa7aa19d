"""Choose, of many candidates, those whose clicks bring in most, by two towers of categories."""

# ruff: noqa: PLC0415  (torch is loaded for training only)

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy.special import expit

from mlsd import checks
from mlsd.errors import NotFittedError
from mlsd.fitting import Curves, Fitting
from mlsd.models.categories import Towers, category_column
from mlsd.stages.base import CandidateStage, TrainingData
from mlsd.types import RankingBatch, State

ACTION = "click"


class Match(CandidateStage):
    """Passes on the `n_out` candidates of highest P(click) times worth, best first.

        candidate.match_score = u a + bias,  u of the request, a and bias of the item
        candidate.score       = worth / (1 + exp(-match_score))

    u is the sum of learnt vectors of the request's categories, a that of the item's, each through a small
    layer where `hidden` is given; the bias is a sum, too. They learn the log-odds of a click from the
    impressions of the log's `retrieval` window, which comes before that of the rankers, so that these may
    read the score. What its position adds is learnt beside them and left out of the score, which is that of
    the first position. A tenth of the window's requests tell when to stop.

    A value that nothing was learnt of, whether new or negative, has the vector 0 and the bias 0: it says
    nothing. A request of which nothing is known orders items by bias and worth; an item of which nothing is
    known has the log-odds of any. The vectors of all items stand ready, (n_items, dim) float32, so that a
    candidate costs one product.

    Args:
        n_out: candidates passed on for each request, at most.
        request: columns of requests with integers from 0, without `request.`.
        item: columns of the catalog with integers from 0.
        same: column of requests -> column of the catalog whose values it has, such as what a page and an ad
            are about: its vectors then start from those of the same value, times a learnt weight.
        worth: what a click on a candidate is worth, as `candidate.<name>`, at least 0.
        dim: of the vectors.
        hidden: width of the layer behind each sum; None leaves the sum as it is.
        sigma: what weights are expected to be like before anything was seen, N(0, sigma^2); the smaller, the
            less is believed of values that were seen seldom.
        learning_rate: of Adam.

    Source: Yi et al. (RecSys 2019) for the towers; Zhao et al. (RecSys 2019) for the position beside them.
    """

    learns_alone = True

    def __init__(
        self,
        n_out: int,
        request: Sequence[str],
        item: Sequence[str],
        same: Mapping[str, str] | None = None,
        worth: str = "candidate.score",
        dim: int = 16,
        hidden: int | None = None,
        sigma: float = 0.3,
        learning_rate: float = 0.003,
    ) -> None:
        super().__init__(n_out)
        self.request, self.item = (
            tuple(checks.not_empty(name, names)) for name, names in (("request", request), ("item", item))
        )
        self.same, self.worth = dict(same or {}), worth
        for of_request, of_item in self.same.items():
            checks.one_of("same", of_request, self.request)
            checks.one_of(f"same.{of_request}", of_item, self.item)
        self.dim = checks.at_least("dim", dim, 1)
        self.hidden = hidden if hidden is None else checks.at_least("hidden", hidden, 1)
        self.sigma = checks.above("sigma", sigma, 0)
        self.learning_rate = checks.above("learning_rate", learning_rate, 0)
        self._towers: Towers | None = None

    @property
    def needs(self) -> frozenset[str]:
        return frozenset({self.worth, *(f"request.{name}" for name in self.request)})

    @property
    def produces(self) -> frozenset[str]:
        return frozenset({"candidate.score", "candidate.match_score"})

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset(self.item)

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        """Learn the towers, and the vector of every item.

        Raises:
            InputError: there is no log, no column that is asked for, no click or nothing but clicks, fewer
                than two requests, or a category that is negative or no integer.
        """
        from mlsd.models import match

        catalog = tuple(category_column(f"item.{name}", data.catalog[name]) for name in self.item)
        shown = match.shown_in(data.log, self.request, catalog, ACTION, fitting.name)
        same = {self.request.index(one): self.item.index(other) for one, other in self.same.items()}
        options = match.MatchOptions(self.dim, self.hidden, self.sigma, self.learning_rate)
        self._towers, curves = match.fit_towers(shown, catalog, same, options, fitting)
        return {"towers": curves}

    def process(self, batch: RankingBatch) -> RankingBatch:
        scored = self.scored(batch)
        return scored.top(scored.candidates["score"], self.n_out)

    def scored(self, batch: RankingBatch) -> RankingBatch:
        """All candidates in their order, with their `score` and `match_score`."""
        towers, requests, found = self._fitted, batch.requests, batch.candidates
        vectors = towers.requests([requests[name].astype(np.int64) for name in self.request])
        log_odds = towers.scores(vectors, found.request_rows, found.items)
        score = expit(log_odds.astype(np.float64)) * batch.per_candidate(self.worth)
        return RankingBatch(requests, found.with_columns(score=score, match_score=log_odds))

    @property
    def _fitted(self) -> Towers:
        if self._towers is None:
            raise NotFittedError("a match stage was used before fit or load_state")
        return self._towers

    def state(self) -> State:
        return self._fitted.state()

    def load_state(self, state: State) -> None:
        self._towers = Towers.from_state(state)
