"""From a benchmark to its jobs: every arm is composed and checked before the first of them is run."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from mlsd.bench.benchmark import Benchmark
from mlsd.bench.job import Job
from mlsd.bench.reading import Written, read
from mlsd.config.check import Examined, examine, raise_faults
from mlsd.config.compose import compose_overrides
from mlsd.config.overrides import parse, value_text
from mlsd.errors import Fault, nearest
from mlsd.evaluation import ORACLE
from mlsd.metrics.base import DiversityMetric, RankingMetric
from mlsd.runs.steps import EXISTING, SHOWN
from mlsd.stages.base import RequestStage
from mlsd.store import code_version, key_of
from mlsd.worlds.base import RecordedWorld

OURS = ("store.folder", "n_workers")
"""Keys that a benchmark sets itself; no figure depends on them."""

PATH = "world.path"
"""The key that says where a collection lies."""

FROZEN = {"seed": ("seed", "world.seed", "training.seed"), "training.seed": ("training.seed",)}
"""What varies -> the keys that no override may set then."""


@dataclass(frozen=True)
class Plan:
    """A benchmark that can be run.

    Args:
        name: of its file.
        benchmark: what it asks.
        jobs: arm by arm within each seed.
        configs: arm -> the hash of its config, without folders and without the seed that varies.
        unit: what intervals resample beside seeds, such as "user".
        crossed: whether the same units recur under every seed.
        data: name and SHA-256 of the collection; empty where all data are generated.
    """

    name: str
    benchmark: Benchmark
    jobs: tuple[Job, ...]
    configs: Mapping[str, str]
    unit: str
    crossed: bool
    data: str


def plan_of(path: Path, data: Path | None = None, search: Iterable[Path] = ()) -> Plan:
    """Read a benchmark and check all of it.

    Args:
        path: of its YAML.
        data: folder of collections, for a benchmark that needs one.
        search: further folders of YAML, looked into after the shipped one.

    Raises:
        ConfigError: with everything that is wrong, in the file and in every arm.
        InputError: the file or the collection cannot be read.
    """
    benchmark, written, faults = read(path)
    shared, missing = _shared(written, data)
    examined, composing = _examined(written, shared, list(search))
    faults += [*missing, *_fixed_keys(written), *composing]
    faults += [*_metric_faults(written, examined), *_alike(examined)]
    raise_faults(faults)
    assert isinstance(benchmark, Benchmark)  # noqa: S101  (nothing is wrong with it)
    worlds = [one.sections["world"] for one in examined.values()]
    fingerprints = {arm: _fingerprint(one) for arm, one in examined.items()}
    configs = {arm: key_of(_identity(one), fingerprints[arm]) for arm, one in examined.items()}
    recorded = any(isinstance(world, RecordedWorld) for world in worlds)
    return Plan(
        name=path.stem,
        benchmark=benchmark,
        jobs=tuple(_jobs(benchmark, shared, configs)),
        configs=configs,
        unit=worlds[0].unit,
        crossed=recorded or benchmark.varies == "training.seed",
        data=", ".join(sorted({each for each in fingerprints.values() if each})),
    )


def _shared(written: Written, data: Path | None) -> tuple[list[str], list[Fault]]:
    """Overrides that all arms share, with the place of the collection."""
    name = written.needs_data
    if name is None:
        return list(written.base), []
    if data is None:
        rule = "must be found: name the folder of collections by --data or MLSD_DATA"
        return list(written.base), [Fault("needs_data", name, rule)]
    if not (data / name).is_dir():
        near = nearest(name, [each.name for each in data.glob("*") if each.is_dir()])
        return list(written.base), [Fault("needs_data", name, f"no such folder in {data}", near)]
    return [*written.base, f"{PATH}={value_text(str(data / name))}"], []


def _fixed_keys(written: Written) -> list[Fault]:
    """Overrides of what the benchmark sets itself."""
    frozen = dict.fromkeys(FROZEN.get(written.varies, ()), f"must not be set: varies is {written.varies}")
    rules = {**frozen, **dict.fromkeys(OURS, "must not be set: every job has its own")}
    if written.needs_data is not None:
        rules[PATH] = "must not be set: needs_data says which collection"
    places = {"base": written.base, **{f"arms.{arm}": own for arm, own in written.arms.items()}}
    found = []
    for place, overrides in places.items():
        for row, text in enumerate(overrides):
            parsed = parse(text)
            if not isinstance(parsed, Fault) and parsed.key_or_group in rules:
                found.append(Fault(f"{place}[{row}]", text, rules[parsed.key_or_group]))
    return found


def _examined(
    written: Written, shared: Sequence[str], search: Sequence[Path]
) -> tuple[dict[str, Examined], list[Fault]]:
    """Arm -> its config, if nothing is wrong with it; every fault, those of all arms once."""
    examined, faults = {}, {}
    for arm, own in written.arms.items():
        composition = compose_overrides([*shared, *own], search)
        faults[arm] = list(composition.faults)
        if composition.config is not None:
            examined[arm] = examine(composition.config)
            faults[arm] += examined[arm].faults
    right = {arm: one for arm, one in examined.items() if not faults[arm]}
    return right, _named(faults)


def _named(faults: Mapping[str, Sequence[Fault]]) -> list[Fault]:
    """Faults that all arms have, each once, then those of some, each with its arm."""
    times = Counter(str(fault) for found in faults.values() for fault in found)
    shared, own = {}, []
    for arm, found in faults.items():
        for fault in found:
            if times[str(fault)] == len(faults):
                shared[str(fault)] = replace(fault, key=f"all arms: {fault.key}")
            else:
                own.append(replace(fault, key=f"arms.{arm}: {fault.key}"))
    return [*shared.values(), *own]


def _metric_faults(written: Written, examined: Mapping[str, Examined]) -> list[Fault]:
    """Arms whose runs have no such column."""
    columns = {arm: columns_of(one.sections) for arm, one in examined.items()}
    without = {arm: known for arm, known in columns.items() if written.metric not in known}
    if not without or written.metric is None:
        return []
    near = nearest(written.metric, next(iter(without.values())))
    whose = "no arm's run has" if len(without) == len(columns) else f"no run of {', '.join(without)} has"
    return [Fault("metric", written.metric, f"{whose} it; it is SYSTEM.METRIC", near)]


def columns_of(sections: Mapping[str, Any]) -> list[str]:
    """The metrics of a run's per-request table, by the sections of its config."""
    metrics = sections["metrics"].values()
    graded = [metric.name for metric in metrics if isinstance(metric, RankingMetric)]
    diverse = [metric.name for metric in metrics if isinstance(metric, DiversityMetric)]
    stages = sections["funnel"].active.items()
    ranking = [name for name, stage in stages if not isinstance(stage, RequestStage)]
    existing = [EXISTING] if sections.get("logging") is not None else []
    names = [*graded, *diverse, *(f"{ORACLE}{name}" for name in graded[:1])]
    return [f"{system}.{name}" for system in (SHOWN, *ranking, *existing) for name in names]


def _alike(examined: Mapping[str, Examined]) -> list[Fault]:
    """Arms that come to the same config: one of them is not what its name says."""
    first: dict[str, str] = {}
    found = []
    for arm, one in examined.items():
        config = key_of(_identity(one), one.values["world"].get("path"))
        other = first.setdefault(config, arm)
        if other != arm:
            found.append(Fault("arms", arm, f"must differ from {other}: both compose to the same config"))
    return found


def _identity(examined: Examined) -> dict[str, Any]:
    """A config without what no figure depends on, and without where its data lie."""
    values = {key: value for key, value in examined.values.items() if key not in {"store", "n_workers"}}
    world = {key: value for key, value in values["world"].items() if key != "path"}
    return {**values, "world": world}


def _fingerprint(examined: Examined) -> str:
    fingerprint: str = examined.sections["world"].fingerprint
    return fingerprint


def _jobs(benchmark: Benchmark, shared: Sequence[str], configs: Mapping[str, str]) -> Iterable[Job]:
    for seed in benchmark.seeds:
        varied = f"{benchmark.varies}={seed}"
        for arm, own in benchmark.arms.items():
            key = key_of("benchmark", configs[arm], varied, code_version())
            yield Job(arm, seed, (*shared, *own, varied), key)
