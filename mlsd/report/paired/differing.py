"""What differs between the runs themselves: their configs, key by key, and what made them."""

from __future__ import annotations

from mlsd.report import numbers
from mlsd.report.page import Section, Table
from mlsd.report.paired.base import Difference, PairedComparison
from mlsd.report.sections.cells import columns, text_cell


def config(comparison: PairedComparison) -> Section:
    """What differs between the resolved configs."""
    found = comparison.config_differences
    n = len(found)
    said = f"{numbers.plural(n, 'key')} of the resolved configs {'is' if n == 1 else 'are'} not the same."
    lead = said if found else "The resolved configs are the same."
    return Section("config", "Configs", lead, _difference_tables(comparison, found))


def provenance(comparison: PairedComparison) -> Section:
    """What differs between what made the runs."""
    found = comparison.provenance_differences
    lead = (
        "Code, packages and machines of the runs differ in these."
        if found
        else "Code, packages, seeds and the type of machine are the same."
    )
    return Section("provenance", "Provenance", lead, _difference_tables(comparison, found))


def _difference_tables(comparison: PairedComparison, found: tuple[Difference, ...]) -> tuple[Table, ...]:
    if not found:
        return ()
    rows = tuple(
        (text_cell(one.key), *(text_cell(value_text(value)) for value in one.values)) for one in found
    )
    return (Table(columns("key", *comparison.names, words=comparison.names), rows),)


def value_text(value: object) -> str:
    """A value of a config as YAML would have it.

    Example:
        >>> value_text(None), value_text(True), value_text(["a", 1]), value_text(0.5)
        ('null', 'true', '[a, 1]', '0.5')
    """
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return f"[{', '.join(map(value_text, value))}]"
    return numbers.one_line(value)
