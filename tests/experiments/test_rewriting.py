"""The command on a small collection whose queries are mistyped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from mlsd.testing.tiny_collection import some_judged, write_collection

TYPED = [
    *("festival"[:place] + "festival"[place + 1 :] for place in range(1, 8)),
    *("festival"[:place] + "festival"[place - 1 :] for place in range(1, 9)),
]
"""A letter omitted, or typed twice. Few enough ask for each: what many type is taken for a word."""

ROOT = Path(__file__).resolve().parents[2]


def test_the_command_tells_what_it_changes(tmp_path: Path) -> None:
    folder = write_collection(tmp_path / "music", {"test": some_judged(range(30))})
    queries = [
        json.loads(line) for line in (folder / "queries.jsonl").read_text(encoding="utf-8").splitlines()
    ]
    for number, query in enumerate(queries):
        query["text"] += f" {TYPED[number % len(TYPED)]}"
    lines = "".join(json.dumps(query) + "\n" for query in queries)
    (folder / "queries.jsonl").write_text(lines, encoding="utf-8")
    command = [sys.executable, str(ROOT / "experiments" / "rewriting.py"), str(folder)]
    printed = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    first, *changes = printed.splitlines()
    n_changed, n_asked = (int(word) for word in first.split() if word.isdigit())
    assert n_changed == n_asked == len(changes) // 2 > 0
    assert all(line.endswith("festival") for line in changes[1::2])
