"""A benchmark of two arms that train nothing, and a log-free way to make up its runs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

Write = Callable[..., Path]
"""A benchmark's YAML with some keys otherwise; None leaves a key out."""

TINY: dict[str, Any] = {
    "question": "Does BM25 find more than what is popular?",
    "base": [
        "problem=search",
        "experiment=search_small",
        "online=none",
        "ratings@test_ratings=none",
        "funnel.order=[retrieve]",
        "funnel.stages.retrieve.retrievers.two_tower=null",
        "budget.n_requests=5",
    ],
    "arms": {"both": [], "bm25": ["funnel.stages.retrieve.retrievers.popularity=null"]},
    "seeds": [1, 2],
    "metric": "funnel.nDCG@10",
    "expect": {"better": "bm25", "than": "both"},
}


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def written(**changed: Any) -> Path:
        values = {key: value for key, value in {**TINY, **changed}.items() if value is not None}
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump(values, sort_keys=False), encoding="utf-8")
        return path

    return written
