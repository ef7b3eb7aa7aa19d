"""DeepFM beside FuxiCTR's: python benchmarks/bench_deepfm.py.

An epoch of the recipe that FuxiCTR's authors publish for Frappe: 202,027 rows of ten categories,
embeddings of 10, three layers of 400 with batch normalisation and a dropout of .2, L2 of .05 on embeddings,
batches of 4,096, Adam, then one batch to validate by. Rows are made up with Frappe's numbers of categories.
Ours is a whole training as a run has it, with all checks and batches dealt on the way, in 32 bits as FuxiCTR
computes, and in 16; FuxiCTR's is its own loop with its own layers, given batches that are ready in memory.
Both have two threads.

FuxiCTR is no dependency of mlsd: without it only our time is told. To install it beside:

    pip install --no-deps --target DIR fuxictr==2.3.10 'polars<2' 'polars-runtime-32<2' tqdm h5py pyyaml
    PYTHONPATH=DIR python benchmarks/bench_deepfm.py
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import numpy as np
import torch
from timing import Timing, median_seconds, paired

from mlsd import rng
from mlsd.fitting import PRECISIONS, Fitting, Precision, TrainerOptions
from mlsd.losses.bce import BCE
from mlsd.rankers.base import LabelledFeatures
from mlsd.rankers.deepfm import DeepFM
from mlsd.types import FeatureBatch, FeatureSpec, Ints

N_ROWS, N_VALIDATION, N_ROWS_OF_BATCH, N_THREADS = 202_027, 4_096, 4_096, 2
CARDINALITIES = (957, 4_082, 7, 7, 2, 3, 2, 9, 80, 233)
SPEC = FeatureSpec((), {f"field_{place}": n for place, n in enumerate(CARDINALITIES)})
OPTIONS = TrainerOptions(max_epochs=1, batch_rows=N_ROWS_OF_BATCH, min_batches=1, n_threads=N_THREADS)
EMBEDDING_DIM, HIDDEN, DROPOUT, EMBEDDING_L2, LEARNING_RATE = 10, [400, 400, 400], 0.2, 0.05, 0.001
AT_LEAST = 1.6
"""How many times as quick as FuxiCTR's we hold ourselves to be."""

UNUSED = ("ray", "ray.data", "ray.data.datasource", "ray.data.datasource.filename_provider")
"""What FuxiCTR imports to preprocess data in parallel, which is not done here."""

Batch = dict[str, torch.Tensor]


def main() -> None:
    categorical = rng.integers(0, "rows", np.array(CARDINALITIES), np.arange(N_ROWS)[:, None], np.arange(10))
    clicked = rng.uniform(0, "clicks", np.arange(N_ROWS)) < np.where(categorical[:, 1] % 2, 0.5, 0.2)
    labels = clicked.astype(np.float32)
    there = find_spec("fuxictr") is not None
    print(
        f"an epoch of {N_ROWS:,} rows"
        + ("" if there else "; FuxiCTR is not installed, see the top of this file")
    )
    for precision in PRECISIONS:
        ours = our_epoch(categorical, labels, precision)
        if there:
            compare(precision, paired(ours, their_epoch(categorical, labels), 5))
        else:
            print(f"  {precision}: {N_ROWS / median_seconds(ours, 3):,.0f} rows/s")


def compare(precision: Precision, timing: Timing) -> None:
    ours, theirs = (f"{1e3 * N_ROWS / ms:,.0f}" for ms in (timing.ours_ms, timing.other_ms))
    print(f"  {precision}: {timing}")
    print(f"    {ours} rows/s, FuxiCTR's {theirs}: {1 / timing.ratio:.2f} times; at least {AT_LEAST}")


def our_epoch(categorical: Ints, labels: Any, precision: Precision) -> Callable[[], object]:
    fitting = Fitting(replace(OPTIONS, precision=precision))

    def rows(kept: slice) -> LabelledFeatures:
        n = len(labels[kept])
        features = FeatureBatch(np.zeros((n, 0), np.float32), categorical[kept], np.arange(n + 1))
        return LabelledFeatures(features, labels[kept])

    def epoch() -> object:
        ranker = DeepFM(
            SPEC,
            BCE(),
            HIDDEN,
            DROPOUT,
            EMBEDDING_DIM,
            LEARNING_RATE,
            weight_decay=0.0,
            embedding_l2=EMBEDDING_L2,
            batch_norm=True,
        )
        return ranker.fit(rows(slice(None)), rows(slice(0, N_VALIDATION)), fitting)

    return epoch


def their_epoch(categorical: Ints, labels: Any) -> Callable[[], object]:
    for name in UNUSED:
        sys.modules.setdefault(name, MagicMock())
    from fuxictr.features import FeatureMap  # noqa: PLC0415
    from fuxictr.pytorch.layers import FactorizationMachine, FeatureEmbedding, MLP_Block  # noqa: PLC0415
    from fuxictr.pytorch.models import BaseModel  # noqa: PLC0415

    class TheirDeepFM(BaseModel):  # type: ignore[misc]
        """FuxiCTR's layers put together as Guo et al. (IJCAI 2017) have it; its wheel has no models."""

        def __init__(self, feature_map: Any, folder: str) -> None:
            super().__init__(
                feature_map,
                gpu=-1,
                embedding_regularizer=EMBEDDING_L2,
                verbose=0,
                model_root=folder,
                metrics=["AUC"],
            )
            width = EMBEDDING_DIM * feature_map.num_fields
            self.embedding_layer = FeatureEmbedding(feature_map, EMBEDDING_DIM)
            self.fm = FactorizationMachine(feature_map)
            self.mlp = MLP_Block(width, HIDDEN, output_dim=1, dropout_rates=DROPOUT, batch_norm=True)
            self.compile("adam", "binary_crossentropy", LEARNING_RATE)
            self.reset_parameters()
            self.model_to_device()

        def forward(self, inputs: Batch) -> Batch:
            values = self.get_inputs(inputs)
            vectors = self.embedding_layer(values)
            score = self.fm(values, vectors) + self.mlp(vectors.flatten(start_dim=1))
            return {"y_pred": self.output_activation(score)}

    def epoch() -> object:
        torch.set_num_threads(N_THREADS)
        with tempfile.TemporaryDirectory() as folder:
            (Path(folder) / "rows").mkdir()
            feature_map = FeatureMap("rows", folder)
            feature_map.num_fields, feature_map.labels = len(CARDINALITIES), ["label"]
            for name, n in SPEC.categorical.items():
                feature_map.features[name] = {"type": "categorical", "vocab_size": n, "source": ""}
            batches = list(ready(categorical, labels))
            return TheirDeepFM(feature_map, folder).fit(batches, epochs=1, validation_data=batches[:1])

    return epoch


def ready(categorical: Ints, labels: Any) -> Iterator[Batch]:
    """Shuffled batches, as FuxiCTR's models take them."""
    for rows in np.array_split(np.random.default_rng(0).permutation(N_ROWS), -(-N_ROWS // N_ROWS_OF_BATCH)):
        columns = zip(SPEC.categorical, categorical[rows].T, strict=True)
        named = {name: torch.from_numpy(np.ascontiguousarray(column)) for name, column in columns}
        yield {**named, "label": torch.from_numpy(labels[rows])}


if __name__ == "__main__":
    main()
