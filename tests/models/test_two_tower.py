"""The network of two towers and its loss, against loops."""

from __future__ import annotations

from math import exp, log

import numpy as np
import pytest

from mlsd.models.bags import Bags, normalised, vectors_of
from mlsd.models.base import seeded
from mlsd.models.pairs import Pairs, title_pairs
from mlsd.models.two_tower import PairBatches, TwoTower, TwoTowerModule
from mlsd.text import Vocabulary

TITLES, TEXTS = ["jazz", "rock opera", "piano"], ["piano violin", "drums", "jazz piano"]
QUERIES = ["violin", "drums rock"]
VOCABULARY = Vocabulary.of([*TITLES, *TEXTS])
RARITY = np.linspace(1, 2, len(VOCABULARY)).astype(np.float32)


def bags(texts: list[str]) -> Bags:
    return Bags.of(VOCABULARY.encode(texts), RARITY)


def clicked(query: list[int], item: list[int], weight: list[float]) -> Pairs:
    arrays = np.array(query), np.array(item), np.array(weight, np.float32), np.zeros(len(query), bool)
    return Pairs(bags(QUERIES), bags(TITLES), bags(TEXTS), *arrays)


def network() -> TwoTower:
    with seeded(0, "weights"):
        return TwoTower(len(VOCABULARY), 6)


@pytest.mark.parametrize("hides_title", [False, True])
def test_cosines_are_those_of_the_vectors_that_serve(hides_title: bool) -> None:
    net = network()
    table = net.terms.detach().numpy()
    pairs = (
        title_pairs(bags(TITLES), bags(TEXTS)) if hides_title else clicked([0, 1, 1], [0, 1, 2], [1, 1, 1])
    )
    batch = PairBatches(pairs, np.arange(3), 8, seed=0)._of_pairs(np.arange(3))
    queries = vectors_of(pairs.queries, table)[pairs.query]
    titles = vectors_of(pairs.titles, table) * (not hides_title)
    items = normalised(titles + vectors_of(pairs.texts, table))[pairs.item]
    np.testing.assert_allclose(net(batch).detach().numpy(), queries @ items.T, atol=1e-6)


def test_loss_is_its_formula() -> None:
    """Pairs 0 and 1 share an item, 1 and 2 a query: neither is a wrong answer to the other."""
    pairs, net = clicked([0, 1, 1], [0, 0, 2], [1.0, 2.0, 4.0]), network()
    batch = PairBatches(pairs, np.arange(3), 8, seed=0)._of_pairs(np.arange(3))
    loss, weight = TwoTowerModule(net, temperature=0.5, learning_rate=0.1).loss(batch)
    cosine = net(batch).detach().numpy()
    share = [2 / 3, 2 / 3, 1 / 3]
    rivals = {0: [0, 2], 1: [1], 2: [0, 2]}
    total = 0.0
    for i, rival in rivals.items():
        logits = {j: cosine[i, j] / 0.5 - log(share[j]) for j in rival}
        total -= pairs.weight[i] * (logits[i] - log(sum(exp(each) for each in logits.values())))
    assert weight == 7
    assert float(loss.detach()) == pytest.approx(total / 7, rel=1e-5)


def test_before_training_cosines_are_about_those_of_tf_idf() -> None:
    """Johnson and Lindenstrauss: an error of about 1 / sqrt(dim), here .03; the tolerance is 4 of it."""
    with seeded(1, "weights"):
        table = TwoTower(len(VOCABULARY), 1024).terms.detach().numpy()
    texts = bags([*TITLES, *TEXTS])
    exact, projected = vectors_of(texts, np.eye(len(VOCABULARY), dtype=np.float32)), vectors_of(texts, table)
    np.testing.assert_allclose(projected @ projected.T, exact @ exact.T, atol=4 / 32)


def test_pairs_are_dealt_evenly_in_a_new_order_every_epoch() -> None:
    n = 23
    pairs = clicked([0] * n, list(np.arange(n) % 3), list(range(1, n + 1)))
    batches = PairBatches(pairs, np.arange(n), 8, seed=0)
    dealt = [[batch.weight.tolist() for batch in batches.of_epoch(epoch)] for epoch in (0, 0, 1)]
    assert [len(batch) for batch in dealt[0]] == [8, 8, 7]
    assert sorted(weight for batch in dealt[0] for weight in batch) == list(range(1, n + 1))
    assert dealt[0] == dealt[1] != dealt[2]


def test_fingerprint_is_of_pairs_and_texts() -> None:
    def fingerprint(pairs: Pairs, batch_pairs: int = 8) -> str:
        return PairBatches(pairs, np.arange(2), batch_pairs, seed=0).fingerprint()

    first = clicked([0, 1], [0, 1], [1, 1])
    assert fingerprint(first) == fingerprint(clicked([0, 1], [0, 1], [1, 1]))
    others = (clicked([0, 1], [0, 2], [1, 1]), clicked([0, 1], [0, 1], [1, 2]))
    assert len({fingerprint(first), *map(fingerprint, others), fingerprint(first, 9)}) == 4
