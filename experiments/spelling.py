"""How well does spelling correction do on errors that people made?

`mlsd.rewriters.spelling` on Norvig's two test sets and on the Wikipedia and Birkbeck lists, one word at a
time and without any context, beside the figures of Norvig's own program. The dictionary is SymSpell's
published list of 82,765 English words with their counts; nothing is learnt from misspellings. The costs of
errors were set by hand and then tuned on testset1 alone, before any of the other three was looked at.

    python experiments/spelling.py --data DIR

DIR holds the five files named below. Results go to experiments/results/spelling.{json,md}. What is counted:

- accuracy at 1: pairs whose best reading, however unsure, is what was meant; a word of the dictionary is
  read as
  itself, as in Norvig's program. At 5: what was meant is among the five best. Case does not count.
- unseen: the same at 1, without the pairs that testset1 has as well.
- changed, right of changed: what the stage does with its thresholds: pairs that it changes at all, and
  those of them
  that it changes into what was meant.
- false corrections: correct words (the different words meant) that the stage changes, also of those that the
  dictionary does not have.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from mlsd.datasets.spelling import Misspellings, WordCounts, read_counts, read_lists, read_test_set
from mlsd.rewriters.spelling import Spelling
from mlsd.rewriters.spelling.language import Language
from mlsd.text import learn_words

RESULTS = Path(__file__).resolve().parent / "results"

COUNTS = "frequency_dictionary_en_82_765.txt"
Z = 1.959964

Report = dict[str, dict[str, Any]]


class Source(NamedTuple):
    """A set of misspellings."""

    place: str
    """Its file."""
    norvig: float
    """Accuracy at 1 of Norvig's program with his own dictionary, as published by a re-run of it."""
    tuned_on: bool
    """Whether the costs of errors were tuned on it."""


SOURCES = {
    "testset1": Source("spell-testset1.txt", 0.75, tuned_on=True),
    "testset2": Source("spell-testset2.txt", 0.68, tuned_on=False),
    "wikipedia": Source("wikipedia.dat", 0.61, tuned_on=False),
    "birkbeck": Source("missp.dat", 0.31, tuned_on=False),
}


def main() -> None:
    """Read, judge, write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--data", type=Path, required=True, help="folder of the five files")
    parser.add_argument("--out", type=Path, default=RESULTS, help="folder of the results")
    options = parser.parse_args()
    spelling = made_of(read_counts(options.data, COUNTS))
    pairs = {name: read(options.data, source) for name, source in SOURCES.items()}
    tuned_on = {pair for name, source in SOURCES.items() if source.tuned_on for pair in told(pairs[name])}
    report: Report = {name: judged(spelling, one, tuned_on) for name, one in pairs.items()}
    options.out.mkdir(parents=True, exist_ok=True)
    (options.out / "spelling.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    page = as_markdown(report)
    (options.out / "spelling.md").write_text(page, encoding="utf-8")
    print(page)


def read(folder: Path, source: Source) -> Misspellings:
    """The pairs of a source."""
    if source.place.endswith(".dat"):
        return read_lists(folder, source.place)
    return read_test_set(folder, source.place)


def told(pairs: Misspellings) -> list[tuple[str, str]]:
    """Typed and meant, without case."""
    return list(zip(np.char.lower(pairs.typed).tolist(), np.char.lower(pairs.meant).tolist(), strict=True))


def made_of(counts: WordCounts) -> Spelling:
    """A spelling rewriter whose dictionary is a list, cut into words as texts: `don't` is `don` and `t`."""
    words, coded = learn_words(counts.words.tolist())
    of_list = np.repeat(counts.counts, np.diff(coded.offsets))
    totals = np.bincount(coded.ids, of_list, len(words)).astype(np.int64)
    spelling = Spelling()
    spelling.load_state(Language.of_counts(words, totals, spelling.pair_prior).state())
    return spelling


def judged(spelling: Spelling, pairs: Misspellings, tuned_on: set[tuple[str, str]]) -> dict[str, Any]:
    """Every figure of one source; `tuned_on` are the pairs that the costs of errors have seen."""
    typed, meant = np.char.lower(pairs.typed), np.char.lower(pairs.meant)
    readings = [[text for text, _ in spelling.suggest(one, 5)] for one in typed.tolist()]
    at_1 = np.array([found[0] == right for found, right in zip(readings, meant, strict=True)])
    at_5 = np.array([right in found for found, right in zip(readings, meant, strict=True)])
    passed = np.array(spelling.rewrite(typed.tolist()).texts, str)
    changed, right = passed != typed, passed == meant
    correct = np.unique(meant)
    unseen = np.array([pair not in tuned_on for pair in told(pairs)])
    false = np.array(spelling.rewrite(correct.tolist()).texts, str) != correct
    known = np.isin(meant, spelling.state()["words"])
    return {
        "n_pairs": len(typed),
        "accuracy_at_1": share(at_1),
        "accuracy_at_5": share(at_5),
        "accuracy_at_1_of_unseen": share(at_1[unseen]),
        "meant_in_dictionary": share(known),
        "typed_in_dictionary": share(np.isin(typed, spelling.state()["words"])),
        "changed": share(changed),
        "right_of_changed": share(right[changed]),
        "n_correct_words": len(correct),
        "false_corrections": share(false),
        "false_corrections_in_dictionary": share(false[np.isin(correct, spelling.state()["words"])]),
    }


def share(done: Sequence[bool] | np.ndarray[Any, np.dtype[np.bool_]]) -> dict[str, float] | None:
    """A share with its 95 % interval by Wilson (1927); None of nothing."""
    if not len(done):
        return None
    n, p = len(done), float(np.mean(done))
    centre, half = p + Z**2 / (2 * n), Z * np.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
    low, high = (centre + np.array([-half, half])) / (1 + Z**2 / n)
    return {"value": p, "low": float(low), "high": float(high)}


def as_markdown(report: Mapping[str, Mapping[str, Any]]) -> str:
    """The tables of the page."""
    head = [
        "set",
        "pairs",
        "Norvig, at 1",
        "at 1",
        "at 1, unseen",
        "at 5",
        "changed",
        "right of changed",
        "false corrections",
    ]
    rows = [_row(name, figures) for name, figures in report.items()]
    lines = [_line(head), _line(["---"] * len(head)), *map(_line, rows)]
    note = (
        "Shares in %, with 95 % intervals of Wilson. False corrections: of the set's correct words;\n"
        "in brackets, of those that the dictionary has. Costs of errors were tuned on the set marked *\n"
        "alone; unseen are the pairs of the others that it does not have, too."
    )
    return "\n".join([*lines, "", note, ""])


def _row(name: str, figures: Mapping[str, Any]) -> list[str]:
    source = SOURCES[name]
    known = f"{100 * figures['false_corrections_in_dictionary']['value']:.1f}"
    return [
        f"{name}{' *' if source.tuned_on else ''}",
        f"{figures['n_pairs']:,}",
        f"{100 * source.norvig:.0f}",
        _share(figures["accuracy_at_1"]),
        "" if source.tuned_on else f"{100 * figures['accuracy_at_1_of_unseen']['value']:.1f}",
        *(_share(figures[key]) for key in ("accuracy_at_5", "changed", "right_of_changed")),
        f"{_share(figures['false_corrections'])} ({known}) of {figures['n_correct_words']:,}",
    ]


def _share(figure: Mapping[str, float] | None) -> str:
    if figure is None:
        return ""
    return f"{100 * figure['value']:.1f} [{100 * figure['low']:.1f}, {100 * figure['high']:.1f}]"


def _line(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
