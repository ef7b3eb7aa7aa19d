"""Text collections in BEIR layout: items, queries, and graded judgements by split.

    corpus.jsonl    {"_id": "d1", "title": "...", "text": "..."}    title may be missing
    queries.jsonl   {"_id": "q1", "text": "..."}
    qrels/test.tsv  query-id <tab> corpus-id <tab> score            with this header; train, dev likewise

Every file may be zipped (`.gz`). Source: the archives of BEIR (Thakur et al., NeurIPS 2021).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json

from mlsd.datasets.base import SourceFile, fingerprint, is_there, missing
from mlsd.errors import InputError
from mlsd.types import Array, Catalog, Floats, Ints

SPLITS = ("train", "dev", "test")
"""Splits that may be published; `test` must be."""

UnknownIds = Literal["error", "drop"]
"""What becomes of a judgement of an item or query that the collection does not have."""

_CORPUS, _QUERIES = "corpus.jsonl", "queries.jsonl"
_FIELDS = ("_id", "title", "text")
_HEADER = ("query-id", "corpus-id", "score")
_MIN_BLOCK = 1 << 20


class Qrels(NamedTuple):
    """The judgements of a split, ascending by query, then item, each pair once."""

    query: Ints
    """(n,) rows of the collection's queries."""

    item: Ints
    """(n,) rows of its catalog."""

    grade: Floats
    """(n,) 0 or more."""


@dataclass(frozen=True)
class Collection:
    """A collection as it was published.

    Args:
        name: of its folder.
        catalog: with `title` and `text`.
        query_id: (n_queries,) str.
        query: (n_queries,) str, their texts.
        qrels: split -> its judgements, for the splits that are there.
        n_dropped: judgements of unknown items or queries that were left out.
        fingerprint: SHA-256 of its files, unzipped.
    """

    name: str
    catalog: Catalog
    query_id: Array
    query: Array
    qrels: Mapping[str, Qrels]
    n_dropped: int
    fingerprint: str


def missing_files(folder: Path) -> str:
    """Why a folder is no collection, as far as can be told without opening a file; empty if it may be."""
    return missing(folder, [_CORPUS, _QUERIES, _place("test")])


def read(folder: Path, unknown_ids: UnknownIds = "error") -> Collection:
    """Read a collection.

    A query or an item may be without any text: it finds nothing, or is never found. A grade below 0 is
    0, as junk is in TREC's tools.

    Raises:
        InputError: a file is missing or broken, an `_id` comes twice, a field is missing, nothing is in the
            corpus or judged, a judgement is malformed, contradicts another or, unless dropped, names an
            unknown item or query. The message has the count and the first places, as `file:line`.
    """
    corpus, queries = SourceFile.read(folder, _CORPUS), SourceFile.read(folder, _QUERIES)
    judged = {
        split: SourceFile.read(folder, _place(split)) for split in SPLITS if _is_published(folder, split)
    }
    item_id, title, text = _records(corpus)
    query_id, _, query = _records(queries)
    tables = {split: _judgements(file, query_id, item_id, unknown_ids) for split, file in judged.items()}
    return Collection(
        name=folder.resolve().name,
        catalog=Catalog(item_id, {"title": title, "text": text}),
        query_id=query_id,
        query=query,
        qrels={split: qrels for split, (qrels, _) in tables.items()},
        n_dropped=sum(n_dropped for _, n_dropped in tables.values()),
        fingerprint=fingerprint([corpus, queries, *judged.values()]),
    )


def _place(split: str) -> str:
    return f"qrels/{split}.tsv"


def _is_published(folder: Path, split: str) -> bool:
    return split == "test" or is_there(folder, _place(split))


def _records(file: SourceFile) -> tuple[Array, Array, Array]:
    """(n,) id, title and text of every line; a title that is not there is empty."""
    columns = _columns(file)
    for name in ("_id", "text"):
        absent = np.flatnonzero(pd.isna(columns[name]) | ((name == "_id") & (columns[name] == "")))
        if len(absent):
            raise file.fault(
                f"lines without {name}", absent.tolist(), file.lines(absent), f"each needs {name}"
            )
    ids, title = columns["_id"], columns["title"]
    again = np.flatnonzero(pd.Index(ids).duplicated())
    if len(again):
        raise file.fault("_ids that come again", again.tolist(), ids[again], "each must be there once")
    return ids, np.where(pd.isna(title), "", title).astype(object), columns["text"]


def _columns(file: SourceFile) -> dict[str, Array]:
    """Field -> (n_lines,) strings, None where a line does not have it."""
    n_rows = file.n_rows
    if not n_rows:
        raise InputError(f"{file.name} is empty")
    try:
        table = _parsed(file)
    except pa.ArrowInvalid as error:
        raise _malformed(file, str(error)) from None
    if table.num_rows != n_rows:
        raise _malformed(file, f"{table.num_rows} objects in {n_rows} lines")
    return {name: table[name].to_numpy() for name in _FIELDS}


