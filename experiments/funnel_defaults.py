"""Which negatives and which loss should the rank stages of a search funnel learn with by default?

    python experiments/funnel_defaults.py                      # the synthetic world
    python experiments/funnel_defaults.py --collection DIR     # a collection in BEIR layout

Every arm changes one choice of the base, and each is run on the same three worlds, none of which has the
seed that is reported elsewhere. The figure that decides is the funnel's nDCG@10; differences from the base
are paired by request, with intervals over the users of all worlds. Of a collection only the training queries
are used: half of them are learnt from and half are judged, another half in each of three runs; intervals are
over the queries.

Finished runs are kept in `--store`, so that a study that was cut off goes on. Results are written to
`experiments/results/`; a collection's have its name.
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

import numpy as np
import pandas as pd
from rich.console import Console

from mlsd.errors import InputError
from mlsd.estimators.bootstrap import Bootstrap
from mlsd.runner import run
from mlsd.store import Store, code_version, key_of, read_table, write_json, write_text

SEEDS = (101, 102, 103)
BASE = "base"
DECIDES = "funnel.nDCG@10"
"""The column of a run's per-request table that decides; the light ranker's stands beside it."""

COLUMNS = (DECIDES, "light_rank.nDCG@10")
LIGHT, FULL = "funnel.stages.light_rank", "funnel.stages.full_rank"

RANKER = f"{FULL}.ranker"

WORLD_BASE = {
    f"{LIGHT}.negatives.n_unshown": "30",
    f"loss@{LIGHT}.loss": "bce",
    f"{FULL}.negatives.n_unshown": "2",
    f"loss@{FULL}.loss": "bce",
    f"ranker@{RANKER}": "dcn_v2",
    "trainer.batch_rows": "2048",
    "trainer.max_epochs": "10",
}
WORLD_CHOICES = {
    f"{LIGHT}.negatives.n_unshown": ("5", "100"),
    f"loss@{LIGHT}.loss": ("softmax", "lambdarank"),
    f"{FULL}.negatives.n_unshown": ("0", "10", "30"),
    f"loss@{FULL}.loss": ("softmax", "lambdarank"),
    f"ranker@{RANKER}": ("mlp", "logistic_regression"),
    "trainer.batch_rows": ("512",),
    "trainer.max_epochs": ("30",),
}
COLLECTION_BASE = {
    f"{LIGHT}.negatives.n_unshown": "30",
    f"loss@{LIGHT}.loss": "bce",
    f"{FULL}.negatives.n_unshown": "30",
    f"loss@{FULL}.loss": "lambdarank",
    f"ranker@{RANKER}": "dcn_v2",
    "trainer.batch_rows": "256",
    "trainer.max_epochs": "30",
}
COLLECTION_CHOICES = {
    f"{LIGHT}.negatives.n_unshown": ("5", "100"),
    f"loss@{LIGHT}.loss": ("softmax", "lambdarank"),
    f"{FULL}.negatives.n_unshown": ("5", "100"),
    f"loss@{FULL}.loss": ("bce", "softmax"),
    f"ranker@{RANKER}": ("mlp", "logistic_regression"),
    "trainer.batch_rows": ("64", "2048"),
    "trainer.max_epochs": ("10",),
}


class Study(NamedTuple):
    """What is compared: the choices that all arms share, and those that one arm at a time changes.

    The unit of intervals is named by its columns: a user of one world, or a query wherever it was judged.
    """

    name: str
    overrides: tuple[str, ...]
    base: Mapping[str, str]
    choices: Mapping[str, Sequence[str]]
    unit: Sequence[str]

    @property
    def unit_name(self) -> str:
        return "the users of all three worlds" if "seed" in self.unit else "queries"

    def arms(self) -> dict[str, list[str]]:
        """Name -> overrides; the base first."""
        changed = {f"{key}={value}": {key: value} for key, values in self.choices.items() for value in values}
        arms = {BASE: {}, **changed}
        return {name: [f"{k}={v}" for k, v in {**self.base, **own}.items()] for name, own in arms.items()}


class Figure(NamedTuple):
    """An arm's figure and its difference from the base, with the ends of its interval."""

    value: float
    difference: float
    low: float
    high: float


def one_run(overrides: Sequence[str], store: Store) -> pd.DataFrame:
    """(n_requests,) user and deciding columns of a run."""
    key = key_of("funnel defaults", list(overrides), code_version())

    def make() -> pd.DataFrame:
        with TemporaryDirectory() as folder:
            finished = run(
                [*overrides, f"store.folder={store.folder}"], Path(folder, "run"), Console(quiet=True)
            )
            return read_table(finished.folder / "offline" / "per_request.parquet")[
                ["request_id", "user", *COLUMNS]
            ]

    def save(table: pd.DataFrame, folder: Path) -> None:
        table.to_parquet(folder / "per_request.parquet", index=False)

    return store.get_or_make(
        "funnel_defaults", key, make, save, lambda f: read_table(f / "per_request.parquet")
    )


