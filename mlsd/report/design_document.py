"""The system-design document of a config: written from its answers, nothing is drawn or trained."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jinja2

from mlsd.config.inventory import summaries
from mlsd.config.keys import join
from mlsd.config.schema import FunnelPlan, Logging
from mlsd.features.base import Declared
from mlsd.online.base import OnlineTest
from mlsd.problems.base import Problem
from mlsd.report.markdown import escape
from mlsd.report.numbers import count, family_name, metric_name, milliseconds, one_line, share, spoken
from mlsd.report.scale import Derived, StageLoad, scale_figures, stage_loads

TEMPLATES = Path(__file__).parent / "templates"

RESERVED = {"_target_", "_partial_"}
"""Keys that say what a part is, and are none of its parameters."""

GUIDELINES = "guidelines"
"""Of raters: sentences, which the document has in a table of their own."""

EMBEDDING_DIM = "dim"
"""The parameter of a retriever that keeps an embedding of every item."""

NOT_DECLARED = "not declared"


@dataclass(frozen=True)
class Component:
    """Something inside a stage that a YAML chose.

    Args:
        key: full key in the config.
        kind: its class.
        summary: the first line of its docstring.
        parameters: those that the config gives.
    """

    key: str
    kind: str
    summary: str
    parameters: Mapping[str, object]


@dataclass(frozen=True)
class Design:
    """All that a design document says.

    Args:
        problem: what is designed.
        plan: the funnel.
        loads: what each stage has to do.
        figures: of the scale.
        components: parts of the stages that requests pass; a stage without parts itself.
        families: family -> names of the declared features.
        labels: how training targets are made.
        training: full key -> value of all that decides what stages are trained on.
        logging: the pre-existing system; None where there is none.
        existing: what it is made of, in words.
        online: the experiment; None where nobody can be asked.
        unit: what intervals resample.
        decides_offline: name of the offline metric that decides.
        metrics: names of all offline metrics.
        values: the config, plain.
    """

    problem: Problem
    plan: FunnelPlan
    loads: Sequence[StageLoad]
    figures: Sequence[Derived]
    components: Sequence[Component]
    families: Mapping[str, Sequence[str]]
    labels: Component
    training: Mapping[str, str]
    logging: Logging | None
    existing: str
    online: OnlineTest | None
    unit: str
    decides_offline: str
    metrics: Sequence[str]
    values: Mapping[str, Any]


def design_of(values: Mapping[str, Any], sections: Mapping[str, Any]) -> Design:
    """What there is to say about a config.

    Args:
        values: plain, interpolations followed.
        sections: the built ones by name; losses may be left out.
    """
    problem, plan = sections["problem"], sections["funnel"]
    components = list(_components(values["funnel"]["stages"], plan, "funnel"))
    dims = {
        join(one.key, name): value
        for one in components
        for name, value in one.parameters.items()
        if name == EMBEDDING_DIM and ".retrievers." in one.key and isinstance(value, int)
    }
    return Design(
        problem=problem,
        plan=plan,
        loads=stage_loads(problem, plan),
        figures=scale_figures(problem, plan, dims),
        components=components,
        families=_families(sections["features"]),
        labels=_component("labels", values["labels"]),
        training=_training(values, plan),
        logging=sections.get("logging"),
        existing=_existing(values.get("logging"), sections.get("logging")),
        online=sections.get("online"),
        unit=sections["world"].unit,
        decides_offline=sections["metrics"][problem.goals.offline].name,
        metrics=[metric.name for metric in sections["metrics"].values()],
        values=values,
    )


def _existing(values: Mapping[str, Any] | None, logging: Logging | None) -> str:
    if values is None or logging is None:
        return ""
    components = list(_components(values["funnel"]["stages"], logging.funnel, "funnel"))
    return ", ".join(f"{name}: {_contains(components, name)}" for name in logging.funnel.active)


def _components(stages: Mapping[str, Any], plan: FunnelPlan, key: str) -> Iterator[Component]:
    """Parts of the active stages in order, features left out: they have a chapter of their own.

    A stage that has no parts stands for itself.
    """
    for name in plan.active:
        at, settings = f"{key}.stages.{name}", stages[name]
        parts = {join(at, part): value for part, value in settings.items() if part != "features"}
        inside = [one for part, value in parts.items() for one in _inside(part, value)]
        yield from inside or [_component(at, settings)]


def _inside(key: str, value: object) -> Iterator[Component]:
    if not isinstance(value, Mapping):
        return
    if "_target_" in value:
        yield _component(key, value)
        return
    for name, inner in value.items():
        yield from _inside(join(key, name), inner)


def _component(key: str, value: Mapping[str, Any]) -> Component:
    target = str(value["_target_"])
    parameters = {name: one for name, one in value.items() if name not in RESERVED}
    return Component(key, target.rpartition(".")[2], summaries().get(target, ""), parameters)


def _training(values: Mapping[str, Any], plan: FunnelPlan) -> dict[str, str]:
    """Of the labels, and of the negatives of each stage that has some."""
    stages = values["funnel"]["stages"]
    negatives = {
        f"funnel.stages.{name}.negatives": stages[name]["negatives"]
        for name in plan.active
        if stages[name].get("negatives") is not None
    }
    given = {"labels": values["labels"], **negatives}
    found = (leaf for key, value in given.items() for leaf in leaves(value, key))
    return {key: text for key, text in found if key.rpartition(".")[2] not in RESERVED | {GUIDELINES}}


def leaves(value: object, key: str) -> Iterator[tuple[str, str]]:
    """Full key and value of every single setting, as one reads it.

    Example:
        >>> list(leaves({"a": {"b": 1}, "c": True}, "k"))
        [('k.a.b', '1'), ('k.c', 'yes')]
    """
    if isinstance(value, Mapping) and value:
        for name, inner in value.items():
            yield from leaves(inner, join(key, name))
    else:
        yield key, said(value)


def _families(features: Mapping[str, Declared | None]) -> dict[str, list[str]]:
    families: dict[str, list[str]] = {}
    for name, feature in features.items():
        if feature is not None:
            families.setdefault(feature.family, []).append(name)
    return families


def markdown(design: Design) -> str:
    """The document, as Markdown."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (Markdown: text from configs goes through `md`)
        finalize=lambda value: "" if value is None else value,
    )
    environment.filters |= {
        "md": escape,
        "count": count,
        "ms": _ms,
        "spoken": spoken,
        "metric": metric_name,
        "family": family_name,
        "share": share,
        "said": said,
        "code": code,
    }
    return environment.get_template("design.md.j2").render(
        design=design,
        diagram=diagram(design),
        online_metrics=list(design.online.metrics) if design.online else [],
    )


