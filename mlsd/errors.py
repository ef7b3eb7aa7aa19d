"""What can go wrong for a user of mlsd, said in one short message.

A fault names what is wrong, where, the value, the rule it breaks and the nearest right name.
Every exception here ends the command line with its own exit code and without a traceback.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches


class MlsdError(Exception):
    """A mistake or a condition that the user can act on; never a bug of mlsd itself."""

    exit_code = 2


class BudgetExceededError(MlsdError):
    """The measured latency is over the problem's budget and `budget.enforce` is on."""

    exit_code = 3


class NotReproducedError(MlsdError):
    """A run that was run again has figures that are not what they were."""

    exit_code = 4


class InputError(MlsdError):
    """A file or table given by the user is missing, malformed or inconsistent."""


class StorageError(InputError):
    """What a study is kept in cannot be reached, is damaged, or is held by somebody else."""


class NotFittedError(MlsdError):
    """Something trainable was used before `fit` or `load_state`."""


class InvalidValueError(MlsdError, ValueError):
    """A value breaks its rule.

    Example:
        >>> raise InvalidValueError("n_out", 0, "must be at least 1")
        Traceback (most recent call last):
            ...
        mlsd.errors.InvalidValueError: n_out == 0, must be at least 1
    """

    def __init__(self, name: str, value: object, rule: str) -> None:
        self.name, self.value, self.rule = name, value, rule
        super().__init__(f"{name} == {value!r}, {rule}")


@dataclass(frozen=True)
class Fault:
    """One thing wrong in a config: full key, value, rule and, for names, the nearest right one."""

    key: str
    value: object
    rule: str
    nearest: str | None = None

    def __str__(self) -> str:
        hint = f" Did you mean {self.nearest!r}?" if self.nearest else ""
        return f"{self.key} == {self.value!r}: {self.rule}.{hint}"


class ConfigError(MlsdError):
    """All faults of a config, reported together.

    Example:
        >>> print(ConfigError([Fault("funnel.order[1]", "ligt_rank", "no such stage", "light_rank")]))
        1 fault in the config:
          funnel.order[1] == 'ligt_rank': no such stage. Did you mean 'light_rank'?
    """

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(faults)
        count = f"{len(faults)} fault{'s' if len(faults) != 1 else ''} in the config:"
        super().__init__("\n".join([count, *(f"  {fault}" for fault in faults)]))


def nearest(name: str, choices: Iterable[str]) -> str | None:
    """The choice most like `name`, or None when none is close.

    Example:
        >>> nearest("dcn_v3", ["dcn_v2", "mlp"])
        'dcn_v2'
    """
    matches = get_close_matches(str(name), list(choices), n=1, cutoff=0.6)
    return matches[0] if matches else None
