"""The response model of the search world: python benchmarks/bench_responses.py.

Ours draws by counter, so that luck belongs to request and item; the other way is one plain NumPy pass over
the same slates with a stateful generator, block by block too, whose luck depends on the order of work.
"""

from __future__ import annotations

import numpy as np
from timing import median_seconds, paired

from mlsd import rng
from mlsd.types import Floats, Ints, Slates
from mlsd.worlds.click_models.pbm import PositionBased
from mlsd.worlds.search import SearchWorld
from mlsd.worlds.search.responses import ResponseModel, ResponseOptions, Responses

N_REQUESTS, N_POSITIONS, N_ITEMS, BLOCK = 50_000, 10, 20_000, 3_200
GRADE_SHARES = (0.49, 0.25, 0.14, 0.08, 0.04)
"""Of what BM25 shows in the default world."""

OPTIONS, CLICK_MODEL = ResponseOptions(), PositionBased()


def plain_numpy(generator: np.random.Generator, items: Ints, grades: Ints, odds: Floats) -> Responses:
    """The same answers with draws from a stateful generator."""
    examined, clicked, satisfied = np.empty((3, *items.shape), bool)
    examination = CLICK_MODEL.examination_prob(items.shape[1])
    attraction_of, satisfaction_of = OPTIONS.attraction, np.array(OPTIONS.satisfaction_prob)
    for start in range(0, len(items), BLOCK):
        rows = slice(start, start + BLOCK)
        shape = items[rows].shape
        attraction = attraction_of[grades[rows]]
        attraction *= odds[rows] / (1.0 - attraction + attraction * odds[rows])
        attractive = (generator.random(shape) < attraction) & (items[rows] >= 0)
        satisfying = generator.random(shape) < satisfaction_of[grades[rows]]
        examined[rows] = generator.random(shape) < examination
        clicked[rows] = examined[rows] & attractive
        satisfied[rows] = clicked[rows] & satisfying
    medians = np.log([OPTIONS.unsatisfied_dwell_s, OPTIONS.satisfied_dwell_s])
    spread = generator.standard_normal(np.count_nonzero(clicked))
    dwell_s = np.zeros(items.shape, np.float32)
    dwell_s[clicked] = np.exp(medians[satisfied[clicked].astype(int)] + OPTIONS.dwell_sigma * spread)
    return Responses(examined, clicked, satisfied, dwell_s)


def response_model() -> None:
    """Slates of 10 with grades and interests given: impressions a second, and beside plain NumPy."""
    request_id, positions = np.arange(N_REQUESTS), np.arange(N_POSITIONS)
    items = rng.integers(0, "items", N_ITEMS, request_id[:, None], positions)
    grades = rng.choice(0, "grades", GRADE_SHARES, request_id[:, None], positions)
    odds = np.exp(0.3 * rng.normal(0, "odds", request_id[:, None], positions))
    model, generator = ResponseModel(OPTIONS, CLICK_MODEL, seed=0), np.random.default_rng(0)
    timing = paired(
        lambda: model(request_id, items, grades, odds), lambda: plain_numpy(generator, items, grades, odds)
    )
    print(f"response model        {items.size / timing.ours_ms / 1e3:6.1f} million impressions/s   {timing}")


def whole_world() -> None:
    """What a world takes: making it, a day's arrivals, responses with their grades, judgements."""
    made = median_seconds(lambda: _made(seed=0), n_repeats=3)
    world = _made(seed=0)
    everybody, state = np.arange(world.n_users), world.first_state()
    requests = world.arrivals(everybody, 0, state)
    items = rng.integers(0, "slates", world.n_items, requests.request_id[:, None], np.arange(N_POSITIONS))
    day = median_seconds(lambda: world.arrivals(everybody, 1, state))
    answered = median_seconds(lambda: world.respond(requests, Slates(items), state))
    many = requests.take(np.arange(14_000) % len(requests))
    judged = median_seconds(lambda: world.judgements(many))
    print(f"world made            {made:6.2f} s   {world.n_items} documents, {world.n_users} users")
    print(f"arrivals of a day     {1e3 * day:6.1f} ms  {len(requests)} requests")
    per_second = items.size / answered / 1e6
    print(f"responses of a day    {1e3 * answered:6.1f} ms  {per_second:.1f} million impressions/s")
    print(f"judgements            {judged:6.2f} s   {len(many)} requests")


def _made(seed: int) -> SearchWorld:
    world = SearchWorld(seed=seed, click_model=CLICK_MODEL)
    assert len(world.catalog) == world.n_items
    assert len(world.truth.items) > 0
    assert len(world.all_forms) > world.n_queries
    assert len(world.all_users.affinity) == world.n_users
    return world


if __name__ == "__main__":
    response_model()
    whole_world()
