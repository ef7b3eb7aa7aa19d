"""What could be taken out of a funnel, what goes with it, and what stands in the way."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from mlsd.ablation.parts import REDESIGN, SERVING, Part, Plan, parts_of, planned, trims
from mlsd.stages.base import Piece, Stage
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


def test_a_stage_of_which_nothing_is_left_goes_with_a_redesign_and_is_missed_at_serving() -> None:
    assert plan("features/all", "serving").obstacle == "light would have nothing left"
    left = plan("features/all", "redesign")
    assert left.obstacle == ""
    assert left.emptied == {"light", "full"}
    assert left.switched_off == {}


def understood() -> dict[str, Stage]:
    """What two classifiers say is read by a ranker, and by all that a last stage does or one half of it."""
    return {
        "note": Noting(FITS, ["intent", "topic"]),
        "find": Finding(FITS),
        "rank": Ordering(FITS, reads={"query": "request.query", "topic": "request.topic"}),
        "show": Ordering(FITS, reads={"diversifier": "request.topic"}, group="display/{}"),
    }


def test_a_stage_goes_with_a_redesign_without_what_all_its_pieces_read() -> None:
    parts = {part.name: part for part in parts_of(understood())}
    for name in ("stage/note", "classifier/topic"):
        left = planned(parts[name], REDESIGN, understood(), REQUESTS)
        assert left.obstacle == ""
        assert left.emptied == {"show"}
        assert left.switched_off == {"rank": {"topic"}, "show": {"diversifier"}}
        at_serving = planned(parts[name], SERVING, understood(), REQUESTS)
        assert at_serving.obstacle == "rank needs request.topic; show needs request.topic"
    for removal in (SERVING, REDESIGN):
        left = planned(parts["classifier/intent"], removal, understood(), REQUESTS)
        assert left == Plan({"note": frozenset({"intent"})})


def test_a_stage_of_which_something_is_left_stays() -> None:
    reads = {"cap": "request.query", "diversifier": "request.topic"}
    stages = {**understood(), "show": Ordering(FITS, reads=reads, group="display/{}")}
    left = planned(Part("stage/note", "note"), REDESIGN, stages, REQUESTS)
    assert left.switched_off == {"rank": {"topic"}, "show": {"diversifier"}}
    assert left.obstacle == ""
    assert left.emptied == frozenset()


def test_each_stage_in_the_way_is_named_once() -> None:
    reads = {"intent": "request.intent", "topic": "request.topic"}
    stages = {**understood(), "rank": Ordering(FITS, reads=reads)}
    assert planned(Part("stage/note", "note"), SERVING, stages, REQUESTS).obstacle == (
        "rank needs request.intent, request.topic; show needs request.topic"
    )


def test_columns_of_a_stage_that_goes_are_gone_for_those_after_it() -> None:
    class Scoring(Ordering):
        produces = frozenset({"candidate.rank_score"})

    stages = {
        "note": Noting(FITS),
        "find": Finding(FITS),
        "score": Scoring(FITS, reads={"note": "request.note"}),
        "show": Ordering(FITS, reads={"cap": "request.query", "score": "candidate.rank_score"}),
    }
    left = planned(Part("stage/note", "note"), REDESIGN, stages, REQUESTS)
    assert left.emptied == {"score"}
    assert left.switched_off == {"score": {"note"}, "show": {"score"}}


def test_what_finds_candidates_cannot_go_with_anything() -> None:
    class Asking(Finding):
        @property
        def pieces(self) -> Mapping[str, Piece]:
            return {name: Piece(f"retriever/{name}", frozenset({"request.note"})) for name in self.scores}

    stages = {"note": Noting(FITS), "find": Asking(FITS, ["near"])}
    left = planned(Part("stage/note", "note"), REDESIGN, stages, REQUESTS)
    assert left == Plan(obstacle="find would have nothing left")


def test_all_pieces_of_one_stage_are_that_stage() -> None:
    assert [part.name for part in parts_of({"note": Noting(FITS), "find": Finding(FITS, ["near"])})] == [
        "stage/note",
        "stage/find",
    ]
    assert [part.name for part in parts_of(understood())] == [
        "stage/note",
        "stage/find",
        "stage/rank",
        "stage/show",
        "classifier/intent",
        "classifier/topic",
    ]
    twice = {"find": Finding(FITS), "rank": understood()["rank"], "again": understood()["rank"]}
    assert [part.name for part in parts_of(twice)][-1] == "features/all"


def test_a_need_that_no_piece_explains() -> None:
    class Needy(Ordering):
        needs = frozenset({"request.note"})

    stages = {"note": Noting(FITS), "find": Finding(FITS), "full": Needy(FITS)}
    assert planned(Part("stage/note", "note"), REDESIGN, stages, REQUESTS).obstacle == (
        "full needs request.note"
    )


def test_only_a_ranker_before_another_one_is_there_to_save_work() -> None:
    assert [name for name in funnel() if trims(funnel(), name)] == ["light"]
