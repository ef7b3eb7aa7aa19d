"""Configs composed once and varied are what Hydra composes anew."""

from __future__ import annotations

import pytest

from mlsd.config.compose import compose_overrides
from mlsd.config.variants import Variants

RANKER = "ranker@funnel.stages.full_rank.ranker"


@pytest.fixture(scope="module")
def variants() -> Variants:
    return Variants(["problem=search", "seed=3", f"{RANKER}=mlp"])


@pytest.mark.parametrize(
    "overrides",
    [
        [],
        ["seed=4"],
        [f"{RANKER}=dcn_v2", "funnel.stages.full_rank.ranker.n_cross=3"],
        ["funnel.skip=[light_rank]", "features.bm25=null", "funnel.stages.full_rank.n_out=20"],
        ["+funnel.costs.mine={latency_share: 0.01, fixed_ms: 1.0}"],
        ["funnel.stages.full_rank.ranker.hidden=[32]", "loss@funnel.stages.full_rank.loss=softmax"],
    ],
)
def test_they_are_what_hydra_composes(variants: Variants, overrides: list[str]) -> None:
    for _ in range(2):
        assert (
            variants.of(overrides).required()
            == compose_overrides(variants.overrides_with(overrides)).required()
        )


def test_one_does_not_change_another(variants: Variants) -> None:
    before = variants.of([]).required()
    variants.of(["funnel.stages.full_rank.ranker.hidden=[8]"])
    assert variants.of([]).required() == before


N_CROSS = "funnel.stages.full_rank.ranker.n_cross=3"


@pytest.mark.parametrize("wrong", ["sed=1", f"{RANKER}=mpl", "seed=1,2", N_CROSS])
def test_faults_are_those_of_composing(variants: Variants, wrong: str) -> None:
    expected = compose_overrides(variants.overrides_with([wrong])).faults
    assert expected
    assert variants.of([wrong]).faults == expected
