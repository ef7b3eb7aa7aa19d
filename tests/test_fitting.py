"""Options of training, and the curves it leaves."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd import checks
from mlsd.fitting import Curves, Fitting, TrainerOptions
from mlsd.progress import silent


def test_bad_options_are_all_found() -> None:
    with checks.collecting() as faults:
        TrainerOptions(
            max_epochs=0,
            patience=0,
            batch_rows=0,
            min_batches=0,
            n_threads=0,
            logger="cvs",
            gradient_clip=-1.0,
            plateau_factor=0.0,
            plateau_patience=0,
            precision="16-mixed",  # type: ignore[arg-type]
        )
    assert [str(fault) for fault in faults] == [
        "max_epochs == 0, must be at least 1",
        "patience == 0, must be at least 1",
        "batch_rows == 0, must be at least 1",
        "min_batches == 0, must be at least 1",
        "n_threads == 0, must be at least 1",
        "logger == 'cvs', must be one of none, csv, tensorboard; nearest is 'csv'",
        "gradient_clip == -1.0, must be at least 0",
        "plateau_factor == 0.0, must be in (0, 1]",
        "plateau_patience == 0, must be at least 1",
        "precision == '16-mixed', must be one of 32-true, bf16-mixed; nearest is 'bf16-mixed'",
    ]


@given(st.integers(1, 10**7), st.integers(1, 5000), st.integers(1, 500))
def test_few_rows_make_smaller_batches(n_rows: int, batch_rows: int, min_batches: int) -> None:
    size = TrainerOptions(batch_rows=batch_rows, min_batches=min_batches).rows_of_batch(n_rows)
    assert 1 <= size <= batch_rows
    assert size in {batch_rows, 1} or n_rows // size >= min_batches > n_rows // (size + 1)


@pytest.mark.parametrize(
    ("validation", "best"), [((0.6, 0.5, 0.7), 1), ((0.5, 0.4, 0.4), 1), ((0.3,), 0), ((), 0)]
)
def test_best_epoch_is_the_first_with_the_lowest_validation_loss(
    validation: tuple[float, ...], best: int
) -> None:
    assert Curves(validation, validation).best_epoch == best


def test_a_fitting_keeps_nothing_and_tells_nobody_by_default() -> None:
    fitting = Fitting()
    assert fitting.folder is None
    assert fitting.progress is silent


def test_does_not_load_torch() -> None:
    code = "import sys, mlsd.fitting; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
