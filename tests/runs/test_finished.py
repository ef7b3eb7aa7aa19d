"""A finished run at work on requests of a user's own, and what it refuses."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from omegaconf import DictConfig, OmegaConf

import mlsd
from mlsd.cli import main
from mlsd.config.build import build
from mlsd.errors import ConfigError, InputError
from mlsd.runs.finished import FinishedRun
from mlsd.store import load_requests
from mlsd.types import Requests


@pytest.fixture(scope="module")
def logged(small_run: FinishedRun) -> Requests:
    """Requests that the run was evaluated on."""
    tested = pd.read_parquet(small_run.folder / "offline" / "per_request.parquet")["request_id"]
    requests = load_requests(small_run.folder / "log" / "requests.parquet")
    return requests.take(np.isin(requests.request_id, tested))


@pytest.fixture
def copied(small_run: FinishedRun, tmp_path: Path) -> Path:
    """A copy of the run that may be tampered with."""
    return Path(shutil.copytree(small_run.folder, tmp_path / "copied"))


def table_of(requests: Requests) -> pd.DataFrame:
    columns = ["request_id", "user", "time_days", "query"]
    return pd.DataFrame({name: requests[name] for name in columns})


def ndcg(grades: np.ndarray, ideal: np.ndarray) -> float:
    """By hand: linear gain, ten positions, the ideal over the whole catalog."""
    discounts = 1 / np.log2(np.arange(2, 12))
    best = np.sort(ideal)[::-1][:10]
    return float((grades * discounts[: len(grades)]).sum() / (best * discounts[: len(best)]).sum())


def test_it_ranks_as_it_did_when_it_was_evaluated(small_run: FinishedRun, logged: Requests) -> None:
    """The figures of the run come out of `rank`, recomputed by hand from the world's truth."""
    config = OmegaConf.load(small_run.folder / "config.yaml")
    assert isinstance(config, DictConfig)
    world = build(config).world
    judged, item_id = world.judgements(logged), world.catalog.item_id
    ranked = mlsd.load(small_run.folder).rank(table_of(logged)).groupby("request_id")
    reached = {}
    for row, request_id in enumerate(logged.request_id.tolist()):
        of_request = slice(judged.offsets[row], judged.offsets[row + 1])
        grade = dict(zip(item_id[judged.items[of_request]], judged.grades[of_request], strict=True))
        shown = ranked.get_group(request_id)["item_id"]
        if grade:
            grades = np.array([grade.get(item, 0.0) for item in shown])
            reached[request_id] = ndcg(grades, np.array(list(grade.values())))
    evaluated = pd.read_parquet(small_run.folder / "offline" / "per_request.parquet").set_index("request_id")
    expected = evaluated["funnel.nDCG@10"].dropna()
    assert len(expected) > 50
    np.testing.assert_allclose([reached[request_id] for request_id in expected.index], expected, atol=1e-12)


def test_a_slate_is_rows_in_order(small_run: FinishedRun) -> None:
    ranked = small_run.rank(["one", "two words"])
    assert list(ranked.columns) == ["request_id", "position", "item_id", "score"]
    assert ranked["request_id"].tolist() == [0] * 10 + [1] * 10
    assert ranked["position"].tolist() == [*range(10), *range(10)]
    for _, slate in ranked.groupby("request_id"):
        assert slate["score"].is_monotonic_decreasing
        assert slate["item_id"].is_unique


def test_texts_are_a_table_of_one_column(small_run: FinishedRun) -> None:
    texts = ["one", "", "two words"]
    pd.testing.assert_frame_equal(small_run.rank(texts), small_run.rank(pd.DataFrame({"query": texts})))
    pd.testing.assert_frame_equal(small_run.rank(texts), small_run.rank(iter(texts)))


def test_a_request_is_ranked_the_same_whatever_is_asked_beside_it(
    small_run: FinishedRun, logged: Requests
) -> None:
    table = table_of(logged)
    together = small_run.rank(table)
    alone = [small_run.rank(table.iloc[[row]]) for row in range(0, len(table), 40)]
    for part in alone:
        whole = together[together["request_id"] == part["request_id"].iloc[0]].reset_index(drop=True)
        pd.testing.assert_frame_equal(part, whole)


def test_ids_of_ones_own_come_back(small_run: FinishedRun) -> None:
    table = pd.DataFrame({"request_id": ["b", "a"], "query": ["one", "two"]}, index=[7, 7])
    assert small_run.rank(table)["request_id"].unique().tolist() == ["b", "a"]


def test_no_request_gives_an_empty_table_of_the_same_kind(small_run: FinishedRun) -> None:
    some = small_run.rank(pd.DataFrame({"request_id": ["a"], "query": ["one"]}))
    none = small_run.rank(
        pd.DataFrame({"request_id": pd.Series([], dtype=some["request_id"].dtype), "query": []})
    )
    assert len(none) == 0
    pd.testing.assert_series_equal(none.dtypes, some.dtypes)
    assert len(small_run.rank([])) == 0


