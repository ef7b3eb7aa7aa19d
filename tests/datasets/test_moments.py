"""Times of tables: against datetime, and every way in which one can be wrong."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlsd.datasets import moments
from mlsd.datasets.base import SourceFile
from mlsd.datasets.tables import Table, read_table
from mlsd.errors import InputError, InvalidValueError

MINUTES = st.datetimes(datetime(1990, 1, 1), datetime(2099, 12, 31)).map(  # noqa: DTZ001  (no zone is written)
    lambda time: time.replace(second=0, microsecond=0, tzinfo=UTC)
)
UNIX = "must be Unix time in seconds, from 1990-01-01 to 2100-01-01"
WRITTEN = "must be a time as M/D/YYYY H:MM, such as 9/26/2016 3:26, from 1990-01-01 to 2100-01-01"


def table(*times: str) -> Table:
    lines = "".join(f"{row}\t{time}\n" for row, time in enumerate(times))
    return read_table(SourceFile("feed/log", lines.encode()), "\t", ["row", "time"], header=False)


@given(st.lists(MINUTES, min_size=1))
def test_seconds_and_dates_are_those_of_datetime(times: list[datetime]) -> None:
    seconds = [time.timestamp() for time in times]
    assert (
        moments.unix_seconds(table(*[f"{one:.0f}" for one in seconds]), "time", "2100-01-01").tolist()
        == seconds
    )
    written = [f"{time.month}/{time.day}/{time.year} {time.hour}:{time.minute:02d}" for time in times]
    assert moments.written_seconds(table(*written), "time", "2100-01-01").tolist() == seconds


@pytest.mark.parametrize(
    ("time", "hint"),
    [
        ("", ""),
        ("soon", ""),
        ("nan", ""),
        ("1e30", ""),
        ("978300760000", "; it looks like milliseconds"),
        ("978300760000000", "; it looks like microseconds"),
        ("978300760000000000", "; it looks like nanoseconds"),
        ("16305012", "; it looks like minutes"),
        ("271750", "; it looks like hours"),
        ("11322", "; it looks like days"),
        ("4200000000", "; as seconds it is 2103-02-04"),
        ("-5", "; as seconds it is 1969-12-31"),
    ],
)
def test_what_is_no_unix_time_in_seconds_is_refused(time: str, hint: str) -> None:
    with pytest.raises(InputError) as refused:
        moments.unix_seconds(table("978300760", time), "time", "2100-01-01")
    assert str(refused.value) == f"values of time: 1, feed/log:2 {time!r}; {UNIX}{hint}"


@pytest.mark.parametrize(
    ("time", "hint"),
    [
        ("", ""),
        ("9/26/16 3:26", ""),
        ("2/30/2016 3:26", ""),
        ("9/26/2016 24:00", ""),
        ("9/26/1916 3:26", ""),
        ("9/26/2106 3:26", ""),
        ("26/9/2016 3:26", "; it looks like D/M/YYYY H:MM"),
        ("9/26/2016", "; it looks like M/D/YYYY"),
        ("2016-09-26 03:26:00", "; it looks like YYYY-MM-DD HH:MM:SS"),
        ("2016-09-26T03:26:00Z", "; it looks like YYYY-MM-DDTHH:MM:SSZ"),
        ("1474860360", "; it looks like Unix time in seconds"),
        ("1474860360000", "; it looks like Unix time in milliseconds"),
    ],
)
def test_what_is_no_written_time_is_refused(time: str, hint: str) -> None:
    with pytest.raises(InputError) as refused:
        moments.written_seconds(table("9/26/2016 3:26", time), "time", "2100-01-01")
    assert str(refused.value) == f"values of time: 1, feed/log:2 {time!r}; {WRITTEN}{hint}"


def test_the_latest_time_is_declared() -> None:
    assert moments.unix_seconds(table("978307200"), "time", "2001-01-01").tolist() == [978307200]
    with pytest.raises(InputError, match=r"from 1990-01-01 to 2001-01-01; as seconds it is 2001-01-01$"):
        moments.unix_seconds(table("978307201"), "time", "2001-01-01")
    with pytest.raises(InputError, match=r"from 1990-01-01 to 2016-09-26$"):
        moments.written_seconds(table("9/26/2016 0:01"), "time", "2016-09-26")


@pytest.mark.parametrize("value", ["2100-1-1", "soon", "1989-12-31", "2016-02-30", "", 2100])
def test_what_is_no_date_is_refused(value: str) -> None:
    assert moments.date("latest", "2016-09-26") == "2016-09-26"
    with pytest.raises(
        InvalidValueError, match=r"^latest == .*, must be a date as YYYY-MM-DD after 1990-01-01"
    ):
        moments.date("latest", value)
