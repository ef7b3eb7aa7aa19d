"""A search space: named parameters, some of which count only under certain values of others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations, product

from mlsd.errors import Fault, nearest
from mlsd.tuning.parameter import Label, Parameter

Assignment = Mapping[str, Label]
"""Parameter that counts -> its value."""

Condition = Mapping[str, tuple[Label, ...]]
"""Parameter -> the values of it under which something counts."""

PLACE = "tuning.space"


@dataclass(frozen=True)
class Space:
    """Parameters whose faults were looked for, each after those that it depends on.

    Args:
        parameters: by name, in that order.
        conditions: name -> everything that must hold for it to count, at whatever distance.
    """

    parameters: Mapping[str, Parameter]
    conditions: Mapping[str, Condition]

    @staticmethod
    def of(parameters: Mapping[str, Parameter]) -> Space:
        """The space of parameters that have no fault."""
        order = _sorted(parameters)
        conditions = {name: _conditions(name, parameters) for name in order}
        return Space({name: parameters[name] for name in order}, conditions)

    def counts(self, name: str, chosen: Assignment) -> bool:
        """Whether a parameter counts, given the values of those before it."""
        when = self.conditions[name]
        return all(parent in chosen and _is_in(chosen[parent], values) for parent, values in when.items())

    def overrides(self, chosen: Assignment) -> list[str]:
        """What the command line would say for an assignment."""
        return [text for name, label in chosen.items() for text in self.parameters[name].overrides(label)]

    def corners(self) -> Iterator[tuple[str, dict[str, Label]]]:
        """Each end and each choice of every parameter, in each way in which it counts; others unset."""
        for name, parameter in self.parameters.items():
            when = self.conditions[name]
            for values in product(*when.values()):
                under = dict(zip(when, values, strict=True))
                if all(self.counts(parent, under) for parent in under):
                    for around in ({}, *self._around(name, under)):
                        chosen = self._in_order({**under, **around})
                        yield from ((name, {**chosen, name: label}) for label in parameter.labels)

    def _around(self, name: str, under: Assignment) -> Iterator[dict[str, Label]]:
        """Each choice of what the parameter's key lies in, where the two can count at once."""
        key = self.parameters[name].key.lstrip("+")
        for other, parameter in self.parameters.items():
            place = parameter.key.lstrip("+").rpartition("@")[2]
            if (
                other != name
                and other not in under
                and key.startswith(f"{place}.")
                and self.counts(other, under)
            ):
                yield from ({other: label} for label in parameter.labels)

    def _in_order(self, chosen: dict[str, Label]) -> dict[str, Label]:
        return {name: chosen[name] for name in self.parameters if name in chosen}


def space_faults(parameters: Mapping[str, Parameter]) -> list[Fault]:
    """What is wrong with the parameters taken together."""
    if not parameters:
        return [Fault(PLACE, {}, "must name at least one parameter")]
    faults = [fault for name in parameters for fault in _when_faults(name, parameters)]
    if faults:
        return faults
    never = [name for name in parameters if any(not v for v in _conditions(name, parameters).values())]
    rule = "can never hold: other parameters on the way need other values"
    impossible = [Fault(f"{PLACE}.{name}.when", dict(parameters[name].when), rule) for name in never]
    return impossible or list(_key_faults(parameters))


def _when_faults(name: str, parameters: Mapping[str, Parameter]) -> Iterator[Fault]:
    key = f"{PLACE}.{name}.when"
    for parent, values in parameters[name].when.items():
        if parent not in parameters:
            yield Fault(f"{key}.{parent}", values, "no such parameter", nearest(parent, parameters))
            continue
        for value in _listed(values, parameters[parent]):
            yield from _value_faults(f"{key}.{parent}", value, parent, parameters[parent])
    if name in _ancestors(name, parameters):
        yield Fault(key, dict(parameters[name].when), "leads back to itself")


def _listed(values: object, parent: Parameter) -> list[object]:
    """The values of a condition; a list that is itself a choice of the parent is one value."""
    is_one = not isinstance(values, list) or (parent.choices is not None and values in parent.choices)
    return [values] if is_one else list(values)  # type: ignore[call-overload]


def _value_faults(key: str, value: object, name: str, parent: Parameter) -> Iterator[Fault]:
    try:
        parent.label_of(value)
    except KeyError:
        if parent.is_number and not parent.is_whole:
            yield Fault(key, value, f"{name} takes any number: what depends on it needs choices")
            return
        texts = [str(label) for label in parent.labels]
        rule = (
            f"must be from {texts[0]} to {texts[1]}"
            if parent.is_number
            else f"must be one of {', '.join(texts)}"
        )
        yield Fault(key, value, rule, nearest(str(value), texts))


def _ancestors(name: str, parameters: Mapping[str, Parameter]) -> set[str]:
    found: set[str] = set()
    todo = [*parameters[name].when]
    while todo:
        parent = todo.pop()
        if parent not in found and parent in parameters:
            found.add(parent)
            todo += parameters[parent].when
    return found


def _sorted(parameters: Mapping[str, Parameter]) -> list[str]:
    """Parents first, else as written."""
    order: list[str] = []

    def add(name: str) -> None:
        for parent in parameters[name].when:
            add(parent)
        if name not in order:
            order.append(name)

    for name in parameters:
        add(name)
    return order


def _conditions(name: str, parameters: Mapping[str, Parameter]) -> dict[str, tuple[Label, ...]]:
    """Everything that must hold, parents' own conditions included; an empty tuple where nothing can."""
    found: dict[str, tuple[Label, ...]] = {}
    for parent, values in parameters[name].when.items():
        listed = _listed(values, parameters[parent])
        own = {parent: tuple(parameters[parent].label_of(value) for value in listed)}
        for other, labels in (*_conditions(parent, parameters).items(), *own.items()):
            found[other] = tuple(one for one in found.get(other, labels) if _is_in(one, labels))
    return found


def _is_in(label: Label, labels: tuple[Label, ...]) -> bool:
    return any(label == one and isinstance(label, bool) == isinstance(one, bool) for one in labels)


def _key_faults(parameters: Mapping[str, Parameter]) -> Iterator[Fault]:
    """Two parameters that set the same key must never count at once."""
    for (one, first), (other, second) in combinations(parameters.items(), 2):
        if first.key.lstrip("+") != second.key.lstrip("+"):
            continue
        ours, theirs = (_conditions(name, parameters) for name in (one, other))
        apart = any(
            not any(_is_in(label, theirs[parent]) for label in labels)
            for parent, labels in ours.items()
            if parent in theirs
        )
        if not apart:
            rule = f"is set by {one}, too, and nothing in `when` keeps the two apart"
            yield Fault(f"{PLACE}.{other}.key", second.key, rule)
