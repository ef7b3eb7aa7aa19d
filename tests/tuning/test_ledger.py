"""A study that several callers work on: nobody begins too much, nothing is lost, and it repeats exactly."""

from __future__ import annotations

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta
from pathlib import Path

import pytest
import sqlalchemy

from mlsd.tuning.identity import OtherStudyError
from mlsd.tuning.ledger import Begun, Ledger
from mlsd.tuning.schema import read_tuning
from mlsd.tuning.trial import Result
from tests.tuning.conftest import SECTION, Make

HEARTBEAT = pytest.mark.filterwarnings(
    "ignore:Heartbeat of storage", "ignore:RDBStorage", "ignore:fail_stale"
)
"""What Optuna warns of is ignored where it is called, by one thread at a time; several need it here."""

MEDIAN = {"_target_": "optuna.pruners.MedianPruner", "n_startup_trials": 1}


def score(begun: Begun) -> float:
    return float(begun.chosen["rate"]) * (2 if begun.chosen["ranker"] == "mlp" else 1)  # type: ignore[arg-type]


def finish(ledger: Ledger, begun: Begun) -> None:
    ledger.tell(begun.number, Result("complete", (score(begun),), {"seconds": 1.0}))


def settle(ledger: Ledger) -> list[dict[str, object]]:
    """Finish everything that is to be tried; what was tried."""
    with ledger.at_work():
        while (begun := ledger.ask()) is not None:
            finish(ledger, begun)
    return [dict(trial.params) for trial in ledger.trials if trial.user_attrs.get("repeated") is None]


def settle_some(ledger: Ledger, n: int) -> None:
    """Finish some trials, and be interrupted within the next one."""
    with ledger.at_work():
        for _ in range(n):
            begun = ledger.ask()
            assert begun is not None
            finish(ledger, begun)
        ledger.ask()
        raise KeyboardInterrupt


def test_a_study_has_as_many_trials_as_it_is_to_have(ledger: Make) -> None:
    first = ledger()
    assert len(settle(first)) == 6
    assert first.is_done
    assert first.ask() is None
    assert len(settle(ledger(n_trials=9))) == 9


def test_parameters_that_do_not_count_are_not_tried(ledger: Make) -> None:
    tried = settle(ledger(n_trials=12))
    assert {("n_cross" in one) == (one["ranker"] == "dcn_v2") for one in tried} == {True}
    assert {one["ranker"] for one in tried} == {"mlp", "dcn_v2"}


def test_one_caller_repeats_exactly_in_one_go_or_in_several(ledger: Make, tmp_path: Path) -> None:
    whole = settle(ledger(n_trials=8))
    for n_trials in (3, 4, 8):
        parts = settle(ledger(n_trials=n_trials, folder=str(tmp_path / "again")))
    assert parts == whole
    assert settle(ledger(n_trials=8, folder=str(tmp_path / "other"), seed=1)) != whole


def test_an_interrupted_trial_is_tried_again_and_the_study_goes_on_as_it_would_have(
    ledger: Make, tmp_path: Path
) -> None:
    whole = settle(ledger())
    cut = ledger(folder=str(tmp_path / "cut"))
    with pytest.raises(KeyboardInterrupt):
        settle_some(cut, 2)
    assert cut.trials[-1].user_attrs["reason"] == "interrupted"
    assert settle(ledger(folder=str(tmp_path / "cut"))) == whole


def test_a_failure_does_not_count_and_keeps_its_reason(ledger: Make) -> None:
    one = ledger(n_trials=2)
    with one.at_work():
        begun = one.ask()
        assert begun is not None
        one.tell(begun.number, Result("failed", reason="no label"))
    assert one.n_settled == 0
    settle(one)
    assert one.n_settled == 2
    assert one.trials[0].user_attrs["reason"] == "no label"
    assert one.trials[0].params != one.trials[1].params


def test_a_crashed_trial_is_tried_once_more_with_the_same_values(ledger: Make) -> None:
    one = ledger(n_trials=1)
    with one.at_work():
        first = one.ask()
        assert first is not None
        assert one.crashed(first.number, "killed")
        second = one.ask()
        assert second is not None
        assert second.chosen == first.chosen
        assert not one.crashed(second.number, "killed again")
        third = one.ask()
        assert third is not None
        assert third.chosen != first.chosen
        finish(one, third)
    assert one.trials[1].user_attrs["repeats"] == first.number


