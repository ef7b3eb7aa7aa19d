"""`mlsd run` up to the job: checks, Hydra, folders. What a job does is tested where it is."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from omegaconf import DictConfig

from mlsd.commands.run import JobsFailedError, launch
from mlsd.errors import BudgetExceededError, ConfigError, InputError, MlsdError

SEARCH = "problem=search"


class Recorder:
    """A job that writes its seed into its folder, or fails where it is told to."""

    def __init__(self, failures: dict[int, Exception] | None = None) -> None:
        self.failures = failures or {}
        self.folders: list[Path] = []
        self.overrides: list[list[str]] = []

    def __call__(self, config: DictConfig, folder: Path, overrides: Sequence[str]) -> None:
        if config.seed in self.failures:
            raise self.failures[config.seed]
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "seed").write_text(str(config.seed), encoding="utf-8")
        self.folders.append(folder)
        self.overrides.append(list(overrides))


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def everything(folder: Path) -> list[str]:
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_run_has_a_folder_named_by_problem_moment_and_config(tmp_path: Path) -> None:
    job = Recorder()
    assert launch([SEARCH], job) == 0
    (folder,) = job.folders
    assert folder.parent == tmp_path / "outputs" / "search"
    date, time, config_hash = folder.name.split("_")
    assert (len(date), len(time), len(config_hash)) == (10, 8, 8)
    assert everything(tmp_path) == [f"outputs/search/{folder.name}/seed"]


def test_a_folder_can_be_named_and_is_never_written_over(tmp_path: Path) -> None:
    job = Recorder()
    launch([SEARCH, "hydra.run.dir=mine"], job)
    assert job.folders == [tmp_path / "mine"]
    with pytest.raises(InputError, match="mine exists and is not empty"):
        launch([SEARCH, "hydra.run.dir=mine", "seed=1"], job)
    assert (tmp_path / "mine" / "seed").read_text(encoding="utf-8") == "0"


def test_a_multirun_gives_every_job_its_own_folder() -> None:
    job = Recorder()
    launch(["-m", SEARCH, "seed=1,2,2"], job)
    assert [folder.name[:2] for folder in job.folders] == ["0_", "1_", "2_"]
    assert [(folder / "seed").read_text(encoding="utf-8") for folder in job.folders] == ["1", "2", "2"]
    assert job.overrides == [[SEARCH, f"seed={seed}"] for seed in (1, 2, 2)]


def test_faults_are_reported_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"2 faults in the config:\n  sed == 1: .*\n  n_workers == 0: "):
        launch([SEARCH, "sed=1", "n_workers=0"], Recorder())
    assert everything(tmp_path) == []
    assert not (tmp_path / "outputs").exists()


def test_every_job_of_a_multirun_is_checked_first(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"1 fault in the config:\n  n_workers == 0: must be at least 1"):
        launch(["-m", SEARCH, "n_workers=1,0", "seed=1,2"], Recorder())
    assert list(tmp_path.iterdir()) == []


def test_a_failed_job_keeps_its_error_and_leaves_no_folder(tmp_path: Path) -> None:
    with pytest.raises(BudgetExceededError, match="too slow"):
        launch([SEARCH, "hydra.run.dir=mine"], Recorder({0: BudgetExceededError("too slow")}))
    assert list(tmp_path.iterdir()) == []


def test_one_mistaken_job_does_not_stop_the_others() -> None:
    job = Recorder({1: BudgetExceededError("too slow"), 3: MlsdError("no")})
    with pytest.raises(JobsFailedError, match=r"2 jobs failed:\n  too slow\n  no") as raised:
        launch(["-m", SEARCH, "seed=1,2,3,4"], job)
    assert raised.value.exit_code == 3
    assert len(job.folders) == 2


def test_anything_else_stops_the_others() -> None:
    job = Recorder({1: OSError(28, "No space left on device")})
    with pytest.raises(OSError, match="No space left"):
        launch(["-m", SEARCH, "seed=1,2"], job)
    assert job.folders == []


def test_an_interruption_goes_through() -> None:
    def interrupted(config: DictConfig, folder: Path, overrides: Sequence[str]) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        launch([SEARCH], interrupted)


def test_the_config_is_printed_and_nothing_is_run(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    job = Recorder()
    assert launch([SEARCH, "seed=7", "--cfg", "job", "--package", "training", "--resolve"], job) == 0
    assert capsys.readouterr().out == "# @package training\nseed: 7\n"
    assert job.folders == []
    assert list(tmp_path.iterdir()) == []


def test_a_forced_key_is_caught_when_printing_too() -> None:
    with pytest.raises(ConfigError, match=r"typo == \{'key': 1\}: no such key"):
        launch([SEARCH, "++typo.key=1", "--cfg", "job"], Recorder())


def test_unknown_options_and_folders() -> None:
    with pytest.raises(MlsdError, match="no such option: --confg; see `mlsd run --help`"):
        launch([SEARCH, "--confg", "job"], Recorder())
    with pytest.raises(MlsdError, match="nowhere: no such folder"):
        launch([SEARCH, "--config-dir", "nowhere"], Recorder())


def test_yaml_of_ones_own(tmp_path: Path) -> None:
    (tmp_path / "conf" / "trainer").mkdir(parents=True)
    yaml = "_target_: mlsd.fitting.TrainerOptions\nmax_epochs: 1\n"
    (tmp_path / "conf" / "trainer" / "quick.yaml").write_text(yaml, encoding="utf-8")
    seen: list[int] = []
    launch(
        [SEARCH, "trainer=quick", "--config-dir", "conf"],
        lambda config, *_: seen.append(config.trainer.max_epochs),
    )
    assert seen == [1]
    with pytest.raises(ConfigError, match="trainer == 'quick': must be one of default"):
        launch([SEARCH, "trainer=quick"], Recorder())