def _parsed(file: SourceFile) -> pa.Table:
    """The lines as a table; a block holds the longest line, as none may be cut in two."""
    ends = np.flatnonzero(np.frombuffer(file.content, np.uint8) == ord("\n"))
    longest = int(np.diff(ends, prepend=-1, append=len(file.content)).max())
    schema = pa.schema([(name, pa.string()) for name in _FIELDS])
    return arrow_json.read_json(
        pa.BufferReader(file.content),
        arrow_json.ReadOptions(block_size=max(_MIN_BLOCK, 2 * longest)),
        arrow_json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
    )


def _malformed(file: SourceFile, problem: str) -> InputError:
    """Which lines are not what they should be; `problem` if each looks right by itself."""
    wrong = [row for row, (_, line) in enumerate(file.rows) if not _is_record(line)]
    if not wrong:
        return InputError(f"cannot read {file.name}: {problem}")
    rule = f"every line must be an object whose {', '.join(_FIELDS)} are strings"
    return file.fault("malformed lines", wrong, file.lines(wrong), rule)


def _is_record(line: bytes) -> bool:
    try:
        record = json.loads(line)
    except ValueError:
        return False
    return isinstance(record, dict) and all(isinstance(record.get(name, ""), str | None) for name in _FIELDS)


def _judgements(
    file: SourceFile, query_id: Array, item_id: Array, unknown_ids: UnknownIds
) -> tuple[Qrels, int]:
    """The judgements of a file, and how many were left out."""
    table = _table(file)
    query = pd.Index(query_id).get_indexer(pd.Index(table["query-id"]))
    item = pd.Index(item_id).get_indexer(pd.Index(table["corpus-id"]))
    unknown = np.flatnonzero((query < 0) | (item < 0))
    if len(unknown) and unknown_ids == "error":
        strange = np.where(query < 0, table["query-id"], table["corpus-id"])[unknown]
        rule = "each must be in the collection (unknown_ids='drop' leaves these lines out)"
        raise file.fault("unknown ids", (unknown + 1).tolist(), strange, rule)
    known = np.delete(np.arange(len(query)), unknown)
    qrels = _sorted_once(file, Qrels(query[known], item[known], table["score"][known]), known)
    if not len(qrels.query):
        raise InputError(f"{file.name} has no judgements of the collection's own items and queries")
    return qrels, len(unknown)


def _table(file: SourceFile) -> dict[str, Array]:
    """Column -> (n_judgements,); the scores as numbers, none below 0."""
    if not file.n_rows:
        raise InputError(f"{file.name} is empty")
    wrong: list[arrow_csv.InvalidRow] = []
    table = _split_lines(file, wrong)
    if tuple(table.column_names) != _HEADER:
        found = " ".join(table.column_names)
        raise InputError(
            f"{file.name}:1 is {found!r}, must be the header {' '.join(_HEADER)!r}, tab-separated"
        )
    if wrong:
        rows = [row.number - 1 for row in wrong]
        raise file.fault("malformed lines", rows, (row.text for row in wrong), "each needs three columns")
    columns = {name: table[name].to_numpy() for name in _HEADER}
    score = pd.to_numeric(columns["score"], errors="coerce").astype(np.float64)
    odd = np.flatnonzero(~np.isfinite(score))
    if len(odd):
        raise file.fault("scores", (odd + 1).tolist(), columns["score"][odd], "each must be a finite number")
    return {**columns, "score": np.maximum(score, 0.0)}


def _split_lines(file: SourceFile, wrong: list[arrow_csv.InvalidRow]) -> pa.Table:
    """The columns as strings; lines with another number of them are put into `wrong`."""

    def skip(row: arrow_csv.InvalidRow) -> str:
        wrong.append(row)
        return "skip"

    return arrow_csv.read_csv(
        pa.BufferReader(file.content if file.content.endswith(b"\n") else file.content + b"\n"),
        arrow_csv.ReadOptions(use_threads=False),
        arrow_csv.ParseOptions(delimiter="\t", quote_char=False, invalid_row_handler=skip),
        arrow_csv.ConvertOptions(column_types=dict.fromkeys(_HEADER, pa.string()), strings_can_be_null=False),
    )


def _sorted_once(file: SourceFile, qrels: Qrels, rows: Ints) -> Qrels:
    """Ascending, without repeats.

    Raises:
        InputError: a pair comes again with another grade.
    """
    order = np.lexsort((qrels.item, qrels.query))
    query, item, grade = qrels.query[order], qrels.item[order], qrels.grade[order]
    again = np.zeros(len(order), bool)
    again[1:] = (np.diff(query) == 0) & (np.diff(item) == 0)
    differs = np.flatnonzero(again[1:] & (np.diff(grade) != 0)) + 1
    if len(differs):
        places = np.sort(rows[order[differs]]) + 1
        rule = "a pair has one grade"
        raise file.fault(
            "judgements that contradict an earlier one", places.tolist(), file.lines(places), rule
        )
    return Qrels(query[~again].astype(np.int64), item[~again].astype(np.int64), grade[~again])
