"""Find candidates: several retrievers at once, merged by their ranks."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from copy import copy
from dataclasses import replace
from typing import Self

import numpy as np

from mlsd import checks, ragged, rng
from mlsd.errors import nearest
from mlsd.fitting import Curves, Fitting
from mlsd.retrievers.base import Retriever
from mlsd.stages.base import CandidateStage, Piece, TrainingData
from mlsd.types import Candidates, Floats, Ints, RankingBatch, Served, State


class Retrieve(CandidateStage):
    """Merges what its retrievers find by reciprocal-rank fusion and passes on the `n_out` best, best first.

        candidate.score = sum over retrievers that found the item:  1 / (rrf_k + rank),  rank = 1, 2, ...

    Ranks, unlike scores, can be added across retrievers. Ties are broken by the lower item. Every passed
    candidate also gets the score that each retriever gives it, whoever found it, as
    `candidate.<retriever>_score`, and `candidate.fused_score`, which is its `candidate.score` here and stays
    what it is when a later stage scores again. Candidates that a batch had before are replaced. A request for
    which nobody finds anything keeps none.

    Source: Cormack, Clarke and Büttcher (SIGIR 2009), whose k is 60.

    Args:
        n_out: candidates passed on for each request, at most.
        retrievers: name -> retriever; None switches one off.
        n_each: how many candidates each retriever looks for, or name -> how many; None means `n_out`.
        rrf_k: the higher, the less the first ranks stand out.
    """

    learns_alone = True

    def __init__(
        self,
        n_out: int,
        retrievers: Mapping[str, Retriever | None],
        n_each: int | Mapping[str, int] | None = None,
        rrf_k: int = 60,
    ) -> None:
        super().__init__(n_out)
        self.retrievers = {name: each for name, each in retrievers.items() if each is not None}
        checks.require(
            bool(self.retrievers), "retrievers", list(retrievers), "must have one that is not null"
        )
        for name in retrievers:
            checks.require(name.isidentifier(), "retrievers", name, "must be a name of letters, digits and _")
        self.n_each = _n_each(n_each, n_out, list(self.retrievers), list(retrievers))
        self.rrf_k = checks.at_least("rrf_k", rrf_k, 0)

    @property
    def needs(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.needs for each in self.retrievers.values()))

    @property
    def produces(self) -> frozenset[str]:
        own = {"candidate.score", "candidate.fused_score"}
        return frozenset(own | {f"candidate.{name}_score" for name in self.retrievers})

    @property
    def catalog_needs(self) -> frozenset[str]:
        return frozenset[str]().union(*(each.catalog_needs for each in self.retrievers.values()))

    @property
    def pieces(self) -> Mapping[str, Piece]:
        return {name: Piece(f"retriever/{name}", each.needs) for name, each in self.retrievers.items()}

    def without(self, pieces: Collection[str]) -> Self:
        """Without some of its retrievers: nobody searches by them, and nobody has their score."""
        self._check_gone(pieces)
        less = copy(self)
        less.retrievers = {name: each for name, each in self.retrievers.items() if name not in pieces}
        return less

    muted = without

    def fit(self, data: TrainingData, fitting: Fitting) -> Mapping[str, Curves]:
        curves = {}
        for name, retriever in self.retrievers.items():
            own = replace(
                fitting,
                name=f"{fitting.name}.{name}",
                folder=fitting.folder / name if fitting.folder else None,
                seed=rng.derive(fitting.seed, name),
            )
            curves[name] = retriever.fit(data.catalog, data.log, own)
        return curves

    def process(self, batch: RankingBatch) -> RankingBatch:
        requests = batch.requests
        found = [each.retrieve(requests, self.n_each[name]) for name, each in self.retrievers.items()]
        fused = RankingBatch(requests, _fused(found, self.rrf_k))
        best = fused.top(fused.candidates["score"], self.n_out).candidates
        scores = {f"{name}_score": each.score(requests, best) for name, each in self.retrievers.items()}
        return RankingBatch(requests, best.with_columns(fused_score=best["score"], **scores))

    @property
    def contents(self) -> str:
        return " + ".join(self.retrievers)

    @property
    def is_live(self) -> bool:
        return any(type(each).observed is not Retriever.observed for each in self.retrievers.values())

    def observed(self, served: Served) -> Self:
        newer = copy(self)
        newer.retrievers = {name: each.observed(served) for name, each in self.retrievers.items()}
        return newer

    def state(self) -> State:
        states = {name: each.state() for name, each in self.retrievers.items()}
        return {f"{name}.{key}": array for name, state in states.items() for key, array in state.items()}

    def load_state(self, state: State) -> None:
        for name, retriever in self.retrievers.items():
            prefix = f"{name}."
            own = {key.removeprefix(prefix): array for key, array in state.items() if key.startswith(prefix)}
            retriever.load_state(own)


def _n_each(
    n_each: int | Mapping[str, int] | None, n_out: int, names: list[str], declared: list[str]
) -> dict[str, int]:
    """How many candidates each retriever looks for, by name."""
    if not isinstance(n_each, Mapping):
        n = n_out if n_each is None else checks.at_least("n_each", n_each, 1)
        return dict.fromkeys(names, n)
    for name in n_each:
        close = nearest(name, declared)
        hint = f"; nearest is {close!r}" if close else ""
        checks.require(name in declared, "n_each", name, f"must be one of {', '.join(declared)}{hint}")
    return {name: checks.at_least(f"n_each.{name}", n_each.get(name, n_out), 1) for name in names}


def _fused(found: list[Candidates], k: int) -> Candidates:
    """The union of ragged candidate lists, ascending by item within a request, with the fused `score`.

    A pair's contributions are added in the order of the lists.
    """
    requests = np.concatenate([candidates.request_rows for candidates in found])
    items = np.concatenate([candidates.items for candidates in found])
    gains = np.concatenate([_reciprocal_ranks(candidates.offsets, k) for candidates in found])
    width = 1 + int(items.max(initial=0))
    pairs, pair = np.unique(requests * width + items, return_inverse=True)
    score = np.bincount(pair, gains, len(pairs))
    offsets = np.searchsorted(pairs, np.arange(found[0].n_requests + 1) * width)
    return Candidates(offsets, pairs % width, {"score": score})


def _reciprocal_ranks(offsets: Ints, k: int) -> Floats:
    """(n_candidates,) 1 / (k + rank) with ranks from 1 in each list."""
    return 1.0 / (k + 1 + ragged.positions(offsets))
