"""What could be taken out of a funnel, what goes with it, and what stands in the way."""

from __future__ import annotations

from collections import Counter

from mlsd.ablation.parts import REDESIGN, SERVING, Part, Plan, parts_of, planned, trims
from mlsd.stages.base import Stage
from mlsd.testing.tiny_funnel import Finding, Noting, Ordering

FITS: Counter[str] = Counter()
REQUESTS = frozenset({"request.query"})


def funnel() -> dict[str, Stage]:
    """A note on the request, two retrievers, and two rankers, the second of which reads everything."""
    return {
        "note": Noting(FITS),
        "find": Finding(FITS, ["near", "known"]),
        "light": Ordering(FITS, reads={"near": "candidate.near_score", "query": "request.query"}),
        "full": Ordering(
            FITS,
            reads={
                "near": "candidate.near_score",
                "note": "request.note",
                "query": "request.query",
            },
        ),
    }


PARTS = {part.name: part for part in parts_of(funnel())}


def plan(part: str, removal: str) -> Plan:
    return planned(PARTS[part], REDESIGN if removal == "redesign" else SERVING, funnel(), REQUESTS)


def test_stages_come_first_then_groups_of_pieces_over_all_stages() -> None:
    assert list(PARTS) == [
        "stage/note",
        "stage/find",
        "stage/light",
        "stage/full",
        "retriever/known",
        "retriever/near",
        "features/all",
    ]
    assert PARTS["features/all"].pieces == {
        "light": frozenset({"near", "query"}),
        "full": frozenset({"near", "note", "query"}),
    }


def test_the_first_stage_that_a_part_changes() -> None:
    names = list(funnel())
    assert [part.first(names) for part in PARTS.values()] == [0, 1, 2, 3, 1, 1, 2]


def test_what_only_the_part_makes_stands_in_the_way_at_serving() -> None:
    needs = "light needs candidate.near_score; full needs candidate.near_score"
    assert plan("retriever/near", "serving").obstacle == needs
    assert plan("stage/note", "serving").obstacle == "full needs request.note"
    assert plan("retriever/known", "serving").obstacle == ""


def test_a_redesign_switches_off_what_reads_it() -> None:
    left = plan("retriever/near", "redesign")
    assert left.obstacle == ""
    assert left.switched_off == {"light": {"near"}, "full": {"near"}}
    assert left.removed == {"find": {"near"}, **left.switched_off}
    assert plan("stage/note", "redesign").switched_off == {"full": {"note"}}


def test_without_what_finds_candidates_there_is_nothing() -> None:
    for removal in (SERVING, REDESIGN):
        assert plan("stage/find", removal).obstacle.startswith("find finds the candidates")


def test_a_stage_of_which_nothing_is_left() -> None:
    assert plan("features/all", "redesign").obstacle == "light would have nothing left"
    only = {"find": Finding(FITS, ["near"])}
    (_, part) = parts_of(only)
    assert planned(part, SERVING, only, REQUESTS).obstacle == "find would have nothing left"


def test_a_need_that_no_piece_explains() -> None:
    class Needy(Ordering):
        needs = frozenset({"request.note"})

    stages = {"note": Noting(FITS), "find": Finding(FITS), "full": Needy(FITS)}
    assert planned(Part("stage/note", "note"), REDESIGN, stages, REQUESTS).obstacle == (
        "full needs request.note"
    )


def test_only_a_ranker_before_another_one_is_there_to_save_work() -> None:
    assert [name for name in funnel() if trims(funnel(), name)] == ["light"]
