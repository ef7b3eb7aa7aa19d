"""Figures of then and now, leaf by leaf, and the configs that are run again or refused."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import ConfigError, InputError
from mlsd.runs.finished import FinishedRun
from mlsd.runs.leaves import MISSING
from mlsd.runs.provenance import machine_type
from mlsd.runs.reproduction import changed_provenance, held, is_same_machine, prepared
from mlsd.store import read_json, write_json

FLOATS = st.floats(allow_nan=False, allow_infinity=False)


@given(st.dictionaries(st.text(max_size=3), FLOATS | st.none() | st.text(max_size=3), max_size=5))
def test_what_json_carries_is_equal_to_itself(values: dict[str, Any]) -> None:
    assert held(values, json.loads(json.dumps(values))).changed == ()


@given(FLOATS.filter(lambda value: abs(value) < 1e300))
def test_one_bit_is_a_difference(value: float) -> None:
    (changed,) = held({"a": {"b": value}}, {"a": {"b": float(np.nextafter(value, np.inf))}}).changed
    assert (changed.name, changed.then) == ("a.b", value)
    assert changed.difference > 0


@given(st.floats(-1e6, 1e6), st.floats(-2, 2))
def test_a_tolerance_counts_from_one_upwards(then: float, share: float) -> None:
    now = then + share * 1e-3 * max(1, abs(then))
    if abs(abs(share) - 1) > 1e-6:
        assert bool(held([then], [now], tolerance=1e-3).changed) == (abs(share) > 1)


@pytest.mark.parametrize(
    ("then", "now"),
    [(1, 1.0), (True, 1), (0.0, -0.0), (None, 0.0), ("a", "b"), ({}, []), ([1], [1, 2]), ({}, {"a": {}})],
)
def test_what_is_not_the_same(then: object, now: object) -> None:
    assert len(held({"x": then}, {"x": now}).changed) >= 1


def test_missing_and_added_figures_count_whatever_the_tolerance() -> None:
    found = held({"a": 1.0, "b": 1.0}, {"b": 1.0, "c": None}, tolerance=10)
    assert found.n == 3
    assert [(one.name, one.then, one.now) for one in found.changed] == [
        ("a", 1.0, MISSING),
        ("c", MISSING, None),
    ]
    assert all(np.isnan(one.difference) for one in found.changed)
    assert held({"n": True}, {"n": False}, tolerance=10).changed != ()


def test_provenance_without_the_date(small_run: FinishedRun) -> None:
    made = small_run.provenance
    other = {**made, "date": "1970-01-01", "numpy": "1.0"}
    assert changed_provenance(made, {**made, "date": "1970-01-01"}) == []
    (changed,) = changed_provenance(made, other)
    assert (changed.name, changed.then, changed.now) == ("numpy", made["numpy"], "1.0")


@pytest.mark.parametrize(
    ("entry", "same"),
    [("architecture", False), ("CPU capability", False), ("torch", False), ("cores", True), ("commit", True)],
)
def test_the_type_of_a_machine(small_run: FinishedRun, entry: str, same: bool) -> None:
    made = small_run.provenance
    assert all(machine_type(made).values())
    assert is_same_machine(made, {**made, entry: "another"}) == same


@pytest.fixture
def copied(collection_run: FinishedRun, tmp_path: Path) -> Path:
    folder = tmp_path / "copied"
    folder.mkdir()
    for name in ("config.yaml", "provenance.json", "metrics.json"):
        shutil.copy(collection_run.folder / name, folder)
    return folder


def rewritten(path: Path, old: str, new: str) -> None:
    text = path.read_text(encoding="utf-8")
    assert old in text
    path.write_text(text.replace(old, new), encoding="utf-8")


def test_a_run_as_it_was_with_a_store_of_its_own(copied: Path, tmp_path: Path) -> None:
    again = prepared(FinishedRun(copied), tmp_path / "empty")
    assert again.system.store.folder == tmp_path / "empty"
    assert again.config["store"]["folder"] != str(tmp_path / "empty")
    assert not (tmp_path / "empty").exists()


def test_a_target_that_is_not_allowed_is_not_run(copied: Path, tmp_path: Path) -> None:
    rewritten(copied / "config.yaml", "_target_: mlsd.worlds.beir.", "_target_: os.")
    with pytest.raises(ConfigError, match=r"world\._target_ == 'os\.\w+': must begin with mlsd\."):
        prepared(FinishedRun(copied), tmp_path)


def test_a_config_that_was_changed_is_refused(copied: Path, tmp_path: Path) -> None:
    rewritten(copied / "config.yaml", "max_epochs: 1", "max_epochs: 2")
    with pytest.raises(InputError, match=r"config\.yaml is not what was run: config is '\w+', .* says '\w+'"):
        prepared(FinishedRun(copied), tmp_path)


def test_a_key_that_no_run_has(copied: Path, tmp_path: Path) -> None:
    rewritten(copied / "config.yaml", "n_workers:", "n_worker:")
    with pytest.raises(ConfigError, match="n_worker"):
        prepared(FinishedRun(copied), tmp_path)


def test_other_data_are_refused(copied: Path, tmp_path: Path) -> None:
    made = read_json(copied / "provenance.json")
    write_json(copied / "provenance.json", {**made, "data, SHA-256": "music 123"})
    with pytest.raises(InputError, match=r"the data are not those of the run: .* says 'music 123'"):
        prepared(FinishedRun(copied), tmp_path)


def test_provenance_without_what_is_needed(copied: Path, tmp_path: Path) -> None:
    write_json(copied / "provenance.json", {})
    with pytest.raises(InputError, match=r"provenance\.json: no entry 'config'"):
        prepared(FinishedRun(copied), tmp_path)
    (copied / "provenance.json").write_text("[]", encoding="utf-8")
    with pytest.raises(InputError, match=r"provenance\.json: it is no mapping"):
        prepared(FinishedRun(copied), tmp_path)
