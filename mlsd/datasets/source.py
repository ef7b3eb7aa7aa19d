"""Where a data set lies and how it is to be read: what logs of all kinds have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, ClassVar

from mlsd.datasets.base import stored_hash
from mlsd.errors import InputError


@dataclass(frozen=True)
class Source(ABC):
    """A folder in one format, and how to read it; a field for each option.

    Args:
        folder: of the data set.
    """

    format: ClassVar[str]
    """Its name, such as "criteo"."""

    folder: Path

    @property
    def name(self) -> str:
        """What a report calls the data set."""
        return self.folder.resolve().name

    @abstractmethod
    def places(self) -> dict[str, str]:
        """What a file is -> its place within the folder, without `.gz`, for all files that are read.

        Raises:
            InputError: one that must be there is not.
        """

    def missing_files(self) -> str:
        """Why the folder cannot be read, as far as can be told without opening a file; empty if it may be."""
        try:
            self.places()
        except InputError as error:
            return str(error)
        return ""

    def stored_hash(self) -> str:
        """SHA-256 of the files as they lie on disk: quick, nothing is unzipped."""
        return stored_hash(self.folder, self.places().values())

    def options(self) -> dict[str, Any]:
        """All that decides what is read, besides the files, as plain values."""
        return {"format": self.format, **asdict(self), "folder": self.name}
