"""A benchmark of two arms that train nothing, and a log-free way to make up its runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from mlsd.testing.tiny_benchmark import TINY_BENCHMARK

Write = Callable[..., Path]
"""A benchmark's YAML with some keys otherwise; None leaves a key out."""


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(**changed: Any) -> Path:
        values = {key: value for key, value in {**TINY_BENCHMARK, **changed}.items() if value is not None}
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path

    return written
