"""Labels from what users did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from mlsd import checks
from mlsd.errors import InputError
from mlsd.estimators.position_bias import PositionBias, shuffled_clicks
from mlsd.labels.base import PROPENSITIES, Labels, LabelSource
from mlsd.logs import Log, acted
from mlsd.types import Floats


@dataclass(frozen=True)
class Action:
    """Something a user can do with an item, and what it is worth as a label.

    Args:
        column: of the impressions, such as `click` or `dwell_s`.
        at_least: the value from which on the action counts as done.
        label: what it is worth, above 0.
    """

    column: str
    at_least: float
    label: float

    def __post_init__(self) -> None:
        checks.above("at_least", self.at_least, 0)
        checks.above("label", self.label, 0)

    def done(self, log: Log) -> NDArray[np.bool_]:
        """(n_impressions,) whether the user did it."""
        return acted(log.impressions, self.column, self.at_least)


class ActionLabels(LabelSource):
    """An impression's label is that of the best action done, over the examination of its position.

        label = max over actions done of its label  x  min(1 / examination[position], max_weight)

    and 0 where nothing was done. An item shown twice in answer to one request keeps its highest label.

    Args:
        actions: name -> action; None switches one off.
        propensity: "position" divides by the examination that the shuffled slice of the training windows
            shows; "none" takes actions as they are, as if all positions were examined alike: biased towards
            what was shown first.
        max_weight: the largest 1 / examination that is used; smaller is steadier and more biased. The
            share of labels it cuts is in the diagnostics.
    """

    def __init__(
        self, actions: Mapping[str, Action | None], propensity: str = "position", max_weight: float = 20.0
    ) -> None:
        on = {name: action for name, action in actions.items() if action is not None}
        self.actions: Mapping[str, Action] = checks.not_empty("actions", on)
        self.propensity = checks.one_of("propensity", propensity, PROPENSITIES)
        self.max_weight = checks.at_least("max_weight", max_weight, 1)

    def make(self, log: Log) -> Labels:
        if not len(log.impressions):
            raise InputError("labels from actions need impressions, and the log has none")
        done = {name: action.done(log) for name, action in self.actions.items()}
        value = np.max([self.actions[name].label * mask for name, mask in done.items()], axis=0)
        bias = shuffled_clicks(log) if self.propensity == "position" else None
        weight = self._weights(log, bias)
        impressions = log.impressions
        return Labels.of_pairs(
            impressions["request_id"].to_numpy(),
            impressions["item"].to_numpy(),
            value * np.minimum(weight, self.max_weight),
            bias.relative if bias else np.ones(1 + int(impressions["position"].to_numpy().max())),
            self.max_weight,
            {**self._diagnostics(value, weight, done), **({"examination": _described(bias)} if bias else {})},
        )

    @staticmethod
    def _weights(log: Log, bias: PositionBias | None) -> Floats:
        """(n_impressions,) 1 / examination, before it is cut."""
        position = log.impressions["position"].to_numpy()
        return np.ones(len(position)) if bias is None else (1.0 / bias.relative)[position]

    def _diagnostics(
        self, value: Floats, weight: Floats, done: Mapping[str, NDArray[np.bool_]]
    ) -> dict[str, object]:
        positive = value > 0
        clipped = int(np.count_nonzero(weight[positive] > self.max_weight))
        return {
            "propensity": self.propensity,
            "max_weight": self.max_weight,
            "n_impressions": len(value),
            "n_positive": int(positive.sum()),
            "n_done": {name: int(mask.sum()) for name, mask in done.items()},
            "clipped_share": clipped / max(int(positive.sum()), 1),
        }


def _described(bias: PositionBias) -> dict[str, object]:
    """The estimate in plain numbers, for a report."""
    return {
        "relative": bias.relative.tolist(),
        "low": bias.low.tolist(),
        "high": bias.high.tolist(),
        "n_requests": bias.n_requests,
        "n_clicks": bias.n_clicks.tolist(),
    }
