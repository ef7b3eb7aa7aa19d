"""A rule about what must not be shown."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Self

import numpy as np
from numpy.typing import NDArray

from mlsd.logs import Log
from mlsd.types import Catalog, RankingBatch, Served, State


class Filter(ABC):
    """Decides of each candidate whether it may be shown, from its own request and item alone."""

    needs: frozenset[str] = frozenset()
    """Columns it reads, as `request.<name>` or `candidate.<name>`."""

    catalog_needs: frozenset[str] = frozenset()
    """Columns and relations of the catalog it is fitted on."""

    @abstractmethod
    def fit(self, catalog: Catalog, log: Log | None) -> None:
        """Take what it must know; `log` is None where nothing has been logged yet.

        Raises:
            InputError: the catalog lacks what it needs, or holds what cannot be.
        """

    @abstractmethod
    def kept(self, batch: RankingBatch) -> NDArray[np.bool_]:
        """(n_candidates,) whether each may be shown.

        Raises:
            NotFittedError: before `fit` or `load_state`.
        """

    def observed(self, served: Served) -> Self:
        """This filter when it knows, too, what users did since it was fitted; see `Stage.observed`.

        What it then lets through is what it would had it been fitted on a log that holds these requests, too.
        """
        del served
        return self

    @abstractmethod
    def state(self) -> State:
        """What `fit` learnt."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Take over what another `fit` learnt."""
