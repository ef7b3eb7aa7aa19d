"""Where work is kept: a content-addressed store on disk.

An artefact's key is the hash of what made it: its own resolved config, the keys of its inputs and the
source code of mlsd. What is in the store is whole, since it is written under a temporary name and moved
into place; what is made is always read back, so that a result never depends on whether it was there.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from errno import EEXIST, ENOTEMPTY
from functools import lru_cache
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar
from zipfile import BadZipFile

import numpy as np
import pandas as pd

from mlsd.errors import InputError
from mlsd.locks import locked
from mlsd.types import Catalog, Requests, State

T = TypeVar("T")


def key_of(*parts: object) -> str:
    """A hash of plain values (numbers, strings, lists, mappings, other keys), whatever their order of keys.

    Example:
        >>> key_of({"a": 1, "b": 2}) == key_of({"b": 2, "a": 1})
        True
    """
    text = json.dumps(parts, sort_keys=True, separators=(",", ":"), allow_nan=True)
    return sha256(text.encode()).hexdigest()[:32]


@lru_cache(maxsize=1)
def code_version() -> str:
    """A hash of all of mlsd's own source: no artefact outlives the code that made it."""
    folder = Path(__file__).parent
    digest = sha256()
    for path in sorted(folder.rglob("*.py")):
        digest.update(path.relative_to(folder).as_posix().encode())
        digest.update(path.read_bytes())
    return digest.hexdigest()[:32]


@dataclass(frozen=True)
class Store:
    """Artefacts by kind and key.

    Args:
        folder: where they lie; made when first written to.
    """

    folder: Path

    def path(self, kind: str, key: str) -> Path:
        return self.folder / kind / key

    def work(self, kind: str, key: str) -> Path:
        """Where something long in the making keeps its own checkpoints until it is done."""
        return self.folder / "unfinished" / kind / key

    def get_or_make(
        self,
        kind: str,
        key: str,
        make: Callable[[], T],
        save: Callable[[T, Path], None],
        load: Callable[[Path], T],
    ) -> T:
        """The artefact, made and saved first if it is not there, or is being made by somebody else.

        Args:
            kind: what it is, such as "log".
            key: of what makes it; see `key_of`.
            make: makes it.
            save: writes it into an empty folder.
            load: reads it back; the result is always what was read.
        """
        path, lock = self.path(kind, key), self.work(kind, f"{key}.lock")
        if not path.exists() or lock.exists():  # whoever was killed between both left its work to clear away
            with locked(lock):
                if not path.exists():
                    _remove_unfinished(path)
                    made = make()
                    with written_whole(path) as folder:
                        save(made, folder)
                shutil.rmtree(self.work(kind, key), ignore_errors=True)
        return load(path)


@contextmanager
def written_whole(path: Path) -> Iterator[Path]:
    """A new folder that gets its name only when everything in it is written; on an error nothing remains.

    Raises:
        FileExistsError: somebody else finished the same folder meanwhile; theirs stays.
        OSError: the disk is full, for one; it names `path`.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix=f".{path.name}.", dir=path.parent))
    try:
        folder.chmod(0o755)
        yield folder
        _move_into_place(folder, path)
    except OSError as error:
        if error.errno is None:
            raise
        raise OSError(error.errno, os.strerror(error.errno), str(path)) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _remove_unfinished(path: Path) -> None:
    """What somebody who was killed left of a folder. Only for whoever holds the folder's lock."""
    for folder in path.parent.glob(f".{path.name}.*"):
        shutil.rmtree(folder, ignore_errors=True)


def _move_into_place(folder: Path, path: Path) -> None:
    try:
        folder.rename(path)
    except OSError as error:
        if error.errno == ENOTEMPTY:
            raise FileExistsError(EEXIST, "somebody else was quicker") from None
        raise


def copy_folder(source: Path, target: Path) -> None:
    """Copy all files below a folder into another, which is made."""
    for path in sorted(source.rglob("*")):
        if path.is_file():
            place = target / path.relative_to(source)
            place.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, place)


def write_text(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(0o644)
        Path(name).replace(path)
    finally:
        Path(name).unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write plain values as JSON, keys sorted, equal values as equal bytes; NaN becomes null."""
    write_text(path, json.dumps(_plain(value), indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """What `write_json` wrote."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def save_state(state: State, path: Path) -> None:
    """Write named arrays as .npz; none of them may hold Python objects."""
    with path.open("wb") as file:
        np.savez(file, allow_pickle=False, **state)


def load_state(path: Path) -> State:
    """What `save_state` wrote. Never unpickles."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return {name: arrays[name] for name in arrays.files}
    except (OSError, EOFError, ValueError, BadZipFile) as error:
        raise unreadable(path, error) from error


def save_catalog(catalog: Catalog, path: Path) -> None:
    """Write a catalog as Parquet."""
    _save_columns({"item_id": catalog.item_id, **catalog.columns}, path)


def load_catalog(path: Path) -> Catalog:
    """What `save_catalog` wrote."""
    columns = _load_columns(path)
    return Catalog(columns.pop("item_id"), columns)


def save_requests(requests: Requests, path: Path) -> None:
    """Write requests as Parquet."""
    _save_columns(requests.named_columns(), path)


def load_requests(path: Path) -> Requests:
    """What `save_requests` wrote."""
    return Requests.of_columns(_load_columns(path))


def read_table(path: Path) -> pd.DataFrame:
    """A Parquet table."""
    try:
        with path.open("rb") as file:
            return pd.read_parquet(file)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from error


def unreadable(path: Path, error: Exception) -> InputError:
    """That a file cannot be read, and why, in one line."""
    what = error.strerror if isinstance(error, OSError) else None
    return InputError(f"cannot read {path}: {what or str(error).partition(chr(10))[0]}")


def _save_columns(columns: Mapping[str, np.ndarray[Any, Any]], path: Path) -> None:
    pd.DataFrame(dict(columns)).to_parquet(path, index=False)


def _load_columns(path: Path) -> dict[str, np.ndarray[Any, Any]]:
    table = read_table(path)
    return {
        name: table[name].to_numpy(dtype=object if pd.api.types.is_string_dtype(table[name]) else None)
        for name in table.columns
    }


def _plain(value: object) -> object:
    """NumPy values as Python's, mappings and sequences alike; a float that is not finite as None."""
    if isinstance(value, Mapping):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(inner) for inner in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    return value
