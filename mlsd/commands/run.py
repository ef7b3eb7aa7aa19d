"""`mlsd run`: everything is checked, then Hydra launches the job or jobs."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import hydra
from hydra.core.hydra_config import HydraConfig
from omegaconf import DictConfig

from mlsd.commands.folders import claimed, require_free
from mlsd.commands.options import Parser, add_allow_target, add_config_dir, allow_targets, parser, split
from mlsd.config.check import all_faults, key_faults, raise_faults
from mlsd.config.compose import PRIMARY, Composition, compose_jobs, compose_overrides, search_path
from mlsd.config.overrides import value_of
from mlsd.config.places import conf_dir
from mlsd.errors import MlsdError

Job = Callable[[DictConfig, Path, Sequence[str]], object]
"""Runs a config that these overrides composed; what it leaves behind goes into the folder."""

USAGE = "problem=NAME [KEY=VALUE ...] [-m] [--cfg job] [--allow-target PREFIX]"

DESCRIPTION = """\
Design, train and try a system. A Hydra app: overrides are KEY=VALUE, -m sweeps over commas.

  mlsd run problem=search
  mlsd run problem=search ranker@funnel.stages.full_rank.ranker=mlp
  mlsd run -m problem=search seed=0,1,2
  mlsd run problem=search --cfg job
  mlsd run problem=search hydra.run.dir=outputs/first
"""


class JobsFailedError(MlsdError):
    """Some jobs of a multirun failed."""

    def __init__(self, errors: Sequence[Exception]) -> None:
        super().__init__("\n".join([f"{len(errors)} jobs failed:", *(f"  {error}" for error in errors)]))
        self.exit_code = max(getattr(error, "exit_code", 1) for error in errors)


def main(arguments: Sequence[str]) -> int:
    """Check and run what the arguments ask for."""
    from mlsd.runner import run_config  # noqa: PLC0415  (only a run needs what a run needs)

    return launch(arguments, run_config)


def launch(arguments: Sequence[str], job: Job) -> int:
    """Check everything, then let Hydra run `job` for each config.

    Args:
        arguments: of the command line, after `mlsd run`.
        job: what is run.

    Raises:
        ConfigError: with every fault of every job; nothing has been written then.
    """
    options, rest = split(_parser(), arguments)
    allow_targets(options)
    _check(options, rest)
    failed: list[Exception] = []
    with _arguments(_for_hydra(options, rest)):
        hydra.main(version_base="1.3", config_path=str(conf_dir()), config_name=PRIMARY)(
            _guarded(job, failed)
        )()
    if len(failed) == 1:
        raise failed[0]
    if failed:
        raise JobsFailedError(failed)
    return 0


def _parser() -> Parser:
    options = parser("run", USAGE, DESCRIPTION)
    options.add_argument(
        "-m", "--multirun", action="store_true", help="run every combination of swept values"
    )
    options.add_argument("-c", "--cfg", choices=["job", "hydra", "all"], help="print the config and stop")
    options.add_argument("-p", "--package", help="with --cfg: only this part of it")
    options.add_argument("--resolve", action="store_true", help="with --cfg: follow interpolations")
    add_config_dir(options)
    add_allow_target(options)
    return options


def _check(options: Namespace, overrides: Sequence[str]) -> None:
    search = options.config_dir
    if options.cfg:
        composition = compose_overrides(overrides, search)
        raise_faults([*composition.faults, *_keys(composition)])
        return
    jobs = compose_jobs(overrides, search) if options.multirun else [compose_overrides(overrides, search)]
    raise_faults(fault for composition in jobs for fault in all_faults(composition))
    folder = value_of("hydra.run.dir", overrides)
    if folder is not None and not options.multirun:
        require_free(Path(str(folder)))


def _keys(composition: Composition) -> list[Any]:
    return key_faults(composition.config) if composition.config is not None else []


def _for_hydra(options: Namespace, overrides: Sequence[str]) -> list[str]:
    """The same options in Hydra's words."""
    given = {"--cfg": options.cfg, "--package": options.package}
    words = [word for flag, value in given.items() if value for word in (flag, str(value))]
    switches = {"--multirun": options.multirun, "--resolve": options.resolve}
    return [
        *words,
        *(flag for flag, on in switches.items() if on),
        *search_path(options.config_dir),
        *overrides,
    ]


def _guarded(job: Job, failed: list[Exception]) -> Callable[[DictConfig], None]:
    """A job for Hydra. What fails is kept and not raised: Hydra would print a traceback and exit with 1.

    A mistake in one job of a multirun does not stop the others; anything else does.
    """

    def run_job(config: DictConfig) -> None:
        if any(not isinstance(error, MlsdError) for error in failed):
            return
        hydra_config = HydraConfig.get()
        with claimed(Path(hydra_config.runtime.output_dir)) as folder:
            try:
                job(config, folder, list(hydra_config.overrides.task))
            except Exception as error:  # noqa: BLE001  (raised again by `launch`)
                failed.append(error)

    return run_job


@contextmanager
def _arguments(words: Sequence[str]) -> Iterator[None]:
    """`hydra.main` reads `sys.argv`, and hides errors it did not expect unless told not to."""
    before, full = sys.argv, os.environ.get("HYDRA_FULL_ERROR")
    sys.argv = ["mlsd run", *words]
    os.environ["HYDRA_FULL_ERROR"] = "1"
    try:
        yield
    finally:
        sys.argv = before
        if full is None:
            del os.environ["HYDRA_FULL_ERROR"]
        else:
            os.environ["HYDRA_FULL_ERROR"] = full
