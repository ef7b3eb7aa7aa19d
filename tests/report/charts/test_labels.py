from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from mlsd.report.charts.labels import Box, Labels
from mlsd.report.charts.svg import Canvas

PLACES = st.lists(st.tuples(st.integers(0, 300), st.integers(0, 200)), min_size=1, max_size=15)


def test_words_stand_to_the_right_where_there_is_room() -> None:
    canvas = Canvas(300, 200)
    assert Labels(canvas, [(50, 100, 8)]).write((50, 100), "here")
    (text,) = canvas.paper.texts
    assert text.get_position()[0] > 57


def test_words_leave_the_canvas_on_no_side() -> None:
    canvas = Canvas(100, 200)
    assert Labels(canvas, [(98, 100, 8)]).write((98, 100), "here")
    assert canvas.paper.texts[0].get_position()[0] < 91
    assert not Labels(canvas, [(50, 100, 8)]).write((50, 100), "words that are far too long for that" * 3)


def test_a_line_is_left_uncovered() -> None:
    canvas = Canvas(300, 200)
    labels = Labels(canvas, [(50, 100, 8)])
    labels.keep_off([(0, 100), (300, 100)])
    assert labels.write((50, 100), "here")
    (text,) = canvas.paper.texts
    assert abs(text.get_position()[1] - 100) > 7


@given(PLACES)
def test_nothing_covers_anything(places: list[tuple[int, int]]) -> None:
    labels = Labels(Canvas(300, 200), [(x, y, 6.0) for x, y in places])
    marks = len(labels.taken)
    for x, y in places:
        labels.write((x, y), "some words")
    words = labels.taken[marks:]
    assert not any(one.meets(other) for one, other in combinations(words, 2))
    assert not any(one.meets(mark) for one in words for mark in labels.taken[:marks])


def test_boxes_that_touch_do_not_meet() -> None:
    assert not Box(0, 0, 2, 2).meets(Box(0, 2, 2, 4))
