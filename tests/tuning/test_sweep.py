"""Sweeps of a small world: what is found can be run, shares its stages, and survives what happens to it."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from io import StringIO
from pathlib import Path

import optuna
import pandas as pd
import pytest
from optuna.storages import JournalStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState
from rich.console import Console

from mlsd.config.compose import compose_overrides
from mlsd.errors import ConfigError, InputError
from mlsd.progress import silent
from mlsd.report.sweep import SweepResult
from mlsd.runs import steps
from mlsd.runs.finished import FinishedRun
from mlsd.store import Store
from mlsd.tuning.ledger import Ledger
from mlsd.tuning.sweep import SweepFailedError, sweep
from mlsd.tuning.trial import Plan, Workbench

Small = tuple[str, ...]


@pytest.fixture
def small(small_run: FinishedRun, small_overrides: Small, tmp_path: Path) -> Small:
    """Overrides of a sweep whose base is a run that is in the store; of the shipped space a part is tried."""
    assert small_run.folder.is_dir()
    space = [f"~tuning.space.{name}" for name in ("weight_decay", "dropout", "width", "loss")]
    return (*small_overrides, f"tuning.folder={tmp_path}", "tuning.study=tried", "tuning.n_trials=3", *space)


def swept(*overrides: str) -> tuple[SweepResult, str]:
    said = StringIO()
    return sweep(overrides, console=Console(file=said, width=400)), said.getvalue()


def overrides_of(result: SweepResult) -> list[str]:
    assert result.best is not None
    return list(result.by_number[result.best].overrides)


def test_what_is_found_can_be_run(small: Small, small_overrides: Small, tmp_path: Path) -> None:
    result, said = swept(*small)
    assert result.counts == {"complete": 3}
    assert "study tried in" in said
    best = compose_overrides([*small_overrides, *overrides_of(result)]).required()
    written = compose_overrides(["problem=search", "experiment=best"], [tmp_path / "tried"]).required()
    assert written == best
    line = next(line for what, line in result.commands if what == "As one line:")
    assert line.startswith("mlsd run problem=search experiment=search_small")
    table = pd.read_parquet(tmp_path / "tried" / "trials.parquet")
    assert table.sort_values("quality")["trial"].tolist()[-1] == result.best
    report = (tmp_path / "tried" / "report.md").read_text(encoding="utf-8")
    assert f"Trial {result.best} is the best of 3" in report
    assert "<svg" in (tmp_path / "tried" / "report.html").read_text(encoding="utf-8")


def test_only_what_changes_is_fitted(small: Small) -> None:
    small = (*small, "tuning.seed=7")  # what no other test has fitted
    result, _ = swept(*small)
    first, second, third = (dict(trial.stages) for trial in result.trials)
    assert first == {"read": 4, "fitted": 2}
    assert second == third == {"held": 4, "fitted": 2}
    again, _ = swept(*small, "tuning.study=again")
    assert {how for trial in again.trials for how in trial.stages} == {"read", "held"}
    assert [t.figures for t in again.trials] == [t.figures for t in result.trials]


def test_a_figure_is_that_of_an_evaluation_on_the_validation_window(
    small: Small, small_overrides: Small, tmp_path: Path
) -> None:
    metrics = {"quality": "funnel.nDCG@10", "light": "light_rank.R(rel=2)@100", "auc": "full_rank.AUC"}
    plan = Plan(small_overrides, (), {**metrics, "ms": "declared_ms", "n": "parameters"}, 1, tmp_path, 1)
    bench = Workbench(plan)
    found = bench.run([], lambda *_: False).facts["figures"]
    system, config = bench.system(compose_overrides(small_overrides).required())
    store = Store(system.store.folder)
    logged = steps.make_log(system, config, store, silent)
    labels = system.labels.make(logged.log)
    fitted = steps.fit(system, config, logged, labels, store, silent)
    offline = steps.evaluate(system, logged, labels, fitted.funnel, silent, window="validation")
    for name, metric in metrics.items():
        stage, _, of_stage = metric.partition(".")
        expected = offline.figures[stage][of_stage]["all"]
        got = {key: found[name][key] for key in ("value", "low", "high", "n")}
        assert got == pytest.approx(expected)
    assert found["ms"]["value"] > 0
    assert found["n"]["value"] == int(found["n"]["value"]) > 100


def test_pruning_repeats_whatever_the_store_holds(small: Small, tmp_path: Path) -> None:
    pruned = ("tuning.n_trials=5", "tuning.pruner.n_startup_trials=1", f"store.folder={tmp_path / 'store'}")
    cold, said = swept(*small, *pruned)
    assert cold.counts["pruned"] >= 1
    assert "pruned" in said
    assert not list((tmp_path / "store" / "unfinished").rglob("*.ckpt"))
    warm, _ = swept(*small, *pruned, "tuning.study=warm")
    assert [(t.state, t.chosen, t.figures) for t in warm.trials] == [
        (t.state, t.chosen, t.figures) for t in cold.trials
    ]


def test_a_trial_is_pruned_after_a_training_by_the_mean_so_far(small: Small, tmp_path: Path) -> None:
    """The steps are trainings and the figures the objective's own, so what changes rows may be tried, too."""
    given = ("tuning=search_depth", "tuning.n_trials=4", "tuning.n_seeds=2", "tuning.study=depth")
    found, _ = swept(*small, *given, "tuning.pruner.n_startup_trials=1")
    journal = JournalStorage(JournalFileBackend(str(tmp_path / "depth" / "journal.log")))
    study = optuna.load_study(study_name="depth", storage=journal)
    first, *others = study.get_trials(deepcopy=False)
    assert first.state == TrialState.COMPLETE
    assert first.intermediate_values == {0: first.user_attrs["figures"]["quality"]["of_seeds"][0]}
    best_first = first.intermediate_values[0]
    pruned = [one for one in others if one.state == TrialState.PRUNED]
    assert pruned, "none of four was pruned"
    assert all(one.intermediate_values.keys() == {0} for one in pruned)
    assert all(one.intermediate_values[0] < best_first for one in pruned[:1])
    assert {
        trial.number: sum(trial.stages.values()) for trial in found.trials if trial.state == "pruned"
    } == {one.number: 6 for one in pruned}


