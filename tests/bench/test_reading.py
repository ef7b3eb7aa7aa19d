"""A benchmark's YAML: what is wrong with it is named, all of it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mlsd.bench.benchmark import Benchmark, Expectation, Held, Published
from mlsd.bench.reading import read
from mlsd.errors import InputError

if TYPE_CHECKING:
    from tests.bench.conftest import Write


def faults(path: Path) -> list[str]:
    return [str(fault) for fault in read(path)[2]]


def test_everything_there_is(write: Write) -> None:
    published = {"bm25": {"value": 0.5, "source": "a paper", "tolerance": 0.1}}
    holds = {"both": {"value": 1, "tolerance": 0}}
    more = {"published": published, "holds": holds, "quick": True, "varies": "training.seed"}
    made, _, wrong = read(write(**more))
    assert wrong == []
    assert isinstance(made, Benchmark)
    assert made.published == {"bm25": Published(value=0.5, source="a paper", tolerance=0.1)}
    assert made.holds == {"both": Held(value=1, tolerance=0)}
    assert (made.quick, made.varies, made.seeds) == (True, "training.seed", (1, 2))
    assert made.arms["bm25"] == ("funnel.stages.retrieve.retrievers.popularity=null",)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"metrc": "x"}, "metrc == 'x': no such key: a benchmark has question, arms, "),
        ({"metrc": "x"}, "Did you mean 'metric'?"),
        ({"arms": {}}, "arms == []: must be at least two."),
        ({"arms": None}, "arms == '???': must be given to Benchmark."),
        ({"arms": {"one": []}}, "arms == ['one']: must be at least two."),
        ({"arms": {"a": [], "b": None}}, "arms.b == None: must be a list."),
        ({"arms": {"a": [], "b": [3]}}, "arms.b[0] == 3: must be a valid string."),
        ({"seeds": []}, "seeds == []: must be at least two."),
        ({"seeds": [1]}, "seeds == [1]: must be at least two."),
        ({"seeds": [1, 1]}, "seeds[1] == 1: must not be named twice."),
        ({"seeds": [1, -1]}, "seeds[1] == -1: must be at least 0."),
        ({"varies": "world"}, "varies == 'world': must be 'seed' or 'training.seed'."),
        ({"question": ""}, "question == '': must not be empty."),
        ({"expect": {"best": "bm"}}, "expect.best == 'bm': must be one of both, bm25; nearest is 'bm25'."),
        ({"expect": {"better": "bm25"}}, "expect.than == None: must be an arm beside better or not_worse"),
        ({"expect": {"best": "bm25", "than": "both"}}, "expect.than == 'both': must be an arm beside better"),
        ({"expect": {}}, "expect.kind == []: must be one of best, better and not_worse"),
        ({"expect": {"better": "both", "than": "both"}}, "expect.than == 'both': must be another arm."),
        ({"expect": {"not_worse": "both", "than": "bm25"}}, "expect.margin == None: must be a number beside"),
        (
            {"expect": {"not_worse": "both", "than": "bm25", "margin": 0}},
            "expect.margin == 0.0: must be above 0.",
        ),
        ({"holds": {"bm": {"value": 1, "tolerance": 0}}}, "holds == 'bm': must be one of both, bm25"),
        (
            {"holds": {"bm25": {"value": 1, "tolerance": -1}}},
            "holds.bm25.tolerance == -1.0: must be at least 0",
        ),
        (
            {"published": {"bm25": {"value": 1, "tolerance": 0}}},
            "published.bm25.source == '???': must be given",
        ),
    ],
)
def test_faults(write: Write, changed: dict[str, Any], fault: str) -> None:
    assert [one for one in faults(write(**changed)) if fault in one], faults(write(**changed))


def test_a_name_that_stands_twice_and_one_that_is_no_text(tmp_path: Path) -> None:
    path = tmp_path / "twice.yaml"
    path.write_text(
        "question: a\nquestion: b\narms:\n  one: []\n  two: []\n  one: [x=1]\n  off: []\n", encoding="utf-8"
    )
    found = faults(path)
    assert "question == 'question': stands in lines 1 and 2, must be named once." in found
    assert "arms.one == 'one': stands in lines 4 and 6, must be named once." in found
    assert "arms.off == 'off': must be text: write it in quotes." in found


def test_an_alias_of_itself_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "endless.yaml"
    path.write_text("question: &again {inner: *again}\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"question\.inner refers to itself"):
        read(path)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("arms:\n  a: [x=[1]]\n", r"line 2, column 9: expected ',' or '\]', but got '\['; what has brackets"),
        ("- a\n", "it is no mapping"),
        ("", "it is no mapping"),
        ("a: \x00", "unacceptable character"),
    ],
)
def test_what_is_no_benchmark_at_all(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "odd.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=rf"cannot read .*odd\.yaml: .*{message}"):
        read(path)


def test_no_such_file(write: Write) -> None:
    with pytest.raises(InputError, match=r"tyni\.yaml: no such file; nearest is 'tiny\.yaml'"):
        read(write().with_name("tyni.yaml"))


@pytest.mark.parametrize(
    ("expected", "words"),
    [
        (Expectation(best="a"), "a is the best"),
        (Expectation(better="a", than="b"), "a is better than b"),
        (Expectation(not_worse="a", than="b", margin=0.01), "a is at most 0.01 below b"),
    ],
)
def test_an_expectation_in_words(expected: Expectation, words: str) -> None:
    assert str(expected) == words