def test_words_that_nobody_ever_used_find_what_is_popular(small_run: FinishedRun) -> None:
    strange, empty = (small_run.rank([text]) for text in ("qqqq zzzz", ""))
    assert len(strange) == len(empty) == 10
    assert np.isfinite(strange["score"]).all()


def test_somebody_new_is_as_somebody_unknown(small_run: FinishedRun, logged: Requests) -> None:
    text = str(logged["query"][0])
    unknown = int(load_requests(small_run.folder / "log" / "requests.parquet").user.max()) + 1
    asked = {
        "nobody": pd.DataFrame({"query": [text]}),
        "new": pd.DataFrame({"query": [text], "user": [unknown]}),
        "far": pd.DataFrame({"query": [text], "user": [2**62]}),
        "negative": pd.DataFrame({"query": [text], "user": [-5]}),
    }
    ranked = {name: small_run.rank(table) for name, table in asked.items()}
    for name in ("new", "far", "negative"):
        pd.testing.assert_frame_equal(ranked[name], ranked["nobody"], obj=name)


def test_numbers_may_come_as_any_type_that_holds_them(small_run: FinishedRun) -> None:
    plain = pd.DataFrame({"query": ["one"], "user": [3], "time_days": [20.5]})
    for dtype in ("Int64", "float64", "object", "int8"):
        pd.testing.assert_frame_equal(small_run.rank(plain.astype({"user": dtype})), small_run.rank(plain))


@pytest.mark.parametrize(
    ("table", "message"),
    [
        (pd.DataFrame({"qurey": ["one"]}), "requests have no column 'query'; nearest is 'qurey'"),
        (pd.DataFrame({"x": ["one"]}), "requests have no column 'query'"),
        (pd.DataFrame({"query": ["one", 2]}), "query of request 1 == 2, must be text"),
        (pd.DataFrame({"query": ["one", None]}), "query of request 1 == nan, must be text"),
        (
            pd.DataFrame({"query": ["one", "two"], "request_id": [4, 4]}),
            "request_id == 4 stands there twice, must be unique",
        ),
        (
            pd.DataFrame({"query": ["one", "two"], "request_id": ["a", None]}),
            "request_id of request 1 is missing",
        ),
        (
            pd.DataFrame({"query": ["one"], "user": ["ann"]}),
            "user of request 0 == 'ann', must be a number",
        ),
        (
            pd.DataFrame({"query": ["one"], "user": [1.5]}),
            "user of request 0 == 1.5, must be an integer",
        ),
        (
            pd.DataFrame({"query": ["one", "two"], "user": pd.array([1, None], dtype="Int64")}),
            "user of request 1 == <NA>, must be an integer",
        ),
        (
            pd.DataFrame({"query": ["one"], "time_days": [np.inf]}),
            "time_days of request 0 == inf, must be a number",
        ),
        (
            pd.DataFrame({"query": ["one", "two"], "time_days": [2.0, -1.0]}),
            "time_days of request 1 == -1.0, must be days since the start of the run's log, from 0 to 3671",
        ),
        (
            pd.DataFrame({"query": ["one"], "time_days": [1_700_000_000]}),
            (
                "time_days of request 0 == 1700000000, must be days since the start of the run's log, "
                "from 0 to 3671; it looks like Unix time in seconds"
            ),
        ),
    ],
)
def test_what_cannot_be_ranked_is_said(small_run: FinishedRun, table: pd.DataFrame, message: str) -> None:
    with pytest.raises(InputError) as raised:
        small_run.rank(table)
    assert str(raised.value) == message


def test_one_text_is_no_list_of_letters(small_run: FinishedRun) -> None:
    with pytest.raises(InputError, match=r"requests == 'one', must be a table or a list of texts"):
        small_run.rank("one")


def test_a_folder_that_is_no_run(tmp_path: Path) -> None:
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InputError, match=r"holds no finished run: it has no metrics\.json"):
            mlsd.load(folder)


def test_neither_the_store_nor_the_world_is_needed(copied: Path) -> None:
    """A run can be moved to another machine: all that serving needs is in its folder."""
    config = OmegaConf.load(copied / "config.yaml")
    config.world = {"_target_": "mlsd.worlds.beir.BeirWorld", "path": "gone"}
    config.store = {"folder": "gone"}
    OmegaConf.save(config, copied / "config.yaml")
    assert len(mlsd.load(copied).rank(["one"])) == 10


def _write(folder: Path, change: Callable[[DictConfig], None]) -> None:
    config = OmegaConf.load(folder / "config.yaml")
    assert isinstance(config, DictConfig)
    change(config)
    OmegaConf.save(config, folder / "config.yaml")