def test_trials_that_cannot_be_learnt_are_kept_and_end_in_time(small: Small) -> None:
    """With such a learning rate every training diverges."""
    rate = "funnel.stages.full_rank.ranker.learning_rate=1.0e+30"
    hopeless = ["~tuning.space.learning_rate", rate, "tuning.max_failures=2"]
    with pytest.raises(SweepFailedError, match=r"2 trials failed one after another .*must be finite"):
        swept(*small, *hopeless)


def test_several_objectives_have_a_front(small: Small, tmp_path: Path) -> None:
    result, _ = swept(*small, "tuning=search_cost", "tuning.n_trials=2")
    assert len(result.objectives) == 2
    assert result.best == result.front[0]
    losses = [(-t.figures["quality"].value, t.figures["cost"].value) for t in result.finished]
    for number in result.front:
        trial = result.by_number[number]
        own = (-trial.figures["quality"].value, trial.figures["cost"].value)
        assert not any(all(a <= b for a, b in zip(one, own, strict=True)) and one != own for one in losses)
    for number in result.front[1:]:
        search = [tmp_path / "tried"]
        assert not compose_overrides([f"experiment=front_{number}"], search).faults


def test_latency_is_measured_over_several_trainings_and_said(small: Small) -> None:
    timed = "tuning.objectives.quality.metric=latency_p50_ms"
    result, said = swept(*small, "tuning.n_trials=1", "tuning.n_seeds=2", timed)
    assert "note: latency_p50_ms is measured, one trial at a time" in said
    (trial,) = result.trials
    assert trial.figures["quality"].value > 0
    assert sum(trial.stages.values()) == 12