def _ms(value: float | None) -> str:
    return NOT_DECLARED if value is None else milliseconds(value)


def said(value: object) -> str:
    """A config's value as one reads it; a part as its class with what it is given.

    Example:
        >>> said([64, 32]), said({"k": 1, "on": True}), said(None)
        ('64, 32', 'k=1, on=yes', 'none')
        >>> said({"click": {"_target_": "mlsd.labels.actions.Action", "at_least": 1}})
        'click=Action(at_least=1)'
    """
    if isinstance(value, Mapping):
        inner = ", ".join(f"{name}={_nested(one)}" for name, one in value.items() if name not in RESERVED)
        kind = str(value.get("_target_", "")).rpartition(".")[2]
        return f"{kind}({inner})" if kind else inner
    if isinstance(value, (list, tuple)):
        return ", ".join(said(one) for one in value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    return "none" if value is None else str(value)


def _nested(value: object) -> str:
    several = isinstance(value, (list, tuple)) or (isinstance(value, Mapping) and "_target_" not in value)
    return f"({said(value)})" if several else said(value)


def code(text: object) -> str:
    """A span of code, in a table too.

    Example:
        >>> code("a|`b`")
        '`a b`'
    """
    return f"`{one_line(re.sub('[`|]', ' ', str(text)))}`"


def diagram(design: Design) -> str:
    """The funnel as text: each stage with what is inside, and how many candidates pass between stages.

    Stages that work on requests alone come first; then the catalog is searched.
    """
    width = max(len(load.name) for load in design.loads)
    of_request = [load for load in design.loads if load.n_out == 0]
    of_items = [load for load in design.loads if load.n_out > 0]
    lines = ["a request"] if of_request else []
    for load in of_request:
        lines += _arrow(""), f"{load.name:<{width}}   {_contains(design.components, load.name)}"
    lines += [""] if of_request else []
    lines.append(f"{count(design.problem.scale.n_items)} items")
    for load in of_items:
        lines += _arrow(count(load.n_in)), f"{load.name:<{width}}   {_contains(design.components, load.name)}"
    last = of_items[-1].n_out
    shown = min(design.problem.n_positions, last)
    return "\n".join([*lines, _arrow(count(last)), f"{count(shown)} shown"])


def _arrow(passed: str) -> str:
    return f"{f'  │ {passed}'.rstrip()}\n  ▼"


def _contains(components: Sequence[Component], stage: str) -> str:
    """Named parts by their names (bm25 + two_tower), others by their class; losses left out."""
    at = f"funnel.stages.{stage}"
    inside = [
        one for one in components if f"{one.key}.".startswith(f"{at}.") and not one.key.endswith(".loss")
    ]
    return " + ".join(
        one.key.rpartition(".")[2] if one.key.removeprefix(at).count(".") > 1 else one.kind for one in inside
    )
