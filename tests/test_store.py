"""Kept work is whole, found again by what made it, and free of Python objects."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from errno import ENOSPC
from pathlib import Path
from threading import Barrier
from time import sleep

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.errors import InputError
from mlsd.store import (
    Store,
    copy_folder,
    key_of,
    load_catalog,
    load_requests,
    load_state,
    read_json,
    read_table,
    save_catalog,
    save_requests,
    save_state,
    write_json,
    write_text,
    written_whole,
)
from mlsd.types import Catalog, Requests

plain = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)


@given(plain, plain)
def test_keys_tell_values_apart(one: object, other: object) -> None:
    assert key_of(one) == key_of(one)
    assert (key_of(one) == key_of(other)) == (repr(_sorted(one)) == repr(_sorted(other)))


def _sorted(value: object) -> object:
    if isinstance(value, dict):
        return {key: _sorted(value[key]) for key in sorted(value)}
    return [_sorted(inner) for inner in value] if isinstance(value, list) else value


def _count_up(store: Store, made: list[int], key: str) -> str:
    def make() -> str:
        made.append(1)
        return f"made {len(made)}"

    return store.get_or_make(
        "text",
        key,
        make,
        lambda text, folder: write_text(folder / "text", text),
        lambda folder: (folder / "text").read_text(),
    )


def test_what_is_there_is_not_made_again(tmp_path: Path) -> None:
    store = Store(tmp_path)
    made: list[int] = []
    assert [_count_up(store, made, key) for key in ("a", "a", "b")] == ["made 1", "made 1", "made 2"]


def test_what_fails_half_way_leaves_nothing(tmp_path: Path) -> None:
    def half(folder: Path) -> None:
        (folder / "half").write_text("half")
        raise OSError("disk full")

    with pytest.raises(OSError, match="disk"), written_whole(tmp_path / "kind" / "key") as folder:
        half(folder)
    assert list((tmp_path / "kind").iterdir()) == []


KILLED = """\
import os, signal, sys
from pathlib import Path
from mlsd.store import write_text, written_whole
with written_whole(Path(sys.argv[1])) as folder:
    write_text(folder / "text", "half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


def test_what_is_killed_half_way_has_no_name(tmp_path: Path) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "key")], check=False)
    assert done.returncode == -signal.SIGKILL
    assert all(path.name.startswith(".key.") for path in tmp_path.iterdir())
    with written_whole(tmp_path / "key") as folder:
        write_text(folder / "text", "whole")
    assert (tmp_path / "key" / "text").read_text() == "whole"


def test_what_was_killed_is_cleared_away_when_it_is_made_again(tmp_path: Path) -> None:
    store, made = Store(tmp_path), list[int]()
    subprocess.run([sys.executable, "-c", KILLED, str(store.path("text", "key"))], check=False)
    assert len(list((tmp_path / "text").iterdir())) == 1
    _count_up(store, made, "key")
    assert [path.name for path in (tmp_path / "text").iterdir()] == ["key"]


def test_what_was_killed_as_soon_as_it_had_its_name_leaves_nothing_else(tmp_path: Path) -> None:
    """The work that led to it and its lock are cleared away by the next who asks; nothing is made again."""
    store, made = Store(tmp_path), list[int]()
    _count_up(store, made, "key")
    write_text(store.work("text", "key") / "last.ckpt", "what it was made from")
    store.work("text", "key.lock").touch()
    assert _count_up(store, made, "key") == "made 1"
    assert made == [1]
    assert [path for path in (tmp_path / "unfinished").rglob("*") if path.is_file()] == []


def test_an_error_of_the_disk_names_what_should_have_been_written(tmp_path: Path) -> None:
    def fill() -> None:
        with written_whole(tmp_path / "key"):
            raise OSError(ENOSPC, "No space left on device", "some temporary name")

    with pytest.raises(OSError, match=r"No space left on device: '.*/key'$"):
        fill()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_is_copied_with_all_files_below_it(tmp_path: Path) -> None:
    write_text(tmp_path / "a" / "b" / "c" / "text", "deep")
    write_text(tmp_path / "a" / "text", "flat")
    copy_folder(tmp_path / "a", tmp_path / "copy" / "of a")
    assert (tmp_path / "copy" / "of a" / "b" / "c" / "text").read_text() == "deep"
    assert (tmp_path / "copy" / "of a" / "text").read_text() == "flat"


