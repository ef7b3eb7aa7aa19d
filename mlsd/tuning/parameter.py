"""One named parameter of a search space: what it sets, the values it may take, and when it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from mlsd import checks
from mlsd.config.overrides import value_text

Label = None | bool | int | float | str
"""What a storage keeps of a value."""


@dataclass(frozen=True, kw_only=True)
class Parameter:
    """A parameter is a number between `low` and `high`, one of some `choices`, or a `switch`.

    Args:
        key: what it sets, as on the command line: `funnel.stages.full_rank.n_out`,
            `ranker@funnel.stages.full_rank.ranker`, `funnel`, `funnel.skip`.
        low: the lowest value; whole numbers where `low`, `high` and `step` are.
        high: the highest value.
        log: whether equal ratios are equally likely.
        step: between neighbouring values; None for any.
        choices: values of any kind, options of a group among them.
        switch: on leaves the key as the config has it, off sets it to null.
        when: other parameter -> the value, or the values, of it under which this one counts; else always.

    Example:
        >>> Parameter(key="funnel.skip", choices=([], ["light_rank"])).overrides("[light_rank]")
        ['funnel.skip=[light_rank]']
        >>> Parameter(key="features.bm25", switch=True).overrides(False)
        ['features.bm25=null']
    """

    key: str
    low: int | float | None = None
    high: int | float | None = None
    log: bool = False
    step: int | float | None = None
    choices: tuple[Any, ...] | None = None
    switch: bool = False
    when: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        checks.not_empty("key", self.key)
        checks.require("=" not in self.key and not self.key.startswith("~"), "key", self.key, _KEY_RULE)
        kinds = [self.low is not None or self.high is not None, self.choices is not None, self.switch]
        rule = "must have low and high, or choices, or switch: true"
        if checks.require(sum(kinds) == 1, "key", self.key, rule) and sum(kinds) != 1:
            return
        if self.is_number:
            self._check_range()
        else:
            rule = "is for numbers between low and high"
            checks.require(self.step is None, "step", self.step, rule)
            checks.require(not self.log, "log", self.log, rule)
        if self.choices is not None:
            checks.not_empty("choices", self.choices)
            texts = [value_text(choice) for choice in self.choices]
            checks.require(len({*texts}) == len(texts), "choices", list(self.choices), "must not repeat")

    def _check_range(self) -> None:
        low, high = self.low, self.high
        if low is None or high is None:
            missing = "low" if low is None else "high"
            checks.require(
                condition=False, name=missing, value=None, rule="must be given, as the other end is"
            )
            return
        checks.require(low < high, "low", low, f"must be below high == {high}")
        if self.log:
            checks.above("low", low, 0)
            checks.require(self.step is None, "step", self.step, "must be left out where log is true")
        if self.step is not None:
            checks.above("step", self.step, 0)

    @property
    def is_number(self) -> bool:
        return self.choices is None and not self.switch

    @property
    def is_whole(self) -> bool:
        """Whether it takes whole numbers only."""
        return self.is_number and all(isinstance(one, int) for one in (self.low, self.high, self.step or 1))

    @property
    def labels(self) -> tuple[Label, ...]:
        """Its values, or of a number the two ends."""
        if self.switch:
            return (True, False)
        if self.choices is None:
            return (self.low, self.high)
        return tuple(_label(choice) for choice in self.choices)

    def label_of(self, value: object) -> Label | None:
        """The label of a value it may take, as YAML writes the value.

        Raises:
            KeyError: it may not take it.
        """
        label = _label(value)
        known = self._whole_numbers() if self.is_whole else () if self.is_number else self.labels
        for one in known:
            if one == label and isinstance(one, bool) == isinstance(label, bool):
                return one
        raise KeyError(label)

    def _whole_numbers(self) -> Sequence[int]:
        assert isinstance(self.low, int)  # noqa: S101  (`is_whole`)
        assert isinstance(self.high, int)  # noqa: S101
        return range(self.low, self.high + 1, int(self.step or 1))

    def overrides(self, label: Label) -> list[str]:
        """What the command line would say for a value; nothing where the config stays as it is."""
        if self.switch:
            return [] if label else [f"{self.key}=null"]
        value = label if self.choices is None else self.choices[self.labels.index(label)]
        return [f"{self.key}={value_text(value)}"]


_KEY_RULE = "must be a key as on the command line, without a value; what is removed is set to null"


def _label(value: object) -> Label:
    return value if value is None or isinstance(value, bool | int | float | str) else value_text(value)
