"""Rewriters make of a text that somebody typed one that serves better."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import ClassVar, NamedTuple

import numpy as np

from mlsd.fitting import Fitting
from mlsd.logs import Log
from mlsd.types import Array, Catalog, Floats, State


class Rewritten(NamedTuple):
    """What became of texts."""

    texts: Array
    """(n,) str objects. A text of which nothing is changed is the same to the letter."""

    confidence: Floats
    """(n,) in [0, 1], P(this text serves what was meant); 1 where there was nothing to decide."""

    related: Array
    """(n,) str objects: related terms, blank-separated; empty where there are none."""

    @staticmethod
    def of(texts: Sequence[str]) -> Rewritten:
        """Texts as they are."""
        as_they_are = np.array([*texts, None], dtype=object)[:-1]
        return Rewritten(as_they_are, np.ones(len(texts)), np.full(len(texts), "", object))


class Rewriter(ABC):
    """Text -> text, confidence and related terms."""

    catalog_needs: frozenset[str] = frozenset()
    """Columns of the catalog it is fitted on."""

    corrects: ClassVar[bool] = False
    """Whether it looks for what was meant to be typed, and so can be judged by that."""

    relates: ClassVar[bool] = False
    """Whether it names related terms."""

    @abstractmethod
    def fit(self, catalog: Catalog, log: Log | None, fitting: Fitting) -> None:
        """Learn from the catalog and from the log's windows before the test; `log` may be None."""

    @abstractmethod
    def rewrite(self, texts: Sequence[str]) -> Rewritten:
        """What becomes of each text, by itself: other texts beside it change nothing.

        Texts are different from each other; rewriters may work on them one by one.
        """

    @abstractmethod
    def state(self) -> State:
        """What `fit` learnt."""

    @abstractmethod
    def load_state(self, state: State) -> None:
        """Take over what another `fit` learnt."""
