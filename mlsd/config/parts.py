"""Plain values into typed objects. One walk checks and builds, and names everything wrong on its way.

Every mapping of a config is one of three: a part (it has a `_target_`), a section (its place is annotated
with a dataclass) or a collection of named parts (its place is annotated as a mapping). The constructor's
signature is the schema: unknown and missing parameters, types and, as constructors check their values,
rules are all read from there.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, is_dataclass
from typing import Any

from mlsd import checks
from mlsd.config.keys import join
from mlsd.config.standin import STAND_IN, stands_in
from mlsd.config.targets import Target, describe, find, is_allowed
from mlsd.config.values import arms, element, is_optional, made_class, mapping_value, plain_value
from mlsd.errors import Fault, InvalidValueError, nearest
from mlsd.types import FeatureSpec

TARGET, PARTIAL = "_target_", "_partial_"

MISSING = "???"
"""How YAML says that a value must be given."""

PROBES: dict[Any, Any] = {FeatureSpec: FeatureSpec(("probe",), {"probe_category": 2})}
"""What completes a `_partial_` part for its rules to be checked, by annotation."""


@dataclass
class Builder:
    """Builds the parts of a config, or finds everything wrong with them.

    Args:
        prefixes: that a `_target_` may have.
        without: prefixes of targets that are neither imported nor built; something stands in for them.
        faults: found so far.
    """

    prefixes: Sequence[str]
    without: Sequence[str] = ()
    faults: list[Fault] = field(default_factory=list)

    def build(self, key: str, value: object, annotation: Any) -> Any:
        """The object that `value` describes.

        Args:
            key: full key of the value.
            value: plain.
            annotation: of the parameter that takes it.
        """
        if value is STAND_IN:
            return value
        if isinstance(value, Mapping):
            return self._mapping(key, value, annotation)
        inner = next((found for arm in arms(annotation) if (found := element(arm)) is not None), None)
        if isinstance(value, list) and inner is not None:
            elements = [self.build(f"{key}[{row}]", one, inner) for row, one in enumerate(value)]
            return tuple(elements) if "tuple" in str(annotation) else elements
        return self._leaf(key, value, annotation)

    def _mapping(self, key: str, value: Mapping[str, object], annotation: Any) -> Any:
        if TARGET in value:
            return self._part(key, value, annotation)
        if not value and is_optional(annotation) and annotation is not Any:
            return None
        for arm in arms(annotation):
            if inspect.isclass(arm) and is_dataclass(arm):
                return self.section(key, value, arm)
            inner = mapping_value(arm)
            if inner is not None:
                return {name: self.build(join(key, name), one, inner) for name, one in value.items()}
        return self._leaf(key, value, annotation)

    def _leaf(self, key: str, value: object, annotation: Any) -> Any:
        if annotation is Any or (value is None and is_optional(annotation)):
            return value
        wanted = next((kind for arm in arms(annotation) if _is_part(kind := made_class(arm))), None)
        if wanted is not None:
            written = "a mapping" if is_dataclass(wanted) else f"a mapping with a {TARGET}"
            return self._fault(key, value, f"must be {written} ({wanted.__name__})")
        made, faults = plain_value(key, value, annotation)
        self.faults += faults
        return STAND_IN if faults else made

    def section(self, key: str, value: Mapping[str, object], cls: type) -> Any:
        """A dataclass that has no `_target_`, since its place says what it is."""
        target = describe(cls)
        return self.constructed(key, target, self.arguments(key, value, target))

    def _part(self, key: str, value: Mapping[str, object], annotation: Any) -> Any:
        name = value[TARGET]
        if isinstance(name, str) and is_allowed(name, self.without):
            return STAND_IN
        target = find(join(key, TARGET), name, self.prefixes)
        if isinstance(target, Fault):
            self.faults.append(target)
            return STAND_IN
        if not self._fits(key, target, annotation):
            return STAND_IN
        given = {parameter: one for parameter, one in value.items() if parameter not in {TARGET, PARTIAL}}
        if value.get(PARTIAL, False) is not True:
            return self.constructed(key, target, self.arguments(key, given, target))
        arguments = self.arguments(key, given, target, partial=True)
        self._probe(key, target, arguments)
        return functools.partial(target.make, **arguments)

    def _fits(self, key: str, target: Target, annotation: Any) -> bool:
        """Whether a class is one that its place asks for."""
        wanted = [kind for arm in arms(annotation) if (kind := made_class(arm)) is not None]
        if not wanted or not inspect.isclass(target.make):
            return True
        if any(issubclass(target.make, kind) for kind in wanted):
            return True
        names = " or ".join(kind.__name__ for kind in wanted)
        self._fault(join(key, TARGET), f"{target.make.__module__}.{target.name}", f"must be a {names}")
        return False

    def arguments(
        self, key: str, given: Mapping[str, object], target: Target, *, partial: bool = False
    ) -> dict[str, Any]:
        """The arguments of a constructor, each built; unknown and missing ones are faults."""
        for name in given:
            if name not in target.parameters and not target.open_ended:
                known = ", ".join(target.parameters) or "no parameters"
                rule = f"no such key: {target.name if key else 'a run'} has {known}"
                self._fault(join(key, name), given[name], rule, nearest(name, target.parameters))
        missing = [] if partial else [name for name in target.required if name not in given]
        for name in missing:
            self._fault(join(key, name), MISSING, f"must be given to {target.name}")
        known_ones = [name for name in given if name in target.parameters or target.open_ended]
        made = {name: self.build(join(key, name), given[name], target.hint(name)) for name in known_ones}
        return {**made, **dict.fromkeys(missing, STAND_IN)}

    def constructed(self, key: str, target: Target, arguments: dict[str, Any]) -> Any:
        """The object; rules that its constructor finds broken are faults under their full keys."""
        n_known = len(self.faults)
        incomplete = any(value is STAND_IN for value in arguments.values())
        with checks.collecting() as broken:
            try:
                made = target.make(**arguments)
            except Exception as error:  # noqa: BLE001  (whatever a constructor says about its arguments)
                made = STAND_IN
                if not broken and not incomplete:
                    self._raised(key, target, error)
        self._broken(key, broken)
        return made if len(self.faults) == n_known or made is not STAND_IN else STAND_IN

    def _raised(self, key: str, target: Target, error: Exception) -> None:
        if isinstance(error, InvalidValueError):
            self._broken(key, [error])
        else:
            self._fault(key, target.name, f"cannot be made: {error}")

    def _broken(self, key: str, broken: Sequence[InvalidValueError]) -> None:
        for fault in broken:
            if not stands_in(fault.value, fault.rule):
                self._fault(join(key, fault.name), fault.value, fault.rule)

    def _probe(self, key: str, target: Target, arguments: dict[str, Any]) -> None:
        """Check the rules of a part that is completed later, completing it with probes."""
        missing = [name for name in target.required if name not in arguments]
        probes = {name: PROBES.get(target.hint(name), STAND_IN) for name in missing}
        self.constructed(key, target, {**arguments, **probes})

    def _fault(self, key: str, value: object, rule: str, close: str | None = None) -> Any:
        self.faults.append(Fault(key, value, rule, close))
        return STAND_IN


def _is_part(kind: type | None) -> bool:
    """Whether only a `_target_` or a section can make objects of a class."""
    if kind is None or kind.__module__ == "collections.abc":
        return False
    return is_dataclass(kind) or inspect.isabstract(kind) or kind.__module__.startswith("mlsd.")
