"""A benchmark's YAML: read strictly, and held against its schema."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

from yaml import MappingNode, MarkedYAMLError, Node, ScalarNode, SequenceNode, YAMLError
from yaml.loader import SafeLoader

from mlsd.bench.benchmark import Benchmark
from mlsd.config.keys import join
from mlsd.config.parts import Builder
from mlsd.errors import Fault, InputError, nearest

STRING = "tag:yaml.org,2002:str"


class Written(NamedTuple):
    """What of a benchmark its runs are composed of: as much of it as is of the right kind."""

    base: tuple[str, ...]
    arms: dict[str, tuple[str, ...]]
    varies: str
    needs_data: str | None
    metric: str | None


def read(path: Path) -> tuple[Any, Written, list[Fault]]:
    """The benchmark that a file describes, and everything wrong with its keys.

    Returns:
        A `Benchmark` if nothing is wrong with it; what can be composed in any case; the faults.

    Raises:
        InputError: there is no such file, or it is no YAML mapping.
    """
    values, faults = _strict(path)
    builder = Builder(prefixes=())
    made = builder.section("", values, Benchmark)
    return made, _written(values), [*faults, *(_of_a_benchmark(fault) for fault in builder.faults)]


def _written(values: Mapping[str, Any]) -> Written:
    arms = values.get("arms")
    named = arms.items() if isinstance(arms, dict) else ()
    text = {key: values[key] for key in ("needs_data", "metric") if isinstance(values.get(key), str)}
    return Written(
        _texts(values.get("base")),
        {str(arm): _texts(own) for arm, own in named},
        str(values.get("varies", "seed")),
        text.get("needs_data"),
        text.get("metric"),
    )


def _texts(value: object) -> tuple[str, ...]:
    return tuple(each for each in value if isinstance(each, str)) if isinstance(value, list) else ()


def _of_a_benchmark(fault: Fault) -> Fault:
    """The schema's top level is called a run in the builder's words; here it is a benchmark."""
    rule = fault.rule.replace("no such key: a run has", "no such key: a benchmark has")
    return Fault(fault.key, fault.value, rule, fault.nearest)


def _strict(path: Path) -> tuple[dict[str, Any], list[Fault]]:
    if not path.is_file():
        near = nearest(path.name, [each.name for each in path.parent.glob("*.yaml")])
        raise InputError(f"{path}: no such file{f'; nearest is {near!r}' if near else ''}")
    try:
        loader = SafeLoader(path.read_text(encoding="utf-8"))
        try:
            node = loader.get_single_node()
            faults = list(_key_faults(node, "", ()))
            values = loader.construct_document(node) if node is not None else None
        finally:
            loader.dispose()
    except (YAMLError, UnicodeDecodeError) as error:
        raise InputError(f"cannot read {path}: {_said(error)}") from error
    if not isinstance(values, dict):
        raise InputError(f"cannot read {path}: it is no mapping")
    return {str(key): value for key, value in values.items()}, faults


def _said(error: YAMLError | UnicodeDecodeError) -> str:
    """What is wrong with a file that is no YAML, and where."""
    mark = error.problem_mark if isinstance(error, MarkedYAMLError) else None
    if mark is None or not isinstance(error, MarkedYAMLError):
        return str(error).partition("\n")[0]
    return f"line {mark.line + 1}, column {mark.column + 1}: {error.problem}; what has brackets needs quotes"


def _key_faults(node: Node | None, key: str, above: tuple[Node, ...]) -> Iterator[Fault]:
    """Keys that stand twice, of which YAML would silently take the last, and keys that are no text."""
    if any(node is each for each in above):
        raise InputError(f"{key} refers to itself")
    above = (*above, node) if node is not None else above
    if isinstance(node, SequenceNode):
        for row, each in enumerate(node.value):
            yield from _key_faults(each, f"{key}[{row}]", above)
    if isinstance(node, MappingNode):
        lines: dict[str, int] = {}
        for name, value in node.value:
            inner = join(key, name.value if isinstance(name, ScalarNode) else "?")
            line = name.start_mark.line + 1
            if name.tag != STRING:
                yield Fault(inner, str(name.value), "must be text: write it in quotes")
            elif name.value in lines:
                rule = f"stands in lines {lines[name.value]} and {line}, must be named once"
                yield Fault(inner, name.value, rule)
            lines.setdefault(str(name.value), line)
            yield from _key_faults(value, inner, above)
