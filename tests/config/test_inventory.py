from __future__ import annotations

import subprocess
import sys

from mlsd.config.inventory import parts_of, summaries


def test_parts_are_what_inherits_from_the_base() -> None:
    names = {part.name for part in parts_of("rankers")}
    assert {"DCNv2", "MLP", "LogisticRegression"} <= names
    assert "Ranker" not in names
    assert "LightningRanker" not in names


def test_a_part_is_said_in_one_line() -> None:
    (bce,) = (part for part in parts_of("losses") if part.name == "BCE")
    assert bce.target == "mlsd.losses.bce.BCE"
    assert bce.summary
    assert summaries()[bce.target] == bce.summary


def test_nothing_is_imported_on_the_way() -> None:
    code = "import sys; from mlsd.config.inventory import summaries; summaries(); "
    code += "sys.exit(any(name in sys.modules for name in ('torch', 'numpy', 'pandas', 'hydra')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
