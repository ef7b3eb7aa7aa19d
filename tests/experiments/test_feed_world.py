"""The look at the feed world, at a tiny size and by hand."""

from __future__ import annotations

from pathlib import Path
from types import ModuleType

import numpy as np

from mlsd.serving import serve
from mlsd.worlds.feed import FeedWorld
from mlsd.worlds.feed.posts import PostOptions


def test_nobody_is_shown_a_post_again_or_their_own(experiment: ModuleType) -> None:
    world = FeedWorld(seed=2, n_users=80, posts=PostOptions(horizon_days=4))
    for score in experiment.ORDERS.values():
        policy, state = experiment.Knowing(world, score), world.first_state()
        shown: dict[tuple[int, int], set[int]] = {}
        for day in range(3):
            served, state = serve(world, policy, np.arange(80), day, state, 100.0)
            for row in range(len(served.requests)):
                user, hour = int(served.requests.user[row]), int(served.requests.hour[row])
                for item in served.slates.items[row][served.slates.shown[row]].tolist():
                    assert world.all_posts.author[item] != user
                    shown.setdefault((user, item), set()).add(hour)
        assert shown
        assert max(map(len, shown.values())) == 1, "only within an hour, before it is known"


def test_newest_are_of_those_whom_a_person_follows(experiment: ModuleType) -> None:
    world = FeedWorld(seed=2, n_users=80, posts=PostOptions(horizon_days=4))
    requests = world.arrivals(np.arange(80), 2, world.first_state())
    slates = experiment.Knowing(world, experiment.newest).rank(requests)
    rows, positions = np.nonzero(slates.shown)
    author = world.all_posts.author[slates.items[rows, positions]]
    assert world.follows(requests.user[rows], author).all()
    falls = np.diff(np.where(slates.shown, slates.items, -1), axis=1) <= 0
    assert falls.all()


def test_it_writes_what_it_saw(experiment: ModuleType, tmp_path: Path) -> None:
    experiment.main(["--n-users=60", f"--out={tmp_path}"])
    written = (tmp_path / "feed_world.md").read_text(encoding="utf-8")
    assert "60 people" in written
    assert "| satisfying posts per page |" in written
