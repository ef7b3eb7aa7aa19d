"""Open Bandit's folders: by hand, against pandas, and refused line by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlsd.datasets.open_bandit import OpenBandit
from mlsd.errors import InputError, InvalidValueError

ITEMS = ",item_id,item_feature_0,item_feature_1\n0,10,-0.5,b\n1,9,1.5,a\n"
HEADER = (
    ",timestamp,item_id,position,click,propensity_score,user_feature_0,"
    "user-item_affinity_9,user-item_affinity_10"
)
ROWS = (
    "0,2019-11-25 06:00:00+00:00,10,1,0,0.25,u,1.0,0.5",
    "1,2019-11-24 12:00:00.500000+00:00,9,3,1,1.0,v,2.0,0.0",
    "2,2019-11-24 00:00:00+00:00,10,2,0,1e-3,u,0.0,3.0",
)
LOG, ITEM = "ads/random/men/men.csv", "ads/random/men/item_context.csv"


NAMED = (
    "a header, cut by comma, must name timestamp, item_id, position, click, propensity_score, user_feature_0"
)
ONCE = "each must be there once"
EACH = "each item must have an affinity"
ISO = "must be a date and time as in ISO 8601"
NINE = "each must have 9 fields, cut by comma"
RANGE = "must be a whole number, 1 or more"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ads" / "random" / "men").mkdir(parents=True)
    write(tmp_path / "ads", "men.csv", "\n".join([HEADER, *ROWS]))
    write(tmp_path / "ads", "item_context.csv", ITEMS)
    return tmp_path / "ads"


def write(folder: Path, place: str, text: str) -> None:
    (folder / "random" / "men" / place).write_text(text, encoding="utf-8", newline="")


def test_reads_what_was_shown_and_why(folder: Path) -> None:
    log = OpenBandit(folder, validation_share=0, test_share=0.3).read()
    assert log.name == "ads random"
    assert log.label.tolist() == [0, 1, 0]
    assert log.start == "2019-11-24"
    assert log.time_days is not None
    assert log.position is not None
    assert log.propensity is not None
    assert log.item is not None
    assert log.items is not None
    np.testing.assert_allclose(log.time_days, [0, 0.5 + 0.5 / 86_400, 1.25], rtol=1e-12)
    assert log.splits["test"] == slice(2, 3)
    assert log.items.item_id.tolist() == ["9", "10"]
    assert log.items["item_feature_0"].tolist() == [1.5, -0.5]
    assert log.item.tolist() == [1, 0, 1]
    assert log.position.tolist() == [1, 2, 0]
    assert log.propensity.tolist() == [1e-3, 1.0, 0.25]
    assert log.dense["affinity"].tolist() == [3.0, 2.0, 0.5]
    assert log.dense["user-item_affinity_9"].tolist() == [0.0, 2.0, 1.0]
    assert log.dense["item_feature_0"].tolist() == [-0.5, 1.5, -0.5]
    assert log.categorical["item_feature_1"].codes.tolist() == [2, 1, 2]
    assert log.categorical["item_id"].vocabulary.tolist() == ["10", "9"]
    assert log.categorical["user_feature_0"].vocabulary.tolist() == ["u", "v"]
    assert log.user is None


def test_the_column_of_line_numbers_may_be_missing_and_files_zipped(folder: Path) -> None:
    before = OpenBandit(folder).read()
    write(folder, "men.csv", "\n".join(text.partition(",")[2] for text in (HEADER, *ROWS)))
    (folder / "random" / "men" / "item_context.csv").unlink()
    (folder / "random" / "men" / "item_context.csv.gz").write_bytes(gzip.compress(ITEMS.encode()))
    after = dict(OpenBandit(folder).read().named_columns())
    for name, column in before.named_columns():
        np.testing.assert_array_equal(after[name], column)


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("timestamp", "time_stamp", f"{LOG}:1 lacks timestamp; nearest is 'time_stamp'; {NAMED}"),
        ("_affinity_9", "_affinity_10", f"{LOG}:1 has columns user-item_affinity_10 twice; {ONCE}"),
        ("_affinity_9", "_affinity_8", f"{LOG}:1 lacks user-item_affinity_9: {EACH}"),
        (",9,3,1,", ",9,3,2,", f"values of click: 1, {LOG}:3 '2'; a label must be 0 or 1"),
        (",9,3,1,", ",9,0,1,", f"values of position: 1, {LOG}:3 '0'; {RANGE}"),
        (",9,3,1,", ",9,1.5,1,", f"values of position: 1, {LOG}:3 '1.5'; {RANGE}"),
        (",9,3,1,", ",8,3,1,", f"values of item_id: 1, {LOG}:3 '8'; must be in {ITEM}"),
        (",9,3,1,", ",x,3,1,", f"values of item_id: 1, {LOG}:3 'x'; must be a whole number, 0 or more"),
        (",1e-3,", ",0,", f"values of propensity_score: 1, {LOG}:4 '0'; must be in (0, 1]"),
        (",0.25,", ",1.01,", f"values of propensity_score: 1, {LOG}:2 '1.01'; must be in (0, 1]"),
        (",0.25,", ",,", f"values of propensity_score: 1, {LOG}:2 ''; must be in (0, 1]"),
        (",v,2.0", ",v,two", f"values of user-item_affinity_9: 1, {LOG}:3 'two'; must be a number"),
        ("2019-11-25 06", "2019-31-25 06",
         f"values of timestamp: 1, {LOG}:2 '2019-31-25 06:00:00+00:00'; {ISO}"),
        (",u,0.0,3.0", ",u,0.0", f"ragged lines: 1, {LOG}:4 {ROWS[2][:-4]!r}; {NINE}"),
    ],
)  # fmt: skip
def test_what_is_malformed_is_refused_at_its_line(folder: Path, old: str, new: str, message: str) -> None:
    write(folder, "men.csv", "\n".join([HEADER, *ROWS]).replace(old, new, 1))
    with pytest.raises(InputError) as refused:
        OpenBandit(folder).read()
    assert str(refused.value) == message


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"{ITEM} is empty"),
        (ITEMS.partition("\n")[0], f"{ITEM} has no rows below its header"),
        (ITEMS.replace(",9,", ",10,"), f"item_ids that come again: 1, {ITEM}:3 10; each must be there once"),
        (ITEMS.replace("1.5", "much"), f"values of item_feature_0: 1, {ITEM}:3 'much'; must be a number"),
    ],
)
def test_items_are_described_once_each(folder: Path, text: str, message: str) -> None:
    write(folder, "item_context.csv", text)
    with pytest.raises(InputError) as refused:
        OpenBandit(folder).read()
    assert str(refused.value) == message


def test_an_empty_log_and_one_cut_short_are_refused(folder: Path) -> None:
    for text, message in (("", f"{LOG} is empty"), (HEADER, f"{LOG} has no rows below its header")):
        write(folder, "men.csv", text)
        with pytest.raises(InputError, match=f"^{message}$"):
            OpenBandit(folder).read()
    (folder / "random" / "men" / "men.csv").unlink()
    zipped = gzip.compress("\n".join([HEADER, *ROWS * 99]).encode())
    (folder / "random" / "men" / "men.csv.gz").write_bytes(zipped[:-9])
    with pytest.raises(InputError, match=rf"^cannot read {LOG}\.gz: Compressed file ended"):
        OpenBandit(folder).read()


def test_folders_that_are_not_there_are_named(folder: Path) -> None:
    assert OpenBandit(folder, campaign="men").missing_files() == ""
    assert (
        OpenBandit(folder, campaign="man").missing_files()
        == "ads/random: campaign == 'man', must be one of men; nearest is 'men'"
    )
    assert (
        OpenBandit(folder, policy="bts").missing_files()
        == "ads has no folder 'bts', which must hold a folder for each campaign"
    )
    with pytest.raises(
        InvalidValueError, match="policy == 'randm', must be one of random, bts; nearest is 'random'"
    ):
        OpenBandit(folder, policy="randm")
    (folder / "random" / "all").mkdir()
    assert OpenBandit(folder).missing_files() == "ads/random: campaign == '', must be one of all, men"
    (folder / "random" / "men" / "item_context.csv").unlink()
    assert "random/men/item_context.csv[.gz]" in OpenBandit(folder, campaign="men").missing_files()


@pytest.mark.parametrize(("policy", "n_clicks"), [("random", 46), ("bts", 69)])
def test_the_mens_campaign_is_what_pandas_reads(public_data: Path, policy: str, n_clicks: int) -> None:
    """Published: 10,000 impressions of 34 items; 1/34 is the propensity of the random policy."""
    folder = public_data / "obd-men" / policy / "men"
    log = OpenBandit(public_data / "obd-men", policy=policy).read()
    theirs = pd.read_csv(folder / "men.csv", index_col=0)
    theirs = theirs.sort_values(
        "timestamp", kind="stable", key=lambda column: pd.to_datetime(column, format="ISO8601")
    )
    items = pd.read_csv(folder / "item_context.csv", index_col=0).set_index("item_id")
    assert (len(log), int(log.label.sum()), log.start) == (10_000, n_clicks, "2019-11-24")
    assert log.items is not None
    assert len(log.items) == 34
    assert log.propensity is not None
    np.testing.assert_array_equal(log.label, theirs["click"])
    np.testing.assert_array_equal(log.item, theirs["item_id"])
    np.testing.assert_array_equal(log.position, theirs["position"] - 1)
    np.testing.assert_allclose(log.propensity, theirs["propensity_score"], rtol=1e-15)
    if policy == "random":
        np.testing.assert_allclose(log.propensity, 1 / 34)
    shown = [row[f"user-item_affinity_{row['item_id']}"] for row in theirs.to_dict("records")]
    np.testing.assert_allclose(log.dense["affinity"], shown, rtol=1e-6)
    np.testing.assert_allclose(
        log.dense["item_feature_0"], items.loc[theirs["item_id"], "item_feature_0"], rtol=1e-6
    )
    n_training = log.splits["train"].stop
    known = sorted(set(theirs["user_feature_1"][:n_training]))
    assert log.categorical["user_feature_1"].vocabulary.tolist() == known
