from __future__ import annotations

from typing import Any

import pytest

from mlsd.config.compose import compose_overrides
from mlsd.config.parts import Builder
from mlsd.config.resolve import resolve
from mlsd.problems.search import QueryKind, SearchProblem


def search(**changed: Any) -> tuple[SearchProblem, list[str]]:
    values = resolve(compose_overrides(["problem=search"]).required()).values["problem"]
    builder = Builder(("mlsd.",))
    made = builder.build("problem", {**values, **changed}, SearchProblem)
    return made, [str(fault) for fault in builder.faults]


def test_its_yaml_answers_the_questions_in_words() -> None:
    problem, faults = search()
    assert faults == []
    general, queries = problem.answers
    assert general.key == "problem.engine"
    assert general.text.startswith("General: ")
    assert "informational (50%): to learn about a topic" in queries.text


def test_shares_of_queries_add_up() -> None:
    assert search(query_kinds={"any": {"wants": "a", "example": "b", "share": 0.9}})[1] == [
        "problem.query_kinds == 0.9: shares must add up to 1."
    ]


def test_an_engine_is_general_or_specialised() -> None:
    assert search(engine="vertical")[1] == [
        "problem.engine == 'vertical': must be 'general' or 'specialised'."
    ]


@pytest.mark.parametrize(("share", "example"), [(1.5, "x"), (0.5, "")])
def test_a_kind_of_query_refuses(share: float, example: str) -> None:
    with pytest.raises(ValueError, match="must"):
        QueryKind(wants="a", example=example, share=share)
