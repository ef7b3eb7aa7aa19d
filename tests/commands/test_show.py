from __future__ import annotations

import pytest

from mlsd.commands.show import find, groups, main
from mlsd.errors import MlsdError


def shown(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[str]:
    assert main(arguments) == 0
    return capsys.readouterr().out.splitlines()


def test_groups_are_listed_with_what_they_hold(capsys: pytest.CaptureFixture[str]) -> None:
    lines = {line.split()[0]: line for line in shown(capsys)}
    assert {"rankers", "losses", "worlds", "problems", "metrics", "features", "retrievers"} <= set(lines)
    assert lines["losses"].split(None, 1)[1] == "bce, lambdarank, softmax"


def test_a_group_has_a_line_for_each_option(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "rankers")
    assert lines[0] == "ranker="
    assert any(line.startswith("  dcn_v2 ") and "Deep & Cross Network" in line for line in lines)


def test_classes_without_yaml_are_listed_too(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "features")
    assert "in mlsd.features" in lines
    assert any(line.startswith("  ItemColumn ") for line in lines)


def test_options_without_a_class_are_said_by_their_comment(capsys: pytest.CaptureFixture[str]) -> None:
    lines = shown(capsys, "funnels")
    assert any("Three ways to find candidates" in line for line in lines)


@pytest.mark.parametrize("group", groups())
def test_every_group_can_be_shown_and_every_line_says_something(
    group: str, capsys: pytest.CaptureFixture[str]
) -> None:
    for line in shown(capsys, group):
        assert line.endswith("=") or line.startswith("in ") or len(line.split(None, 1)) == 2, line


@pytest.mark.parametrize(("name", "group"), [("ranker", "rankers"), ("loss", "losses"), ("labels", "labels")])
def test_singular_or_plural(name: str, group: str) -> None:
    assert find(name) == group


def test_an_unknown_group_is_told_the_nearest() -> None:
    with pytest.raises(MlsdError, match=r"no group 'rankres'; did you mean 'rankers'\?"):
        main(["rankres"])
    with pytest.raises(MlsdError, match="no group 'xyz'; there are "):
        main(["xyz"])
