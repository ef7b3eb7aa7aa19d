from __future__ import annotations

import re
from functools import cache

import pytest

from mlsd.config.check import TORCH, examine
from mlsd.config.compose import compose_overrides
from mlsd.report.comparison import compared
from mlsd.report.design_document import Design, design_of, diagram, markdown
from mlsd.report.document import to_html


@cache
def design(*overrides: str) -> Design:
    examined = examine(compose_overrides(["problem=search", *overrides]).required(), TORCH)
    assert examined.faults == ()
    return design_of(examined.values, examined.sections)


def test_every_chapter_is_there_and_nothing_is_undefined() -> None:
    text = markdown(design())
    chapters = re.findall(r"^## \d\. (.*)$", text, re.MULTILINE)
    assert chapters == [
        "Problem",
        "Goals and metrics",
        "Scale",
        "Funnel",
        "Training data",
        "Features",
        "Evaluation",
        "Monitoring and retraining",
    ]
    assert "None" not in text
    assert "object at 0x" not in text


def test_every_table_has_as_many_cells_in_every_row() -> None:
    for table in re.findall(r"(?:^\|.*\n)+", markdown(design()), re.MULTILINE):
        widths = {len(re.findall(r"(?<!\\)\|", row)) for row in table.splitlines()}
        assert len(widths) == 1, table


def test_numbers_are_those_of_the_config() -> None:
    text = markdown(design("problem.scale.n_items=123456789", "problem.scale.n_matching=5000"))
    assert "| How many items are there? | 123,456,789 | `problem.scale.n_items` |" in text
    assert "| retrieve | 5,000 | 300 |" in text


def test_keys_that_are_named_exist() -> None:
    text = markdown(design())
    keys = set(re.findall(r"`((?:problem|funnel|logging|online|bootstrap)(?:\.\w+)+)`", text))
    assert len(keys) > 20
    for key in keys:
        value: object = design().values
        for name in key.split("."):
            assert isinstance(value, dict)
            assert name in value, key
            value = value[name]


def test_the_diagram_shows_what_is_inside_and_what_is_passed_on() -> None:
    lines = diagram(design("funnel.skip=[light_rank]")).splitlines()
    said = [line for line in lines if line and line[0] != " "]
    assert said == [
        "a request",
        "rewrite      spelling + expansion + relaxation",
        "understand   Understand",
        "100,000,000 items",
        "retrieve     bm25 + two_tower + popularity",
        "full_rank    DCNv2",
        "display      XQuAD",
        "10 shown",
    ]


def test_a_stage_without_parts_has_its_own_parameters_in_the_document() -> None:
    (understand,) = (one for one in design().components if one.key.startswith("funnel.stages.understand"))
    assert (understand.key, understand.kind) == ("funnel.stages.understand", "Understand")
    assert understand.parameters["topic_from"] == "clicks"
    assert understand.summary


def test_skipped_stages_are_said() -> None:
    assert "Left out: light_rank (`funnel.skip`)." in markdown(design("funnel.skip=[light_rank]"))


def test_text_of_the_config_cannot_break_out() -> None:
    text = markdown(design("problem.purpose='<b>|x|</b> *loud* `code`'", "problem.actions.click='a|b'"))
    assert "<b>" not in text
    assert "<b>" not in to_html(text)
    assert r"a\|b" in text


def test_features_stand_in_their_families_without_those_switched_off() -> None:
    assert "authority" in design().families["item"]
    without = design("features.weekday=null")
    assert "weekday" not in without.families["context"]


def test_the_same_config_gives_the_same_bytes() -> None:
    assert markdown(design()) == markdown(design())


def test_only_what_differs_is_compared() -> None:
    text = compared({"100": design("problem.latency_ms=100"), "500": design("problem.latency_ms=500")})
    assert "| latency budget | 100 ms | 500 ms |" in text
    assert "| retrieve: candidates it could afford | 3,800,000 | 19,800,000 |" in text
    assert "| problem.latency_ms | 100 | 500 |" in text
    assert "n_items" not in text
    assert "cores" not in text


def test_designs_that_are_the_same() -> None:
    text = compared({"one": design(), "other": design()})
    assert text.count("Nothing differs.") == 2


@pytest.mark.parametrize("n_ranked", [200, 1000])
def test_the_funnel_follows_how_many_are_to_be_ranked(n_ranked: int) -> None:
    loads = {load.name: load for load in design(f"problem.scale.n_ranked={n_ranked}").loads}
    assert loads["retrieve"].n_out == n_ranked
    assert loads["light_rank"].n_in == n_ranked


def test_raters_are_told_what_grades_mean_where_there_are_any() -> None:
    text = markdown(design("labels=human", "labels.programme.guidelines=[a|b,c,d,e,f]"))
    assert "Raters are told (`labels.programme.guidelines`):" in text
    assert "| 0 | a\\|b |" in text
    assert "| `labels.programme.budget` | 3000 |" in text
    assert "- By raters, beside the truth: 3,000 ratings (`test_ratings.budget`)" in text
    without = markdown(design("ratings@test_ratings=none"))
    assert "Raters are told" not in without
    assert "By raters" not in without