def run_all(study: Study, store: Store, n_processes: int) -> dict[str, list[pd.DataFrame]]:
    """Arm -> the tables of its runs, one for each seed."""
    arms = study.arms()
    jobs = [
        (arm, [*study.overrides, *overrides, f"seed={seed}"])
        for seed in SEEDS
        for arm, overrides in arms.items()
    ]
    tables: dict[str, list[pd.DataFrame]] = {arm: [] for arm in arms}
    with ProcessPoolExecutor(n_processes, get_context("spawn")) as pool:
        done = pool.map(partial(one_run, store=store), [overrides for _, overrides in jobs])
        for n, ((arm, _), table) in enumerate(zip(jobs, done, strict=True), start=1):
            tables[arm].append(table)
            print(f"\r{n} of {len(jobs)} runs", end="" if n < len(jobs) else "\n", flush=True)
    return tables


def figures(
    tables: Mapping[str, Sequence[pd.DataFrame]], unit_columns: Sequence[str]
) -> dict[str, dict[str, Figure]]:
    """Arm -> column -> its figure."""
    base = pd.concat(tables[BASE], keys=SEEDS, names=["seed"]).reset_index("seed")
    unit = pd.factorize(pd.MultiIndex.from_frame(base[list(unit_columns)]))[0].astype(np.int64)
    found = {}
    for arm, parts in tables.items():
        table = pd.concat(parts, keys=SEEDS, names=["seed"]).reset_index("seed")
        if not table["request_id"].equals(base["request_id"]):
            raise InputError(f"arm {arm!r} was judged on other requests than {BASE!r}")
        columns = list(COLUMNS)
        differences = Bootstrap(seed=0).differences(table[columns].to_numpy(), base[columns].to_numpy(), unit)
        found[arm] = {
            name: Figure(float(table[name].mean()), difference.value, difference.low, difference.high)
            for name, difference in zip(columns, differences, strict=True)
        }
    return found


HEAD = """# Defaults of the search funnel: {name}

Made by `experiments/funnel_defaults.py`. Seeds {seeds} (world and training), fixed before the first run. The
base is {base}.
Differences are from the base, paired by request, with 95% intervals over {unit}.

| arm | funnel nDCG@10 | difference | light ranker nDCG@10 | difference |
|---|---|---|---|---|
"""


def as_markdown(study: Study, found: Mapping[str, Mapping[str, Figure]]) -> str:
    """The figures as a table."""
    base = ", ".join(f"`{key}={value}`" for key, value in study.base.items())
    rows = [
        f"| {'base' if arm == BASE else f'`{arm}`'} | "
        + " | ".join(_cells(arm, of_arm[c]) for c in COLUMNS)
        + " |\n"
        for arm, of_arm in found.items()
    ]
    return HEAD.format(
        name=study.name, seeds=", ".join(map(str, SEEDS)), base=base, unit=study.unit_name
    ) + "".join(rows)


def _cells(arm: str, figure: Figure) -> str:
    value, difference, low, high = figure
    return f"{value:.3f} | " + ("" if arm == BASE else f"{difference:+.4f} [{low:+.4f}, {high:+.4f}]")


def training_queries_only(collection: Path, into: Path) -> Path:
    """A collection whose only judged queries are another's training queries, as those of its test."""
    copy = into / collection.resolve().name
    (copy / "qrels").mkdir(parents=True, exist_ok=True)
    for file in collection.glob("*.jsonl*"):
        shutil.copyfile(file, copy / file.name)
    train = next(collection.glob("qrels/train.tsv*"), None)
    if train is None:
        raise InputError(f"{collection} publishes no training queries to choose by")
    shutil.copyfile(train, copy / "qrels" / train.name.replace("train", "test"))
    return copy


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--collection", type=Path)
    parser.add_argument(
        "--override", action="append", default=[], help="of every run, such as a smaller world"
    )
    parser.add_argument("--n-processes", type=int, default=2)
    parser.add_argument("--store", type=Path, default=Path("outputs/store"))
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    options = parser.parse_args(arguments)
    shared = ("problem=search", "online=none", "budget.n_requests=10", *options.override)
    if options.collection:
        copy = training_queries_only(options.collection, options.store / "training_queries")
        overrides = (*shared, "world=beir", f"world.path={copy}")
        title = f"training queries of {copy.name}"
        study = Study(title, overrides, COLLECTION_BASE, COLLECTION_CHOICES, ("user",))
    else:
        study = Study("the synthetic world", shared, WORLD_BASE, WORLD_CHOICES, ("seed", "user"))
    found = figures(run_all(study, Store(options.store), options.n_processes), study.unit)
    name = f"funnel_defaults_{options.collection.resolve().name}" if options.collection else "funnel_defaults"
    plain = {
        arm: {column: figure._asdict() for column, figure in of_arm.items()} for arm, of_arm in found.items()
    }
    write_json(options.out / f"{name}.json", {"base": study.base, "seeds": SEEDS, "figures": plain})
    write_text(options.out / f"{name}.md", as_markdown(study, found))


if __name__ == "__main__":
    main()
