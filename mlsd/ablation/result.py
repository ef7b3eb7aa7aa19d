"""What an ablation found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlsd.ablation.luck import TrainingLuck
from mlsd.ablation.parts import Pieces, Removal
from mlsd.evaluation import Figures
from mlsd.funnel import Funnel


@dataclass(frozen=True)
class Ablation:
    """What each part of a funnel is worth, by how it was taken out.

    Args:
        worth: removal -> part -> figures of the funnel with the part minus without.
        not_possible: removal -> part -> why there is no such funnel, in words.
        switched_off: part -> stage -> pieces that a redesign without the part has to do without as well.
        emptied: part -> stages of which nothing is left in a redesign without the part.
        non_inferiority: removal -> part that is there to save work -> its verdict and what it saves.
        luck: of training the whole design, by the deciding metric.
        beyond_luck: part -> whether a redesign without it differs by more; None where luck is not known.
        leaner: part that is there to save work -> the funnel without it, to be timed.
    """

    worth: Mapping[Removal, Mapping[str, Figures]]
    not_possible: Mapping[Removal, Mapping[str, str]]
    switched_off: Mapping[str, Pieces]
    emptied: Mapping[str, frozenset[str]]
    non_inferiority: Mapping[Removal, Mapping[str, Mapping[str, Any]]]
    luck: TrainingLuck
    beyond_luck: Mapping[str, bool | None]
    leaner: Mapping[str, Funnel] = field(default_factory=dict)

    def to_metrics(self) -> dict[str, object]:
        """As in `metrics.json`: plain values only."""
        off = {
            part: {stage: sorted(pieces) for stage, pieces in of_part.items()}
            for part, of_part in self.switched_off.items()
        }
        return {
            **{removal: self.worth[removal] for removal in self.worth},
            "not_possible": self.not_possible,
            "switched_off": off,
            "emptied": {part: sorted(stages) for part, stages in self.emptied.items()},
            "non_inferiority": self.non_inferiority,
            "training_luck": {**self.luck.to_metrics(), "exceeded": self.beyond_luck},
        }
