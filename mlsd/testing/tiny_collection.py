"""A collection in BEIR layout small enough to reason about: what tests of recorded worlds run on."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from mlsd.testing.retriever_kit import phrases

Judged = Sequence[tuple[int, int, int]]
"""Rows of (query, item, grade)."""


def write_collection(
    folder: Path, qrels: Mapping[str, Judged], n_items: int = 40, n_queries: int = 30
) -> Path:
    """Write items `d0`, `d1`, ... and queries `q0`, `q1`, ... about music, and judgements by split."""
    (folder / "qrels").mkdir(parents=True)
    titles, texts = phrases("title", n_items, 2), phrases("text", n_items, 5)
    items = ({"_id": f"d{i}", "title": titles[i], "text": texts[i]} for i in range(n_items))
    queries = ({"_id": f"q{i}", "text": text} for i, text in enumerate(phrases("query", n_queries, 3)))
    _write_lines(folder / "corpus.jsonl", map(json.dumps, items))
    _write_lines(folder / "queries.jsonl", map(json.dumps, queries))
    for split, judged in qrels.items():
        lines = (f"q{query}\td{item}\t{grade}" for query, item, grade in judged)
        _write_lines(folder / "qrels" / f"{split}.tsv", ["query-id\tcorpus-id\tscore", *lines])
    return folder


def some_judged(queries: Iterable[int], n_items: int = 40) -> Judged:
    """Four items for each query, with grades from 0 to 3."""
    return [(query, (7 * query + 3 * grade) % n_items, grade) for query in queries for grade in range(4)]


def _write_lines(path: Path, lines: Iterable[str]) -> None:
    path.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")
