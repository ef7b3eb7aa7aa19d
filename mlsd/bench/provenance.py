"""What made a leaderboard: versions, commit, config, seeds, data. No path, no clock."""

from __future__ import annotations

from mlsd import __version__
from mlsd.bench.plan import Plan
from mlsd.runs.revision import revision
from mlsd.store import code_version


def provenance_of(plan: Plan) -> dict[str, object]:
    """As in the rendered leaderboard."""
    return {
        "mlsd": __version__,
        "mlsd source": code_version(),
        **revision()._asdict(),
        "configs": dict(plan.configs),
        "seeds": list(plan.benchmark.seeds),
        "varies": plan.benchmark.varies,
        "data, SHA-256": plan.data or "none: all data are generated",
    }
