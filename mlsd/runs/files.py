"""What a run leaves behind: one folder, written whole."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from omegaconf import OmegaConf

from mlsd.report.base import RunResult
from mlsd.report.html import write_html
from mlsd.report.markdown import write_markdown
from mlsd.runs.outcome import Outcome
from mlsd.store import copy_folder, save_catalog, save_requests, write_json, write_text
from mlsd.types import Catalog


def write_run(
    overrides: Sequence[str],
    catalog: Catalog,
    outcome: Outcome,
    result: RunResult,
    folder: Path,
) -> None:
    """Write everything a run found into an empty folder."""
    write_text(folder / "config.yaml", result.config_yaml)
    write_text(folder / "overrides.yaml", OmegaConf.to_yaml(OmegaConf.create(list(overrides))))
    write_json(folder / "provenance.json", result.provenance)
    write_json(folder / "metrics.json", result.metrics)
    write_json(folder / "timings.json", {"steps_s": result.steps_s, **outcome.timings()})
    _write_tables(catalog, outcome, folder)
    for name, kept in outcome.fitted.folders.items():
        copy_folder(kept, folder / "stages" / name)
    write_text(folder / "design.md", result.design)
    write_markdown(result, folder / "report.md")
    write_html(result, folder / "report.html")


def _write_tables(catalog: Catalog, outcome: Outcome, folder: Path) -> None:
    for name in ("log", "offline", "online"):
        (folder / name).mkdir()
    save_catalog(_named_only(catalog), folder / "catalog.parquet")
    save_requests(outcome.logged.log.requests, folder / "log" / "requests.parquet")
    _write_table(outcome.logged.log.impressions, folder / "log" / "impressions.parquet")
    if outcome.logged.log.annotations is not None:
        _write_table(outcome.logged.log.annotations, folder / "log" / "annotations.parquet")
    _write_table(outcome.offline.table, folder / "offline" / "per_request.parquet")
    for name, rated in (("labels", outcome.rated), ("test", outcome.rated_test)):
        if rated is not None:
            (folder / "ratings").mkdir(exist_ok=True)
            _write_table(rated.rated.table(), folder / "ratings" / f"{name}.parquet")
    if outcome.online is not None:
        _write_table(outcome.online.users, folder / "online" / "users.parquet")
        for arm, books in outcome.online.books.items():
            _write_table(books.campaigns, folder / "online" / f"campaigns_{arm}.parquet")


def _named_only(catalog: Catalog) -> Catalog:
    """What is needed to name an item to a person."""
    return Catalog(catalog.item_id, {name: catalog[name] for name in ("title",) if name in catalog.columns})


def _write_table(table: pd.DataFrame, path: Path) -> None:
    table.to_parquet(path, index=False)