def test_a_foreign_class_in_the_config_is_refused(copied: Path) -> None:
    def tamper(config: DictConfig) -> None:
        config.funnel.stages.light_rank = {"_target_": "os.system", "command": f"touch {copied}/owned"}

    _write(copied, tamper)
    with pytest.raises(
        ConfigError, match=r"funnel\.stages\.light_rank\._target_ == 'os\.system': must begin"
    ):
        mlsd.load(copied).rank(["one"])
    assert not (copied / "owned").exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "a: !!python/object/apply:os.getcwd []",
            r"cannot read .*config\.yaml: could not determine a constructor",
        ),
        ("a: [", r"cannot read .*config\.yaml: while parsing"),
        ("- a", r"cannot read .*config\.yaml: it is no mapping"),
        ("", r"problem == '\?\?\?': must be a mapping"),
        ("funnel: ${nowhere}", r"funnel == '\$\{nowhere\}': no such key: nowhere"),
    ],
)
def test_a_config_that_is_none(copied: Path, text: str, message: str) -> None:
    (copied / "config.yaml").write_text(text, encoding="utf-8")
    with pytest.raises((InputError, ConfigError), match=message):
        mlsd.load(copied).rank(["one"])


def test_pickled_objects_in_a_state_are_refused(copied: Path) -> None:
    class Evil:
        def __reduce__(self) -> tuple[object, ...]:
            return Path.touch, (copied / "owned",)

    with (copied / "stages" / "retrieve" / "state.npz").open("wb") as file:
        np.savez(file, terms=np.array([Evil()], dtype=object))
    with pytest.raises(
        InputError, match=r"cannot read .*retrieve/state\.npz: Object arrays cannot be loaded"
    ):
        mlsd.load(copied).rank(["one"])
    assert not (copied / "owned").exists()


@pytest.mark.parametrize(
    ("file", "message"),
    [
        ("stages/full_rank/state.npz", r"cannot read .*full_rank/state\.npz: "),
        ("stages/full_rank/curves.json", r"cannot read .*full_rank/curves\.json: "),
        ("catalog.parquet", r"cannot read .*catalog\.parquet: "),
        ("log/requests.parquet", r"cannot read .*requests\.parquet: "),
    ],
)
@pytest.mark.parametrize("half", [True, False])
def test_a_file_that_is_cut_off_or_gone_is_named(
    copied: Path, file: str, message: str, *, half: bool
) -> None:
    content = (copied / file).read_bytes()
    (copied / file).unlink()
    if half:
        (copied / file).write_bytes(content[: len(content) // 2])
    with pytest.raises(InputError, match=message):
        mlsd.load(copied).rank(["one"])


def test_a_state_that_does_not_fit_the_config_is_said(copied: Path) -> None:
    shutil.copyfile(copied / "stages/light_rank/state.npz", copied / "stages/retrieve/state.npz")
    with pytest.raises(
        InputError, match=r"stages/retrieve does not fit config\.yaml: its state has no '\w+'"
    ):
        mlsd.load(copied).rank(["one"])


class TestScore:
    """`mlsd score`, the same on the command line."""

    @pytest.fixture
    def requests(self, tmp_path: Path) -> Path:
        table = pd.DataFrame({"request_id": ["a", "b"], "query": ["one", "two words"]})
        table.to_parquet(tmp_path / "requests.parquet")
        return tmp_path / "requests.parquet"

    def test_prints_tab_separated_lines(
        self, small_run: FinishedRun, requests: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["score", str(small_run.folder), str(requests)]) == 0
        expected = small_run.rank(pd.read_parquet(requests)).to_csv(sep="\t", index=False)
        assert capsys.readouterr().out == expected

    def test_writes_a_table_whole(
        self, small_run: FinishedRun, requests: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        out = requests.parent / "deep" / "ranked.parquet"
        assert main(["score", str(small_run.folder), str(requests), "--out", str(out)]) == 0
        assert capsys.readouterr().out == f"20 rows written to {out}\n"
        pd.testing.assert_frame_equal(pd.read_parquet(out), small_run.rank(pd.read_parquet(requests)))
        assert [path.name for path in out.parent.iterdir()] == ["ranked.parquet"]

    @pytest.mark.parametrize(
        ("table", "message"),
        [
            (pd.DataFrame({"qurey": ["one"]}), "requests have no column 'query'; nearest is 'qurey'"),
            (pd.DataFrame({"query": [1]}), "query of request 0 == 1, must be text"),
        ],
    )
    def test_mistakes_are_one_line(
        self,
        small_run: FinishedRun,
        tmp_path: Path,
        capsys: pytest.CaptureFixture[str],
        table: pd.DataFrame,
        message: str,
    ) -> None:
        table.to_parquet(tmp_path / "requests.parquet")
        out = tmp_path / "ranked.parquet"
        code = main(["score", str(small_run.folder), str(tmp_path / "requests.parquet"), "--out", str(out)])
        assert (code, capsys.readouterr().err) == (2, f"mlsd: {message}\n")
        assert not out.exists()

    def test_a_broken_run_is_one_line(
        self, copied: Path, requests: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        (copied / "stages" / "retrieve" / "state.npz").write_bytes(b"half")
        assert main(["score", str(copied), str(requests)]) == 2
        assert capsys.readouterr().err.count("\n") == 1