def test_a_trial_is_ended_where_it_is_worse_than_the_others(ledger: Make) -> None:
    one = ledger(n_trials=3, pruner=MEDIAN)
    with one.at_work():
        good = one.ask()
        assert good is not None
        assert not one.judge(good.number, 0, 0.9)
        finish(one, good)
        bad = one.ask()
        assert bad is not None
        assert one.judge(bad.number, 0, 0.1)
        one.tell(bad.number, Result("pruned"))
    assert one.n_settled == 2


KILLED = """
import sys
from mlsd.tuning.ledger import Ledger
from mlsd.tuning.schema import read_tuning
import json, os, signal
section = json.loads(sys.argv[1])
tuning, search = read_tuning(section)
ledger = Ledger(tuning, search, {"config": {"seed": 0}, "space": section["space"]})
with ledger.at_work():
    ledger.ask()
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_a_killed_caller_began_is_tried_again(ledger: Make, tmp_path: Path) -> None:
    section = json.dumps({**SECTION, "folder": str(tmp_path)})
    done = subprocess.run([sys.executable, "-c", KILLED, section], check=False, capture_output=True)
    assert done.returncode == -9
    one = ledger()
    settle(one)
    lost, *others = one.trials
    assert lost.user_attrs["reason"] == "its caller was killed"
    assert others[0].params == lost.params
    assert one.n_settled == 6


def test_a_study_about_something_else_is_refused_with_what_differs(tmp_path: Path, ledger: Make) -> None:
    ledger()
    read = read_tuning({**SECTION, "folder": str(tmp_path)})
    assert not isinstance(read, list)
    about = {"config": {"seed": 1}, "space": {**SECTION["space"], "rate": {"key": "a.rate", "low": 0.5}}}
    rule = (
        r"'tried' is about something else.*\n  seed: 0 there, 1 here\n  space.rate.low: 0.001 there, 0.5 here"
    )
    with pytest.raises(OtherStudyError, match=rule):
        Ledger(*read, about)


def by_several(make: Make, n: int) -> Ledger:
    """A study that some callers settle at once."""
    callers = [make(n_trials=20) for _ in range(n)]
    with ThreadPoolExecutor(n) as pool:
        list(pool.map(settle, callers))
    return callers[0]


def test_callers_together_make_no_trial_too_many(ledger: Make) -> None:
    assert by_several(ledger, 3).n_settled == 20


@HEARTBEAT
def test_callers_share_a_postgresql_server(ledger: Make, postgres: str) -> None:
    def make(**more: object) -> Ledger:
        return ledger(storage=postgres, study="shared", **more)

    assert by_several(make, 3).n_settled == 20
    assert ledger(storage=postgres, study="shared", n_trials=20).is_done


@HEARTBEAT
def test_callers_far_apart_make_no_trial_too_many(postgres: str, ledger: Make, tmp_path: Path) -> None:
    """Each has a folder of its own, as on machines of their own: only the server knows of both."""
    folders = iter([tmp_path / "here", tmp_path / "there"])

    def make(**more: object) -> Ledger:
        return ledger(storage=postgres, study="apart", folder=str(next(folders)), **more)

    assert by_several(make, 2).n_settled == 20


def test_a_database_gives_up_what_nobody_tells_of(ledger: Make, tmp_path: Path) -> None:
    """A caller elsewhere has no file here; its last sign of life is older than the grace period."""
    url = f"sqlite:///{tmp_path / 'studies.db'}"
    there = ledger(storage=url, folder=str(tmp_path / "there"), n_trials=2)
    begun = there.ask()
    assert begun is not None
    there.storage.record_heartbeat(there._running[begun.number]._trial_id)  # type: ignore[attr-defined]
    there._running[begun.number].set_user_attr("caller", "elsewhere-1-00")
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        past = str(datetime.now() - timedelta(days=1))  # noqa: DTZ005
        connection.execute(sqlalchemy.text("UPDATE trial_heartbeats SET heartbeat = :past"), {"past": past})
    engine.dispose()
    here = ledger(storage=url, folder=str(tmp_path / "here"), n_trials=2)
    settle(here)
    assert here.n_settled == 2
    assert here.trials[1].params == here.trials[0].params