def test_what_is_wrong_is_said_before_anything_starts(small: Small, tmp_path: Path) -> None:
    wrong = [
        "tuning.objectives.quality.metric=funnel.nDCG@1",
        "tuning.n_trals=3",
        "~features.bm25",
        "+tuning.space.off={key: features.bm52, switch: true}",
    ]
    messages = {
        wrong[0]: r"'funnel.nDCG@1': no such figure: .* Did you mean 'funnel.nDCG@10'\?",
        wrong[1]: r"tuning.n_trals == 3: no such key. Did you mean 'tuning.n_trials'\?",
        wrong[2]: r"~features.bm25 == None: cannot be written down",
        wrong[3]: r"tuning.space.off.key == 'features.bm52': no such key. Did you mean 'features.bm25'\?",
    }
    for override, message in messages.items():
        with pytest.raises(ConfigError, match=message):
            swept(*small, override)
    with pytest.raises(ConfigError, match=r"tuning.pruner == .* must be null with several objectives"):
        swept(*small, "tuning=search_cost", "pruner@tuning.pruner=median")
    with pytest.raises(ConfigError, match=r"tuning.prune_after == 'training': needs trials of several tr"):
        swept(*small, "tuning.prune_after=training")
    with pytest.raises(ConfigError, match=r"tuning.prune_after == 'epoch': .* parameters is to be minimized"):
        swept(*small, "tuning.objectives.quality={metric: parameters, direction: minimize}")
    with pytest.raises(ConfigError, match=r"tuning.prune_after == 'epcoh': must be 'epoch' or 'training'"):
        swept(*small, "tuning.prune_after=epcoh")
    assert not (tmp_path / "tried").exists()


def test_a_worker_that_is_killed_costs_nothing_but_time(
    small: Small, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The first trial that is begun has its worker killed; it is tried once more by a new one."""
    killed: list[int] = []
    ask = Ledger.ask

    def kill_soon() -> None:
        while not killed:
            for line in Path("/proc").glob("[0-9]*/status"):
                try:
                    status = line.read_text(encoding="utf-8")
                    words = (line.parent / "cmdline").read_text(encoding="utf-8")
                except OSError:
                    continue
                if f"PPid:\t{os.getpid()}\n" in status and "spawn_main" in words:
                    os.kill(int(line.parent.name), signal.SIGKILL)
                    killed.append(int(line.parent.name))
                    return
            time.sleep(0.05)

    def asked(ledger: Ledger) -> object:
        begun = ask(ledger)
        if not killed:
            thread = threading.Thread(target=kill_soon)
            thread.start()
            thread.join()
        return begun

    monkeypatch.setattr(Ledger, "ask", asked)
    result, _ = swept(*small, "tuning.n_workers=2", "tuning.n_trials=1")
    assert killed
    assert result.counts == {"failed": 1, "complete": 1}
    lost = next(trial for trial in result.trials if trial.state == "failed")
    again = next(trial for trial in result.trials if trial.repeats == lost.number)
    assert lost.reason == "its worker ended by signal SIGKILL"
    assert again.chosen == lost.chosen


def test_ctrl_c_ends_it_and_the_same_command_goes_on(small: Small, tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mlsd", "sweep", *small, "tuning.n_trials=40"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    lines = (line for line in process.stdout)
    assert "study tried" in next(lines)
    assert re.match(r"✓ trial 0", next(lines))
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert errors == "mlsd: interrupted; what was finished is kept, and the same command goes on from there\n"
    assert (tmp_path / "tried" / "report.html").exists()
    n_done = pd.read_csv(tmp_path / "tried" / "trials.csv")["state"].isin(["complete", "pruned"]).sum()
    result, said = swept(*small, f"tuning.n_trials={n_done + 1}")
    assert f"{n_done} of {n_done + 1} trials are there" in said
    assert result.counts["complete"] + result.counts.get("pruned", 0) == n_done + 1


def test_a_finite_space_is_tried_whole_and_no_longer(small: Small) -> None:
    space = ["~tuning.space.learning_rate", "~tuning.space.n_cross"]
    result, said = swept(
        *small,
        *space,
        "sampler@tuning.sampler=brute_force",
        "tuning.n_trials=20",
        "pruner@tuning.pruner=none",
    )
    assert sorted(str(trial.chosen["full_ranker"]) for trial in result.trials) == ["dcn_v2", "mlp"]
    assert result.counts == {"complete": 2}
    assert "every combination was tried" in said


def test_a_space_without_end_cannot_be_tried_whole(small: Small) -> None:
    with pytest.raises(
        InputError, match=r"tuning.sampler == 'BruteForceSampler' cannot choose learning_rate"
    ):
        swept(*small, "sampler@tuning.sampler=brute_force")
