"""Readers of misspellings: formats by hand, faults by line, and the published numbers of pairs."""

from __future__ import annotations

from pathlib import Path

import pytest

from mlsd.datasets.spelling import read_counts, read_lists, read_test_set
from mlsd.errors import InputError


def write(folder: Path, content: str) -> Path:
    (folder / "set").mkdir()
    (folder / "set" / "file").write_text(content, encoding="utf-8")
    return folder / "set"


def test_lists(tmp_path: Path) -> None:
    pairs = read_lists(write(tmp_path, "$receive\nrecieve\n\nreceeve\n$a_lot\nalot\n$empty\n"), "file")
    assert pairs.typed.tolist() == ["recieve", "receeve", "alot"]
    assert pairs.meant.tolist() == ["receive", "receive", "a lot"]


def test_test_sets(tmp_path: Path) -> None:
    pairs = read_test_set(write(tmp_path, "receive: recieve receeve\r\nquay:key\n"), "file")
    assert pairs.typed.tolist() == ["recieve", "receeve", "key"]
    assert pairs.meant.tolist() == ["receive", "receive", "quay"]


def test_counts(tmp_path: Path) -> None:
    counts = read_counts(write(tmp_path, "\ufeffthe 23135851162\nof 7\n"), "file")
    assert counts.words.tolist() == ["the", "of"]
    assert counts.counts.tolist() == [23135851162, 7]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("recieve\n$receive\n", "set/file:1 is 'recieve'; a \\$word must come first"),
        ("$receive\n$\n", "set/file:2 is '\\$'; a word must follow the \\$"),
        ("$receive\n", "set/file has no misspelling"),
        ("", "set/file is empty"),
        (" \n\n", "set/file is empty"),
    ],
)
def test_faults_of_lists(tmp_path: Path, content: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_lists(write(tmp_path, content), "file")


@pytest.mark.parametrize("line", ["receive recieve", ": recieve", "receive:", ":"])
def test_faults_of_test_sets(tmp_path: Path, line: str) -> None:
    with pytest.raises(InputError, match=f"set/file:2 is '{line}'; must be a word, a colon and misspellings"):
        read_test_set(write(tmp_path, f"a: b\n{line}\n"), "file")


@pytest.mark.parametrize("line", ["the", "the x", "the -3", "the 0", "the 1.5", "12", "the 3 4"])
def test_faults_of_counts(tmp_path: Path, line: str) -> None:
    with pytest.raises(
        InputError, match=f"set/file:2 is '{line}'; must be a word, a blank and a whole number"
    ):
        read_counts(write(tmp_path, f"of 7\n{line}\n"), "file")


def test_a_word_that_comes_twice(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="set/file:3 is 'of 8'; a word must come once"):
        read_counts(write(tmp_path, "of 7\nthe 9\nof 8\n"), "file")


def test_a_missing_file_and_a_near_name(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"set has no fil\[.gz\]; nearest is 'file'"):
        read_lists(write(tmp_path, "$a\nb\n"), "fil")


def test_the_published_numbers(public_data: Path) -> None:
    """Norvig: 270 and 400 pairs; Birkbeck: 36,133 of 6,136 words; Wikipedia: 2,455 of 1,922."""
    folder = public_data / "spelling"
    assert len(read_test_set(folder, "spell-testset1.txt").typed) == 270
    assert len(read_test_set(folder, "spell-testset2.txt").typed) == 400
    for place, n_pairs, n_words in (("missp.dat", 36_133, 6_136), ("wikipedia.dat", 2_455, 1_922)):
        pairs = read_lists(folder, place)
        assert (len(pairs.typed), len(set(pairs.meant.tolist()))) == (n_pairs, n_words)
    assert len(read_counts(folder, "frequency_dictionary_en_82_765.txt").words) == 82_834
