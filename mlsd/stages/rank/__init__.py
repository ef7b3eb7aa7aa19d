"""Stages that score candidates by rankers."""

from mlsd.stages.rank.action_rank import ActionRank, Task
from mlsd.stages.rank.base import RankStage
from mlsd.stages.rank.rank import Rank
from mlsd.stages.rank.value import Value
from mlsd.stages.rank.value_rank import ValueRank

__all__ = ["ActionRank", "Rank", "RankStage", "Task", "Value", "ValueRank"]
