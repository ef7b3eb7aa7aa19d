"""Do rankers reach on Frappe what is published of them?

    python experiments/frappe.py --data DIR

DIR holds Frappe in libFM layout with two sampled negatives for each use of an app, in the split of the NFM
paper (He and Chua, SIGIR 2017; "Frappe_x1" of the BARS leaderboard). Every arm is `mlsd run problem=ads
world=libfm` with five training seeds, fixed before the first run; judged are all rows of the test split.

Recipes are the published ones as far as these are known: batches of 4,096, embeddings of 10, Adam at .001,
which falls to a tenth after two epochs in a row without a better validation loss, and for DeepFM three layers
of 400 with batch normalisation, a dropout of .2, and L2 of .05 on embeddings. What is left open was chosen by
the validation loss of training seed 0, which is none of the five; so were the two epochs, since a single one
may be worse by chance. Finished trainings are kept in `--store`, so that a study that was cut off goes on.
Results are written to `experiments/results/`.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from rich.console import Console

from mlsd.runner import run
from mlsd.store import Store, code_version, key_of, read_json, write_json, write_text

SEEDS = (501, 502, 503, 504, 505)
STAGE = "full_rank"
RANKER = f"funnel.stages.{STAGE}.ranker"
BASE = (
    "problem=ads",
    "world=libfm",
    "frontier=none",
    "budget.n_requests=50",
    "trainer.batch_rows=4096",
    "trainer.max_epochs=40",
    "trainer.patience=4",
    "trainer.plateau_factor=0.1",
    "trainer.plateau_patience=2",
    "trainer.n_threads=2",
)
METRICS = ("AUC", "LogLoss")
FIGURES = "figures.json"
N_TEST = 28_860
"""Rows of the test split."""


class Arm(NamedTuple):
    """A ranker, and what is published of it."""

    overrides: tuple[str, ...]
    published: float
    """AUC."""
    source: str


DEEPFM = (
    f"ranker@{RANKER}=deepfm",
    f"{RANKER}.embedding_dim=10",
    f"{RANKER}.hidden=[400,400,400]",
    f"{RANKER}.dropout=0.2",
    f"{RANKER}.batch_norm=true",
    f"{RANKER}.weight_decay=0",
    f"{RANKER}.embedding_l2=0.05",
)
ARMS = {
    "logistic regression": Arm(
        (f"ranker@{RANKER}=logistic_regression",), 0.9356, "BARS leaderboard, one run"
    ),
    "FM": Arm(
        (
            f"ranker@{RANKER}=fm",
            f"{RANKER}.embedding_dim=10",
            f"{RANKER}.weight_decay=0",
            f"{RANKER}.learning_rate=0.005",
        ),
        0.9671,
        "BARS leaderboard, one run",
    ),
    "DeepFM": Arm(DEEPFM, 0.98395, "BARS, mean of five runs"),
    "DeepFM, 16 bits": Arm((*DEEPFM, "trainer.precision=bf16-mixed"), 0.98395, "BARS, mean of five runs"),
}

HEAD = """# Rankers on Frappe

Made by `experiments/frappe.py`. Training seeds {seeds}, fixed before the first run; {n_test:,} test rows.
Published is what others reach with the same rows, but for the sampled items of the training negatives.

| ranker | AUC, mean ± sd | lowest | log loss, mean ± sd | published AUC | from |
|---|---|---|---|---|---|
"""


def trained(overrides: Sequence[str], store: Store) -> dict[str, float]:
    """The test figures of one training."""
    key = key_of("frappe", [one for one in overrides if not one.startswith("world.path=")], code_version())

    def make() -> dict[str, float]:
        with TemporaryDirectory() as folder:
            placed = [*overrides, f"store.folder={store.folder}"]
            finished = run(placed, Path(folder, "run"), Console(quiet=True))
            offline = read_json(finished.folder / "metrics.json")["offline"][STAGE]
            return {metric: offline[metric]["all"]["value"] for metric in METRICS}

    def save(figures: dict[str, float], folder: Path) -> None:
        write_json(folder / FIGURES, figures)

    return store.get_or_make("frappe", key, make, save, lambda folder: dict(read_json(folder / FIGURES)))


def as_markdown(found: Mapping[str, Sequence[Mapping[str, float]]], n_test: int) -> str:
    """The figures of all trainings of each arm, as a table."""
    rows = [_row(name, ARMS[name], figures) for name, figures in found.items()]
    return HEAD.format(seeds=", ".join(map(str, SEEDS)), n_test=n_test) + "".join(rows)


def _row(name: str, arm: Arm, figures: Sequence[Mapping[str, float]]) -> str:
    auc, loss = ([one[metric] for one in figures] for metric in METRICS)
    cells = (name, _spread(auc), f"{min(auc):.4f}", _spread(loss), f"{arm.published:.4f}", arm.source)
    return f"| {' | '.join(cells)} |\n"


def _spread(values: Sequence[float]) -> str:
    return f"{statistics.mean(values):.4f} ± {statistics.stdev(values):.4f}"


def main() -> None:
    """Train every arm with every seed, and write the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--data", type=Path, required=True, help="folder of Frappe in libFM layout")
    parser.add_argument("--store", type=Path, default=Path("outputs/store"), help="where trainings are kept")
    parser.add_argument("--out", type=Path, default=Path("experiments/results"), help="of the results")
    parser.add_argument(
        "--arms", nargs="+", choices=ARMS, default=list(ARMS), help="to train; others stay as they were found"
    )
    options = parser.parse_args()
    store, place, kept = Store(options.store), f"world.path={options.data}", options.out / "frappe.json"
    found = read_json(kept) if kept.exists() else {}
    for name in options.arms:
        found[name] = []
        for seed in SEEDS:
            figures = trained([*BASE, place, *ARMS[name].overrides, f"training.seed={seed}"], store)
            found[name].append(figures)
            print(f"{name}, seed {seed}: {figures}", flush=True)
    text = as_markdown({name: found[name] for name in ARMS if name in found}, N_TEST)
    write_json(kept, found)
    write_text(options.out / "frappe.md", text)
    print(text)


if __name__ == "__main__":
    main()
