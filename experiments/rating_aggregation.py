"""From how many ratings on does Dawid and Skene's model find more true grades than a majority?

    python experiments/rating_aggregation.py

Pairs with the grades of a made-up pool, twelve raters as in `conf/ratings/graded.yaml`; every cell is the
mean share of true grades found, over sets of ratings whose seeds were fixed before the first run.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from mlsd import rng
from mlsd.aggregations.base import Aggregation
from mlsd.aggregations.dawid_skene import DawidSkene
from mlsd.aggregations.majority import Majority
from mlsd.estimators.ratings import Ratings
from mlsd.ratings.panel import Panel
from mlsd.store import write_json, write_text

SEEDS = range(301, 341)
PANEL = Panel(n_raters=12, accuracy=0.8, accuracy_spread=0.1, bias=0.0, bias_spread=0.4)
GRADE_SHARES = (0.54, 0.22, 0.14, 0.05, 0.05)
N_PAIRS = (150, 300, 1000, 3000)
OVERLAPS = (2, 3, 5)
POOL = 18
"""Pairs of a request."""

WAYS: dict[str, Aggregation] = {"majority": Majority(), "Dawid-Skene": DawidSkene()}


def found(n_pairs: int, overlap: int, seed: int) -> list[float]:
    """Share of true grades that each aggregation finds."""
    item, n_grades = np.arange(n_pairs), len(GRADE_SHARES)
    truth = rng.choice(seed, "grades", GRADE_SHARES, item)
    rater = PANEL.assigned(item // POOL, item, overlap, seed).reshape(-1)
    pair = np.repeat(item, overlap)
    grade = PANEL.rate(truth[pair].astype(float), rater, pair // POOL, pair, n_grades - 1, seed)
    ratings = Ratings(pair, rater, grade, n_pairs, PANEL.n_raters, n_grades)
    return [float(np.mean(way(ratings).grade == truth)) for way in WAYS.values()]


HEAD = """# Majority or Dawid and Skene

Made by `experiments/rating_aggregation.py`: mean share of true grades found in {n} sets of ratings by twelve
raters as in `conf/ratings/graded.yaml`; the difference with its standard error over these sets.

| pairs | raters a pair | majority | Dawid-Skene | difference |
|---|---|---|---|---|
"""


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the study and write its results."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("experiments/results"))
    out = parser.parse_args(arguments).out
    rows, figures = [], []
    for n_pairs in N_PAIRS:
        for overlap in OVERLAPS:
            shares = np.array([found(n_pairs, overlap, seed) for seed in SEEDS])
            votes, model = shares.mean(axis=0)
            error = np.std(shares[:, 1] - shares[:, 0], ddof=1) / np.sqrt(len(shares))
            cells = f"{votes:.3f} | {model:.3f} | {model - votes:+.3f} ({error:.3f})"
            rows.append(f"| {n_pairs} | {overlap} | {cells} |\n")
            figures.append([n_pairs, overlap, votes, model, error])
    columns = ["n_pairs", "overlap", *WAYS, "standard_error"]
    write_json(out / "rating_aggregation.json", {"columns": columns, "rows": figures})
    write_text(out / "rating_aggregation.md", HEAD.format(n=len(SEEDS)) + "".join(rows))


if __name__ == "__main__":
    main()