def test_who_finishes_second_gives_way(tmp_path: Path) -> None:
    def finish_second() -> None:
        with written_whole(tmp_path / "key") as mine:
            (mine / "text").write_text("second")
            with written_whole(tmp_path / "key") as theirs:
                (theirs / "text").write_text("first")

    with pytest.raises(FileExistsError, match=r"File exists: .*key"):
        finish_second()
    assert (tmp_path / "key" / "text").read_text() == "first"
    assert [path.name for path in tmp_path.iterdir()] == ["key"]


def test_what_somebody_else_makes_is_waited_for(tmp_path: Path) -> None:
    n_askers, made, together = 6, [0], Barrier(6)

    def make() -> str:
        sleep(0.05)
        made.append(1)
        return "made once"

    def ask(_: int) -> str:
        together.wait()
        return Store(tmp_path).get_or_make(
            "text",
            "key",
            make,
            lambda text, folder: write_text(folder / "text", text),
            lambda folder: (folder / "text").read_text(),
        )

    with ThreadPoolExecutor(n_askers) as pool:
        assert set(pool.map(ask, range(n_askers))) == {"made once"}
    assert sum(made) == 1
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == ["text"]


def test_json_is_byte_equal_for_equal_values_and_has_no_nan(tmp_path: Path) -> None:
    write_json(tmp_path / "a", {"y": np.float64(0.1), "x": [float("nan"), np.arange(2)]})
    write_json(tmp_path / "b", {"x": (float("inf"), [0, 1]), "y": 0.1})
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()
    assert read_json(tmp_path / "a") == {"x": [None, [0, 1]], "y": 0.1}


def test_states_come_back_bit_for_bit(tmp_path: Path) -> None:
    state = {"weights.0": np.random.default_rng(0).normal(size=(3, 2)), "terms": np.array(["a", "ß"])}
    save_state(state, tmp_path / "state.npz")
    for name, array in load_state(tmp_path / "state.npz").items():
        np.testing.assert_array_equal(array, state[name])


def test_objects_are_neither_saved_nor_loaded(tmp_path: Path) -> None:
    objects = np.array([{"a": 1}], dtype=object)
    with pytest.raises(ValueError, match="Object arrays cannot be saved"):
        save_state({"a": objects}, tmp_path / "state.npz")
    with (tmp_path / "foreign.npz").open("wb") as file:
        np.savez(file, a=objects)
    with pytest.raises(InputError, match=r"cannot read .*/foreign\.npz: Object arrays cannot be loaded"):
        load_state(tmp_path / "foreign.npz")


def test_tables_keep_text_and_numbers(tmp_path: Path) -> None:
    texts = np.array(["a", "", "ß|`<"], dtype=object)
    ids = np.arange(3)
    requests = Requests(ids, ids, ids, ids / 7, {"query": texts, "query_id": ids})
    save_requests(requests, tmp_path / "requests.parquet")
    again = load_requests(tmp_path / "requests.parquet")
    assert again["query"].tolist() == texts.tolist()
    assert again["query"].dtype == object
    np.testing.assert_array_equal(again.time_days, requests.time_days)
    save_catalog(Catalog(np.array(["x", "y", "z"]), {"title": texts}), tmp_path / "catalog.parquet")
    assert load_catalog(tmp_path / "catalog.parquet")["title"].tolist() == texts.tolist()


@pytest.mark.parametrize("load", [read_json, load_state, read_table])
@pytest.mark.parametrize("content", [b"", b"{half", b"PK\x03\x04half", b"PAR1half"])
def test_a_broken_file_is_named(tmp_path: Path, load: Callable[[Path], object], content: bytes) -> None:
    (tmp_path / "broken").write_bytes(content)
    with pytest.raises(InputError, match=r"^cannot read .*/broken: .+$"):
        load(tmp_path / "broken")


@pytest.mark.parametrize("load", [read_json, load_state, read_table])
def test_a_missing_file_is_named(tmp_path: Path, load: Callable[[Path], object]) -> None:
    with pytest.raises(InputError, match=r"^cannot read .*/missing: No such file or directory$"):
        load(tmp_path / "missing")
