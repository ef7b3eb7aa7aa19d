"""Collections in BEIR layout: read, and refused with the line that is wrong."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from mlsd.datasets.beir import Collection, missing_files, read
from mlsd.errors import InputError

Record = dict[str, object]

CORPUS: list[Record] = [
    {"_id": "d1", "title": "Jazz", "text": "a trio"},
    {"_id": "d2", "text": "rock", "metadata": {"year": 1970}},
    {"_id": "d3", "title": "Opera", "text": ""},
]
QUERIES: list[Record] = [
    {"_id": "q1", "text": "trio"},
    {"_id": "q2", "text": ""},
    {"_id": "q3", "text": "song"},
]
LINE = "music/corpus.jsonl"
TEST = "music/qrels/test.tsv"
HEADER = "query-id\tcorpus-id\tscore\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "music"
    (folder / "qrels").mkdir(parents=True)
    write(folder, "corpus.jsonl", lines(CORPUS))
    write(folder, "queries.jsonl", lines(QUERIES))
    write(folder, "qrels/test.tsv", f"{HEADER}q2\td1\t1\nq1\td3\t2\nq1\td1\t0\n")
    return folder


def write(folder: Path, place: str, text: str) -> None:
    (folder / place).write_text(text, encoding="utf-8", newline="")


def lines(records: list[Record]) -> str:
    return "".join(f"{json.dumps(record)}\n" for record in records)


def assert_refused(folder: Path, message: str) -> None:
    with pytest.raises(InputError) as refused:
        read(folder)
    assert str(refused.value) == message


def judged(collection: Collection, split: str = "test") -> list[tuple[int, int, float]]:
    return list(zip(*(column.tolist() for column in collection.qrels[split]), strict=True))


def test_reads_what_is_there(folder: Path) -> None:
    collection = read(folder)
    assert collection.name == "music"
    assert collection.catalog.item_id.tolist() == ["d1", "d2", "d3"]
    assert collection.catalog["title"].tolist() == ["Jazz", "", "Opera"]
    assert collection.catalog["text"].tolist() == ["a trio", "rock", ""]
    assert collection.query_id.tolist() == ["q1", "q2", "q3"]
    assert collection.query.tolist() == ["trio", "", "song"]
    assert judged(collection) == [(0, 0, 0.0), (0, 2, 2.0), (1, 0, 1.0)]
    assert set(collection.qrels) == {"test"}


def test_zipping_and_moving_change_nothing(folder: Path, tmp_path: Path) -> None:
    before = read(folder)
    for path in (folder / "corpus.jsonl", folder / "qrels" / "test.tsv"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    (tmp_path / "elsewhere").mkdir()
    after = read(folder.rename(tmp_path / "elsewhere" / "music"))
    assert after.fingerprint == before.fingerprint
    assert after.catalog["text"].tolist() == before.catalog["text"].tolist()
    assert judged(after) == judged(before)


def test_the_fingerprint_tells_contents_apart(folder: Path) -> None:
    before = read(folder).fingerprint
    write(folder, "qrels/train.tsv", f"{HEADER}q3\td1\t1\n")
    after = read(folder).fingerprint
    write(folder, "qrels/train.tsv", f"{HEADER}q3\td2\t1\n")
    assert len({before, after, read(folder).fingerprint}) == 3


def test_all_published_splits_are_read(folder: Path) -> None:
    write(folder, "qrels/dev.tsv", f"{HEADER}q3\td1\t1\n")
    write(folder, "qrels/train.tsv.note", "nothing")
    assert judged(read(folder), "dev") == [(2, 0, 1.0)]
    assert list(read(folder).qrels) == ["dev", "test"]


def test_blank_lines_ends_of_lines_and_missing_last_ones_do_not_matter(folder: Path) -> None:
    expected = judged(read(folder))
    write(folder, "corpus.jsonl", "\r\n" + lines(CORPUS).replace("\n", "\r\n\r\n").rstrip())
    write(folder, "qrels/test.tsv", f"{HEADER}\nq2\td1\t1\r\nq1\td3\t2\r\n\nq1\td1\t0".replace("\n", "\r\n"))
    assert read(folder).catalog.item_id.tolist() == ["d1", "d2", "d3"]
    assert judged(read(folder)) == expected


def test_a_header_alone_or_with_one_line_is_read_to_the_end(folder: Path) -> None:
    write(folder, "qrels/test.tsv", f"{HEADER}q1\td1\t1")
    assert judged(read(folder)) == [(0, 0, 1.0)]
    write(folder, "qrels/test.tsv", HEADER.strip())
    assert_refused(folder, "music/qrels/test.tsv has no judgements of the collection's own items and queries")


def test_a_text_longer_than_a_block_is_read(folder: Path) -> None:
    long = "jazz " * 600_000
    write(folder, "corpus.jsonl", lines([*CORPUS, {"_id": "d4", "text": long}]))
    assert read(folder).catalog["text"][3] == long


def test_a_grade_below_0_is_0_and_repeats_count_once(folder: Path) -> None:
    write(folder, "qrels/test.tsv", f"{HEADER}q1\td1\t-2\nq1\td2\t1.5\nq1\td2\t1.5\n")
    assert judged(read(folder)) == [(0, 0, 0.0), (0, 1, 1.5)]


def test_quotes_are_characters(folder: Path) -> None:
    write(folder, "corpus.jsonl", lines([{"_id": '"d"', "text": "jazz"}]))
    write(folder, "qrels/test.tsv", f'{HEADER}q1\t"d"\t1\n')
    assert judged(read(folder)) == [(0, 0, 1.0)]


def test_unknown_ids_are_refused_or_left_out(folder: Path) -> None:
    text = f"{HEADER}q1\td9\t1\n\nq1\td1\t1\nq8\td1\t1\nq8\td9\t1\nq2\td7\t1\n"
    write(folder, "qrels/test.tsv", text)
    assert_refused(
        folder,
        f"unknown ids: 4, {TEST}:2 'd9', {TEST}:5 'q8', {TEST}:6 'q8', "
        "...; each must be in the collection (unknown_ids='drop' leaves these lines out)",
    )
    collection = read(folder, unknown_ids="drop")
    assert judged(collection) == [(0, 0, 1.0)]
    assert collection.n_dropped == 4
    write(folder, "qrels/test.tsv", f"{HEADER}q8\td9\t1\n")
    with pytest.raises(InputError, match="has no judgements of the collection's own items and queries"):
        read(folder, unknown_ids="drop")


RULE = "every line must be an object whose _id, title, text are strings"


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ('{"_id": "d4" "text": ""}', '\'{"_id": "d4" "text": ""}\''),
        ('{"_id": 4, "text": ""}', '\'{"_id": 4, "text": ""}\''),
        ('{"_id": "d4", "text": ["a"]}', '\'{"_id": "d4", "text": ["a"]}\''),
        ('["d4"]', "'[\"d4\"]'"),
        ("d4", "'d4'"),
        ('{"_id": "d4", "text": "a"} {"_id": "d5", "text": "a"}', None),
        ('{"_id": "d4",\n"text": "a"}', None),
        ('{"_id": "d4", "text": "a"', '\'{"_id": "d4", "text": "a"\''),
        ("   ", "'   '"),
    ],
)
def test_malformed_lines_are_shown(folder: Path, line: str, shown: str | None) -> None:
    write(folder, "corpus.jsonl", f"{lines(CORPUS)}\n{line}\n")
    if shown is not None:
        assert_refused(folder, f"malformed lines: 1, music/corpus.jsonl:5 {shown}; {RULE}")
    with pytest.raises(InputError, match=rf"malformed lines: \d, music/corpus\.jsonl:5 .*; {RULE}$"):
        read(folder)


def test_what_only_the_parser_finds_wrong_is_said_too(folder: Path) -> None:
    write(folder, "corpus.jsonl", '{"_id": "d1", "text": "a", "text": "b"}\n')
    with pytest.raises(InputError, match=r"^cannot read music/corpus\.jsonl: .*specified twice"):
        read(folder)


@pytest.mark.parametrize(
    ("corpus", "message"),
    [
        ("", "music/corpus.jsonl is empty"),
        ("\n\n", "music/corpus.jsonl is empty"),
        (
            '{"_id": "d1"}\n',
            'lines without text: 1, music/corpus.jsonl:1 \'{"_id": "d1"}\'; each needs text',
        ),
        (
            '{"_id": ""}\n{}\n',
            f"lines without _id: 2, {LINE}:1 '{{\"_id\": \"\"}}', {LINE}:2 '{{}}'; each needs _id",
        ),
        (
            lines([CORPUS[0], CORPUS[1], CORPUS[0]]),
            "_ids that come again: 1, music/corpus.jsonl:3 'd1'; each must be there once",
        ),
    ],
)
def test_a_corpus_has_items_with_an_id_of_their_own(folder: Path, corpus: str, message: str) -> None:
    write(folder, "corpus.jsonl", corpus)
    assert_refused(folder, message)


@pytest.mark.parametrize(
    ("qrels", "message"),
    [
        ("", "music/qrels/test.tsv is empty"),
        (
            "q1 0 d1 1\n",
            f"{TEST}:1 is 'q1 0 d1 1', must be the header 'query-id corpus-id score', tab-separated",
        ),
        (
            f"{HEADER}q1\td1\t1\n\nq1 d1 1\nq1\td1\t1\t1\n",
            f"malformed lines: 2, {TEST}:4 'q1 d1 1', {TEST}:5 'q1\\td1\\t1\\t1'; each needs three columns",
        ),
        (
            f"{HEADER}q1\td1\t1\nq1\td2\tgood\n\nq1\td3\t\nq2\td1\tinf\nq2\td2\tnan\n",
            f"scores: 4, {TEST}:3 'good', {TEST}:5 '', {TEST}:6 'inf', ...; each must be a finite number",
        ),
        (
            f"{HEADER}q1\td1\t1\nq1\td2\t1\nq1\td1\t2\n",
            f"judgements that contradict an earlier one: 1, {TEST}:4 'q1\\td1\\t2'; a pair has one grade",
        ),
    ],
)
def test_judgements_are_three_columns_with_a_grade(folder: Path, qrels: str, message: str) -> None:
    write(folder, "qrels/test.tsv", qrels)
    assert_refused(folder, message)


def test_a_folder_that_is_no_collection_is_told_apart(folder: Path) -> None:
    assert missing_files(folder) == ""
    (folder / "qrels" / "test.tsv").rename(folder / "qrels" / "tests.tsv")
    assert missing_files(folder) == "music has no qrels/test.tsv[.gz]; nearest is 'tests.tsv'"
    assert_refused(folder, "music has no qrels/test.tsv[.gz]; nearest is 'tests.tsv'")


@pytest.mark.parametrize(
    ("name", "n_items", "n_queries", "n_judged"),
    [
        ("scifact", 5183, 1109, {"train": 919, "test": 339}),
        ("cacm", 3204, 64, {"test": 796}),
        ("crowdflower-search", 9913, 261, {"test": 10013}),
    ],
)
def test_public_collections_have_their_published_sizes(
    public_data: Path, name: str, n_items: int, n_queries: int, n_judged: dict[str, int]
) -> None:
    collection = read(public_data / name)
    assert (len(collection.catalog), len(collection.query)) == (n_items, n_queries)
    assert {split: len(qrels.query) for split, qrels in collection.qrels.items()} == n_judged
