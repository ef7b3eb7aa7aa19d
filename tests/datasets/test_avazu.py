"""Avazu's lines: with a header and without, hours as days, users, and refused line by line."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from mlsd.datasets.avazu import CATEGORIES, COLUMNS, NO_DEVICE, Avazu
from mlsd.errors import InputError

HEADER = ",".join(COLUMNS) + "\n"


def line(click: str = "0", hour: str = "14102100", device: str = "d", ip: str = "i", model: str = "m") -> str:
    named = {"id": "18446744073709551615", "click": click, "hour": hour, "device_id": device}
    named |= {"device_ip": ip, "device_model": model}
    return ",".join(named.get(name, "x") for name in COLUMNS) + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ads").mkdir()
    return tmp_path / "ads"


def write(folder: Path, text: str, place: str = "train.csv") -> None:
    (folder / place).write_text(text, encoding="utf-8", newline="")


def test_with_and_without_a_header(folder: Path) -> None:
    rows = line("1") + line("0") + line("1")
    for text in (HEADER + rows, rows):
        write(folder, text)
        log = Avazu(folder).read()
        assert log.label.tolist() == [1, 0, 1]
        assert list(log.categorical) == list(CATEGORIES)


def test_hours_are_days_since_the_first_midnight(folder: Path) -> None:
    hours = ["14103123", "14110100", "14102906", "14103012"]
    write(folder, HEADER + "".join(line(hour=hour) for hour in hours))
    write(folder, line(hour="14110206"), "test.csv")
    log = Avazu(folder, validation_share=0.25).read()
    assert log.start == "2014-10-29"
    assert log.time_days is not None
    np.testing.assert_allclose(log.time_days, [0.25, 1.5, 2 + 23 / 24, 3, 4.25])
    assert log.splits == {"train": slice(0, 3), "validation": slice(3, 4), "test": slice(4, 5)}


def test_users_are_devices_or_addresses_with_models(folder: Path) -> None:
    write(
        folder,
        HEADER
        + line(device="d1", ip="i1")
        + line(device=NO_DEVICE, ip="i1", model="m1")
        + line(device="d1", ip="i2", model="m1")
        + line(device=NO_DEVICE, ip="i1", model="m2")
        + line(device="d2", ip="i1", model="m1"),
    )
    write(folder, line(device=NO_DEVICE, ip="i1", model="m2") + line(device="d3", ip="i1"), "test.csv")
    users = Avazu(folder, validation_share=0).read().user
    assert users is not None
    assert pd.factorize(users)[0].tolist() == [0, 1, 0, 2, 3, 2, 4]
    assert sorted(set(users.tolist())) == list(range(5))


def test_ids_without_end_are_hashed(folder: Path) -> None:
    write(folder, HEADER + "".join(line(ip=f"i{row}") for row in range(10)))
    column = Avazu(folder, hashed={"device_ip": 8}, min_count=5).read().categorical["device_ip"]
    assert column.cardinality == 8
    assert len(set(column.codes.tolist())) > 1


HOUR = "must be a date and hour as yymmddHH, such as 14102100"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "ads/train.csv is empty"),
        (HEADER, "ads/train.csv has no rows below its header"),
        (
            HEADER.replace(",click,", ",clik,"),
            "ads/train.csv:1 lacks click; a header must be "
            + HEADER.strip()
            + "; 'clik' is nearest to 'click'",
        ),
        (
            HEADER.replace("id,click", "click,id", 1),
            "ads/train.csv:1 has columns in another order, or more; a header must be " + HEADER.strip(),
        ),
        (HEADER + line() + line("3"), "values of click: 1, ads/train.csv:3 '3'; a label must be 0 or 1"),
        (line() + line("click"), "values of click: 1, ads/train.csv:2 'click'; a label must be 0 or 1"),
        (
            HEADER + line() + "1,0,14102100\n",
            "ragged lines: 1, ads/train.csv:3 '1,0,14102100'; each must have 24 fields, cut by comma",
        ),
        (line(hour="141021"), f"values of hour: 1, ads/train.csv:1 '141021'; {HOUR}"),
        (line(hour="14102124"), f"values of hour: 1, ads/train.csv:1 '14102124'; {HOUR}"),
        (line() + line(hour="14023000"), f"values of hour: 1, ads/train.csv:2 '14023000'; {HOUR}"),
        (line() + line(hour="2014-10-"), f"values of hour: 1, ads/train.csv:2 '2014-10-'; {HOUR}"),
    ],
)
def test_what_is_malformed_is_refused_at_its_line(folder: Path, text: str, message: str) -> None:
    write(folder, text)
    with pytest.raises(InputError) as refused:
        Avazu(folder).read()
    assert str(refused.value) == message


def test_another_delimiter_is_named(folder: Path) -> None:
    write(folder, line().replace(",", ";"))
    with pytest.raises(
        InputError, match="has 1 fields, must have 24, cut by comma; it is cut so by semicolon"
    ):
        Avazu(folder).read()


def test_training_rows_must_be_there(folder: Path) -> None:
    write(folder, line(), "trian.csv")
    assert Avazu(folder).missing_files() == "ads has no [NAME.]train.csv[.gz]; nearest is 'trian.csv'"


def test_a_zip_that_ends_early_is_refused(folder: Path) -> None:
    (folder / "train.csv.gz").write_bytes(gzip.compress(line().encode() * 99)[:-9])
    with pytest.raises(InputError, match=r"^cannot read ads/train\.csv\.gz: Compressed file ended"):
        Avazu(folder).read()


def test_the_sample_is_what_pandas_reads(public_data: Path) -> None:
    """Published: 8,087, 480 and 432 rows; click rates of 17.3, 17.9 and 18.5%."""
    folder = public_data / "avazu-sample"
    log = Avazu(folder, min_count=2).read()
    rates = {split: round(float(log.label[rows].mean()), 3) for split, rows in log.splits.items()}
    assert rates == {"train": 0.173, "validation": 0.179, "test": 0.185}
    assert log.start == "2014-10-21"
    assert log.time_days is not None
    assert not log.time_days.any()
    files = {"train": ("train.csv", 1), "validation": ("valid.csv", 0), "test": ("test.csv", 0)}
    theirs = {
        split: pd.read_csv(folder / place, names=list(COLUMNS), skiprows=skip, dtype=str)
        for split, (place, skip) in files.items()
    }
    assert {split: len(table) for split, table in theirs.items()} == {
        "train": 8_087, "validation": 480, "test": 432
    }  # fmt: skip
    for name in CATEGORIES:
        counts = theirs["train"][name].value_counts()
        known = sorted(counts[counts >= 2].index)
        assert log.categorical[name].vocabulary.tolist() == known
        code = {value: number for number, value in enumerate(known, start=1)}
        for split, rows in log.splits.items():
            assert log.categorical[name].codes[rows].tolist() == [code.get(v, 0) for v in theirs[split][name]]
