"""Stages that score candidates by rankers."""

from mlsd.stages.rank.rank import Rank

__all__ = ["Rank"]
