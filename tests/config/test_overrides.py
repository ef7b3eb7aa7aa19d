"""Values as overrides write them, held against Hydra's own reading."""

from __future__ import annotations

import pytest
from hydra.core.override_parser.overrides_parser import OverridesParser
from hypothesis import given
from hypothesis import strategies as st

from mlsd.config.overrides import value_text
from mlsd.errors import InvalidValueError

NOT_TEXTS = {"true", "false", "null", "nan", "inf"}
NAMES = st.from_regex(r"[A-Za-z_][a-z0-9_./-]{0,4}", fullmatch=True).filter(
    lambda name: name.lower() not in NOT_TEXTS
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)
    | st.sampled_from(sorted(NOT_TEXTS))
    | st.text(st.characters(codec="ascii", min_codepoint=32), min_size=1, max_size=8).filter(
        lambda text: "${" not in text and text.strip() == text
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=6,
)  # fmt: skip


@given(VALUES)
def test_a_value_is_written_as_overrides_read_it(value: object) -> None:
    read = OverridesParser.create().parse_override(f"key={value_text(value)}").value()
    assert read == value
    assert type(read) is type(value)


@pytest.mark.parametrize("name", [*sorted(NOT_TEXTS), "NaN", "two words", "it's", "1st", "", 1])
def test_a_key_that_only_quotes_would_keep_is_refused(name: object) -> None:
    with pytest.raises(InvalidValueError, match="must be a plain word, as overrides quote no keys"):
        value_text([{"plain": {name: 1}}])
