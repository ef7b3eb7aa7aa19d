"""The one training loop: resumed to the bit, quiet, interruptible, and without traces."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from mlsd import rng
from mlsd.errors import InputError
from mlsd.fitting import Curves, Fitting, TrainerOptions
from mlsd.models import epochs
from mlsd.models.base import Batches, LossModule, fingerprint_of, fit_module, seeded

OPTIONS = TrainerOptions(max_epochs=4, patience=4, n_threads=1)


class Line(LossModule):
    """y = w x + b under squared error, with dropout so that luck matters."""

    def __init__(self, learning_rate: float = 0.05, weight_decay: float = 0.0, dropout: float = 0.2) -> None:
        super().__init__(learning_rate, weight_decay)
        with seeded(0, "weights"):
            self.net = nn.Sequential(nn.Dropout(dropout), nn.Linear(3, 1))

    def loss(self, batch: Points) -> tuple[Tensor, float]:
        inputs, targets = batch
        return ((self.net(inputs).squeeze(1) - targets) ** 2).mean(), len(targets)


Points = tuple[Tensor, Tensor]
Happening = Callable[[int, int], None]
"""Called with epoch and number before each batch."""


class PointBatches(Batches):
    """Noisy points of a line, 7 at a time, in a new order every epoch."""

    def __init__(self, n: int = 150, seed: int = 0, before: Happening | None = None) -> None:
        rows = np.arange(n)
        self.inputs = rng.normal(seed, "inputs", rows[:, None], np.arange(3)).astype(np.float32)
        self.targets = self.inputs.sum(axis=1) + rng.normal(seed, "noise", rows).astype(np.float32)
        self.seed, self.before = seed, before or (lambda *_: None)
        self.dealt: list[int] = []

    def of_epoch(self, epoch: int) -> Iterator[Points]:
        self.dealt.append(epoch)
        order = np.argsort(rng.uniform(self.seed, "order", epoch, np.arange(len(self.targets))))
        for number, rows in enumerate(np.array_split(order, len(order) // 7)):
            self.before(epoch, number)
            yield torch.from_numpy(self.inputs[rows]), torch.from_numpy(self.targets[rows])

    def fingerprint(self) -> str:
        return fingerprint_of(self.inputs, self.targets)


def trained(
    fitting: Fitting, train: PointBatches | None = None, module: Line | None = None
) -> tuple[Curves, bytes]:
    """Curves, and the bytes of the weights."""
    module = module or Line()
    curves = fit_module(module, train or PointBatches(), PointBatches(40, seed=1), fitting)
    return curves, b"".join(weight.numpy().tobytes() for weight in module.state_dict().values())


def raising(error: BaseException, epoch: int, number: int) -> Happening:
    def before(at_epoch: int, at_number: int) -> None:
        if (at_epoch, at_number) == (epoch, number):
            raise error

    return before


@pytest.mark.parametrize("n_threads", [1, 2])
def test_same_seed_and_threads_give_the_same_bytes(n_threads: int) -> None:
    fitting = Fitting(replace(OPTIONS, n_threads=n_threads))
    assert trained(fitting) == trained(fitting)
    assert trained(fitting)[1] != trained(replace(fitting, seed=1))[1]


def test_equals_a_loop_written_out() -> None:
    module, batches = Line(dropout=0.0), PointBatches()
    optimizer = torch.optim.AdamW(module.parameters(), lr=0.05, weight_decay=0.0)
    ready = list(PointBatches(40, seed=1).of_epoch(0))
    by_epoch, losses = [], []
    for epoch in range(4):
        for batch in batches.of_epoch(epoch):
            optimizer.zero_grad()
            torch.autograd.backward(module.loss(batch)[0])
            optimizer.step()
        with torch.no_grad():
            parts = [(float(loss), n) for loss, n in map(module.loss, ready)]
        losses.append(sum(loss * n for loss, n in parts) / 40)
        by_epoch.append([weight.clone() for weight in module.state_dict().values()])
    ours = Line(dropout=0.0)
    curves = fit_module(ours, PointBatches(), PointBatches(40, seed=1), Fitting(OPTIONS))
    assert curves.validation == pytest.approx(losses)
    for weight, expected in zip(ours.state_dict().values(), by_epoch[curves.best_epoch], strict=True):
        torch.testing.assert_close(weight, expected)


@pytest.mark.parametrize("error", [RuntimeError("cut"), KeyboardInterrupt("cut")])
@pytest.mark.parametrize(("epoch", "number"), [(0, 3), (1, 0), (2, 20), (3, 5)])
def test_a_training_cut_off_within_an_epoch_goes_on_to_the_same_bytes(
    error: BaseException, epoch: int, number: int, tmp_path: Path
) -> None:
    handler = signal.getsignal(signal.SIGINT)
    fitting = Fitting(OPTIONS, folder=tmp_path)
    with pytest.raises(type(error), match="cut"):
        trained(fitting, PointBatches(before=raising(error, epoch, number)))
    assert signal.getsignal(signal.SIGINT) is handler
    batches = PointBatches()
    assert trained(fitting, batches) == trained(Fitting(OPTIONS))
    assert set(batches.dealt) == set(range(epoch, 4))


def test_a_finished_training_is_not_repeated(tmp_path: Path) -> None:
    fitting, batches = Fitting(OPTIONS, folder=tmp_path), PointBatches()
    first = trained(fitting)
    assert trained(fitting, batches) == first
    assert batches.dealt == []


def test_a_killed_training_goes_on_to_the_same_bytes(tmp_path: Path) -> None:
    code = textwrap.dedent(f"""
        import os, signal, sys
        from pathlib import Path
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from test_base import OPTIONS, Fitting, trained
        def progress(done, total, what):
            if done == 2:
                os.kill(os.getpid(), signal.SIGKILL)
        trained(Fitting(OPTIONS, folder=Path(sys.argv[1]), progress=progress))
    """)
    killed = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False)
    assert killed.returncode == -signal.SIGKILL
    batches = PointBatches()
    assert trained(Fitting(OPTIONS, folder=tmp_path), batches) == trained(Fitting(OPTIONS))
    assert set(batches.dealt) == {2, 3}


def test_sigterm_is_seen_once_and_ends_training_with_its_exit_code(tmp_path: Path) -> None:
    """Lightning ends the training and would exit with code 0."""
    handled: list[int] = []
    before = signal.signal(signal.SIGTERM, lambda number, _: handled.append(number))
    fitting = Fitting(OPTIONS, folder=tmp_path, progress=lambda done, *_: stop(done))

    def stop(done: int) -> None:
        if done == 2:
            os.kill(os.getpid(), signal.SIGTERM)

    try:
        with pytest.raises(SystemExit, match="143"):
            trained(fitting)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert handled == [signal.SIGTERM]
    assert trained(Fitting(OPTIONS, folder=tmp_path)) == trained(Fitting(OPTIONS))


def test_best_weights_are_kept_and_training_stops_in_time() -> None:
    """A learning rate far too high makes later epochs worse than the first."""
    options = replace(OPTIONS, max_epochs=50, patience=3)
    heard: list[tuple[int, int, str]] = []
    fitting = Fitting(options, name="line", progress=lambda *said: heard.append(said))
    module = Line(learning_rate=3.0, dropout=0.5)
    curves, _ = trained(fitting, module=module)
    n, best = len(curves.validation), curves.best_epoch
    assert n == best + 1 + options.patience < 50
    assert heard == [*((epoch + 1, 50, "line") for epoch in range(n - 1)), (50, 50, "line")]
    ready = PointBatches(40, seed=1).of_epoch(0)
    with torch.no_grad():
        total = sum(float(loss) * weight for loss, weight in map(module.loss, ready))
    assert total / 40 == pytest.approx(curves.validation[best])
    assert not module.training


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"seed": 1}, r"seed == 0 there, 1 here"),
        ({"name": "other"}, r"name == model there, other here"),
        ({"options": replace(OPTIONS, patience=3)}, r"patience == 4 there, 3 here"),
    ],
)
def test_the_checkpoint_of_another_training_is_refused(
    change: dict[str, object], said: str, tmp_path: Path
) -> None:
    trained(Fitting(OPTIONS, folder=tmp_path))
    other = Fitting(**{"options": OPTIONS, "folder": tmp_path, **change})  # type: ignore[arg-type]
    with pytest.raises(InputError, match=rf"last\.ckpt belongs to another training \({said}\); remove it"):
        trained(other)


def test_other_rows_networks_and_rates_are_another_training(tmp_path: Path) -> None:
    fitting = Fitting(OPTIONS, folder=tmp_path)
    trained(fitting)
    with pytest.raises(InputError, match="training rows == "):
        trained(fitting, PointBatches(seed=2))
    with pytest.raises(InputError, match="network == "):
        trained(fitting, module=Line(dropout=0.3))
    with pytest.raises(InputError, match=r"learning_rate == 0\.05 there, 0\.1 here"):
        trained(fitting, module=Line(learning_rate=0.1))


@pytest.mark.parametrize("content", [b"", b"not a checkpoint"])
def test_a_spoiled_checkpoint_is_said_to_be_one(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "last.ckpt").write_bytes(content)
    with pytest.raises(InputError, match="is no checkpoint of a training; remove it to train anew"):
        trained(Fitting(OPTIONS, folder=tmp_path))


def test_checkpoints_hold_plain_values_only(tmp_path: Path) -> None:
    trained(Fitting(OPTIONS, folder=tmp_path))
    assert [path.name for path in tmp_path.iterdir()] == ["last.ckpt"]
    assert torch.load(tmp_path / "last.ckpt", weights_only=True)["epoch"] == 3


def test_leaves_no_trace_in_torch(capfd: pytest.CaptureFixture[str]) -> None:
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    torch.set_num_threads(1)
    trained(Fitting(replace(OPTIONS, n_threads=2)))
    assert torch.get_num_threads() == 1
    assert torch.equal(torch.rand(3), expected)
    assert torch.is_grad_enabled()
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("cut_after", [None, 2])
def test_csv_logger_writes_every_epoch_once(cut_after: int | None, tmp_path: Path) -> None:
    fitting = Fitting(replace(OPTIONS, logger="csv"), folder=tmp_path)
    if cut_after is not None:
        with pytest.raises(RuntimeError, match="cut"):
            trained(fitting, PointBatches(before=raising(RuntimeError("cut"), cut_after, 1)))
    curves, _ = trained(fitting)
    written = pd.read_csv(tmp_path / "csv" / "metrics.csv")
    assert written["step"].tolist() == [0, 1, 2, 3]
    assert written["train_loss"].tolist() == pytest.approx(curves.train)
    assert written["validation_loss"].tolist() == pytest.approx(curves.validation)


def test_tensorboard_logger_writes_events(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard", reason="the extra tensorboard is not installed")
    trained(Fitting(replace(OPTIONS, logger="tensorboard"), folder=tmp_path))
    assert list((tmp_path / "tensorboard").glob("events.out.tfevents.*"))


def test_a_missing_tensorboard_is_said_before_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(epochs, "find_spec", lambda _: None)
    with pytest.raises(InputError, match=r"must be installed: pip install 'mlsd\[tensorboard\]'"):
        trained(Fitting(replace(OPTIONS, logger="tensorboard"), folder=tmp_path))


def test_loggers_change_no_weight(tmp_path: Path) -> None:
    assert trained(Fitting(replace(OPTIONS, logger="csv"), folder=tmp_path)) == trained(Fitting(OPTIONS))


def test_a_loss_that_is_not_finite_ends_training() -> None:
    batches = PointBatches()
    batches.targets[3] = np.inf
    with pytest.raises(
        epochs.TrainingDivergedError, match="model: train loss == nan in epoch 0, must be finite"
    ):
        trained(Fitting(OPTIONS), batches)


@pytest.mark.parametrize("patience", [1, 2])
def test_a_plateau_lowers_the_learning_rate_from_the_next_epoch_on(patience: int) -> None:
    """As a loop written out: the rate is halved after so many epochs without a lower validation loss."""
    module, batches, rate = Line(learning_rate=0.5, dropout=0.0), PointBatches(), 0.5
    optimizer = torch.optim.AdamW(module.parameters(), lr=rate, weight_decay=0.0)
    ready, losses, rates = list(PointBatches(40, seed=1).of_epoch(0)), list[float](), list[float]()
    n_worse = 0
    for epoch in range(12):
        rates.append(optimizer.param_groups[0]["lr"])
        for batch in batches.of_epoch(epoch):
            optimizer.zero_grad()
            torch.autograd.backward(module.loss(batch)[0])
            optimizer.step()
        with torch.no_grad():
            losses.append(sum(float(loss) * n for loss, n in map(module.loss, ready)) / 40)
        n_worse = n_worse + 1 if losses[-1] > min(losses) else 0
        if n_worse and n_worse % patience == 0:
            optimizer.param_groups[0]["lr"] *= 0.5
    assert len(set(rates)) > 1
    options = replace(OPTIONS, max_epochs=12, patience=12, plateau_factor=0.5, plateau_patience=patience)
    curves, _ = trained(Fitting(options), module=Line(learning_rate=0.5, dropout=0.0))
    assert curves.validation == pytest.approx(losses, rel=1e-5)


def test_a_lowered_rate_outlives_a_cut_off_training(tmp_path: Path) -> None:
    options = replace(OPTIONS, max_epochs=6, patience=6, plateau_factor=0.5)
    cutting = PointBatches(before=raising(ValueError("cut"), 4, 1))
    with pytest.raises(ValueError, match="cut"):
        trained(Fitting(options, folder=tmp_path), cutting, Line(learning_rate=0.5))
    resumed = trained(Fitting(options, folder=tmp_path), module=Line(learning_rate=0.5))
    assert resumed == trained(Fitting(options), module=Line(learning_rate=0.5))


def test_sixteen_bits_train_nearly_the_same_and_leave_weights_of_thirty_two(tmp_path: Path) -> None:
    """Products of 8 significant bits: after 80 steps weights are within some hundredths."""
    options = replace(OPTIONS, precision="bf16-mixed")
    module, plain = Line(dropout=0.0), Line(dropout=0.0)
    again = trained(Fitting(options), module=module)
    trained(Fitting(OPTIONS), module=plain)
    for weight, expected in zip(module.state_dict().values(), plain.state_dict().values(), strict=True):
        assert weight.dtype == torch.float32
        assert not torch.equal(weight, expected)
        torch.testing.assert_close(weight, expected, atol=0.05, rtol=0.0)
    assert again == trained(Fitting(options, folder=tmp_path), module=Line(dropout=0.0))


def test_gradient_clip_bounds_the_first_step() -> None:
    """Adam divides by the size of gradients, so a plain step is looked at."""
    module = Line(dropout=0.0)
    module.gradient_clip = 0.01
    optimizer = torch.optim.SGD(module.parameters(), lr=1.0)
    before = nn.utils.parameters_to_vector(module.parameters()).detach()
    module._learn(next(PointBatches().of_epoch(0)), optimizer)
    moved = nn.utils.parameters_to_vector(module.parameters()).detach() - before
    assert float(moved.norm()) == pytest.approx(0.01, rel=1e-3)
    assert trained(Fitting(replace(OPTIONS, gradient_clip=0.5)))[1] != trained(Fitting(OPTIONS))[1]


def test_biases_are_not_decayed() -> None:
    groups = Line(weight_decay=0.3).configure_optimizers().param_groups
    assert [(group["weight_decay"], [tuple(p.shape) for p in group["params"]]) for group in groups] == [
        (0.3, [(1, 3)]),
        (0.0, [(1,)]),
    ]


def test_fingerprints_tell_arrays_apart() -> None:
    base = np.arange(6.0)
    others = [base[::-1], base.reshape(2, 3), base.astype(np.float32), base[:5]]
    assert len({fingerprint_of(array) for array in (base, *others)}) == 5
    assert fingerprint_of(base) == fingerprint_of(base.copy())
    assert fingerprint_of(base[:2], base[2:]) != fingerprint_of(base[:3], base[3:])
    assert fingerprint_of(np.zeros((3, 0))) != fingerprint_of(np.zeros((4, 0)))
