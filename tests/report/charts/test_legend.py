from __future__ import annotations

from mlsd.report.charts.legend import LINE, Meaning, height_of, laid_out

MEANINGS = [Meaning("o", "accent", words) for words in ("a few words", "some more", "and yet others")]


def test_what_does_not_fit_goes_onto_the_next_line() -> None:
    wide, narrow = laid_out(MEANINGS, 900), laid_out(MEANINGS, 120)
    assert [entry.line for entry in wide] == [0, 0, 0]
    assert [entry.line for entry in narrow] == [0, 1, 2]
    assert {entry.x for entry in narrow} == {10.0}
    assert [entry.x for entry in wide] == sorted({entry.x for entry in wide})


def test_the_height_is_that_of_the_lines() -> None:
    assert height_of(laid_out(MEANINGS, 120)) == 3 * LINE
    assert height_of([]) == 0
