"""Stages that score candidates by rankers."""

from mlsd.stages.rank.rank import Rank
from mlsd.stages.rank.value import Value

__all__ = ["Rank", "Value"]
