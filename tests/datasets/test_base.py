"""Reading files: what is said about the ones that are missing or broken."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from mlsd.datasets.base import SourceFile, fingerprint, missing, stored_hash
from mlsd.errors import InputError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "music").mkdir()
    return tmp_path / "music"


def test_a_zipped_file_reads_like_a_plain_one(folder: Path) -> None:
    (folder / "a.txt").write_bytes(b"one\n")
    (folder / "b.txt.gz").write_bytes(gzip.compress(b"one\n"))
    plain, zipped = SourceFile.read(folder, "a.txt"), SourceFile.read(folder, "b.txt")
    assert plain.content == zipped.content == b"one\n"
    assert (plain.name, zipped.name) == ("music/a.txt", "music/b.txt.gz")


def test_the_fingerprint_is_of_names_and_contents(folder: Path) -> None:
    plain, zipped = SourceFile("a/b.txt", b"one"), SourceFile("a/b.txt.gz", b"one")
    assert fingerprint([plain]) == fingerprint([zipped])
    others = [[SourceFile("a/b.txt", b"two")], [SourceFile("a/c.txt", b"one")], [plain, plain], []]
    assert len({fingerprint(files) for files in [*others, [plain]]}) == 5


@pytest.mark.parametrize(
    ("content", "rows"),
    [
        (b"", []),
        (b"\n\n", []),
        (b"one\n\ntwo", [(1, b"one"), (3, b"two")]),
        (b"one\r\n\r\n two\r\n", [(1, b"one"), (3, b" two")]),
    ],
)
def test_empty_lines_are_no_rows(content: bytes, rows: list[tuple[int, bytes]]) -> None:
    file = SourceFile("a", content)
    assert file.rows == rows
    assert file.n_rows == len(rows)


def test_a_fault_names_the_first_places(folder: Path) -> None:
    file = SourceFile("music/a", b"\na\nb\nc\n\nd\n")
    expected = "odd lines: 4, music/a:2 'A', music/a:3 'B', music/a:4 'C', ...; be even"
    assert str(file.fault("odd lines", [0, 1, 2, 3], "ABCD", "be even")) == expected


def test_says_what_is_missing_and_what_is_near(folder: Path) -> None:
    (folder / "corpus.json").touch()
    assert missing(folder, []) == ""
    assert missing(folder, ["corpus.jsonl"]) == "music has no corpus.jsonl[.gz]; nearest is 'corpus.json'"
    assert missing(folder, ["qrels/test.tsv"]) == "music has no qrels/test.tsv[.gz]"
    assert missing(folder.parent / "musik", []) == "no folder 'musik'; nearest is 'music'"
    assert missing(folder.parent / "no" / "where", []) == "no folder 'where'"
    with pytest.raises(InputError, match=r"^music has no corpus\.jsonl\[\.gz\]; nearest"):
        SourceFile.read(folder, "corpus.jsonl")


def test_one_file_must_not_be_there_twice(folder: Path) -> None:
    (folder / "a.txt").touch()
    (folder / "a.txt.gz").touch()
    with pytest.raises(InputError, match=r"music has a\.txt and a\.txt\.gz: keep one"):
        SourceFile.read(folder, "a.txt")


def test_broken_files_are_refused(folder: Path) -> None:
    (folder / "cut.gz").write_bytes(gzip.compress(b"one" * 999)[:-9])
    (folder / "fake.gz").write_bytes(b"not zipped")
    (folder / "latin").write_bytes(b"one\ncaf\xe9\n")
    with pytest.raises(InputError, match=r"cannot read music/cut\.gz: Compressed file ended"):
        SourceFile.read(folder, "cut")
    with pytest.raises(InputError, match=r"cannot read music/fake\.gz: Not a gzipped file"):
        SourceFile.read(folder, "fake")
    with pytest.raises(InputError, match="music/latin:2 is not UTF-8: byte 0xe9"):
        SourceFile.read(folder, "latin")


def test_a_byte_order_mark_is_no_content(folder: Path) -> None:
    (folder / "a").write_bytes(b"\xef\xbb\xbfone")
    assert SourceFile.read(folder, "a").content == b"one"


def test_the_stored_hash_is_of_names_and_bytes_on_disk(folder: Path) -> None:
    (folder / "a").write_bytes(b"one")
    (folder / "b").write_bytes(b"one")
    before = stored_hash(folder, ["a"])
    assert stored_hash(folder, ["a"]) == before
    assert len({before, stored_hash(folder, ["b"]), stored_hash(folder, ["a", "b"])}) == 3
    (folder / "a").write_bytes(b"two")
    assert stored_hash(folder, ["a"]) != before
    with pytest.raises(InputError, match=r"music has no c\[\.gz\]"):
        stored_hash(folder, ["a", "c"])


def test_a_file_that_is_not_utf_8_may_have_another_encoding(folder: Path) -> None:
    (folder / "latin").write_bytes("one\ncafé\n".encode("latin-1"))
    (folder / "utf").write_bytes("one\ncafé\n".encode())
    files = [SourceFile.read(folder, place, fallback="latin-1") for place in ("latin", "utf")]
    assert [file.content.decode() for file in files] == ["one\ncafé\n"] * 2


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_rows_are_found_by_where_they_begin(end: bytes) -> None:
    file = SourceFile("music/a", end.join([b"", b"one", b"", b"three", b"four"]))
    places = [file.content.index(word) for word in (b"four", b"one", b"three")]
    assert file.rows_at(places) == [2, 0, 1]
    assert file.lines([2, 0]) == ["four", "one"]
    assert file.lines([0, 0, 0, 0]) == ["one"] * 3
