from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import yaml

from mlsd.checks import collecting
from mlsd.errors import InputError, InvalidValueError
from mlsd.serving import serve
from mlsd.testing.world_kit import LiveWorldKit, day_of
from mlsd.types import NO_ITEM, Ints, Requests, Served, Slates, State, concat_requests
from mlsd.worlds.base import LiveWorld
from mlsd.worlds.feed import FeedWorld
from mlsd.worlds.feed.graph import GraphOptions, make_graph
from mlsd.worlds.feed.posts import PostOptions
from tests.worlds.built import built, parameters

CONF = Path(__file__).parents[3] / "conf" / "world" / "feed.yaml"


class TestFeedWorld(LiveWorldKit):
    hidden_names = LiveWorldKit.hidden_names | {
        "taste", "appeal", "quality", "bait", "heat", "joy", "variety", "annoyance", "annoyed", "seen",
    }  # fmt: skip

    def make_world(self, seed: int) -> FeedWorld:
        return FeedWorld(seed=seed, n_users=300, posts=PostOptions(horizon_days=8))

    def state_of(self, world: LiveWorld, users: Ints, state: State) -> State:
        assert isinstance(world, FeedWorld)
        seen = np.isin(state["seen_pair"] // len(world.catalog), users)
        followed = np.isin(state["followed_pair"] // world.n_users, users)
        pairs = ("seen_pair", "seen_times", "followed_pair")
        of_people = {name: values for name, values in state.items() if name not in pairs}
        return super().state_of(world, users, of_people) | {
            "seen_pair": state["seen_pair"][seen],
            "seen_times": state["seen_times"][seen],
            "followed_pair": state["followed_pair"][followed],
        }


@pytest.fixture(scope="module")
def world() -> FeedWorld:
    return FeedWorld(seed=11, n_users=400, posts=PostOptions(horizon_days=12))


class Newest:
    """Shows everybody the same posts: the newest there are."""

    def __init__(self, world: FeedWorld, n: int) -> None:
        self.world, self.n = world, n

    def rank(self, requests: Requests) -> Slates:
        newest = np.searchsorted(self.world.all_posts.published_days, requests.time_days) - 1
        return Slates(newest[:, None] - np.arange(self.n))


def test_the_config_says_what_the_code_does_by_default() -> None:
    node = yaml.safe_load(CONF.read_text(encoding="utf-8"))["world"]
    assert node.pop("seed") == "${seed}"
    assert parameters(built(node)) == parameters(FeedWorld())


def test_the_config_begins_with_the_command_that_uses_it() -> None:
    first, second = CONF.read_text(encoding="utf-8").splitlines()[:2]
    assert (first, second) == ("# @package _global_", "# mlsd run problem=feed world=feed")


def test_construction_makes_nothing() -> None:
    assert FeedWorld(n_users=10**12, n_topics=10**6).n_users == 10**12


def test_sizes_are_checked_all_at_once() -> None:
    with collecting() as faults:
        FeedWorld(n_users=1, n_topics=0, lifetime_hours=0.0)
    assert [str(fault) for fault in faults] == [
        "n_users == 1, must be at least 2",
        "n_topics == 0, must be at least 1",
        "lifetime_hours == 0.0, must be above 0",
    ]


def test_grades_by_the_letter(world: FeedWorld) -> None:
    """All posts of 15 pages, each judged on its own."""
    requests = day_of(world, 5).requests.take(np.arange(15))
    judged, posts, catalog = world.judgements(requests), world.all_posts, world.catalog
    blocked = set(
        zip(
            catalog.relations["blocks"].user.tolist(), catalog.relations["blocks"].value.tolist(), strict=True
        )
    )
    followed = set(
        zip(
            catalog.relations["follows"].user.tolist(),
            catalog.relations["follows"].value.tolist(),
            strict=True,
        )
    )
    for row in range(len(requests)):
        user, time = int(requests.user[row]), requests.time_days[row]
        expected = {}
        for post in range(len(catalog)):
            author, age = int(posts.author[post]), 24 * (time - posts.published_days[post])
            if not 0 < age <= 48 or author == user or (user, author) in blocked:
                continue
            follows = np.array([(user, author) in followed])
            probs = world.probs(requests, np.array([row]), np.array([post]), follows, np.zeros(1))
            if (grade := int(5 * probs.satisfied[0])) > 0:
                expected[post] = grade
        mine = slice(judged.offsets[row], judged.offsets[row + 1])
        assert dict(zip(judged.items[mine].tolist(), judged.grades[mine].tolist(), strict=True)) == expected
        assert expected


def test_posts_come_in_order_by_hour_and_weekday() -> None:
    """35 weeks, seed 5: shares of hours and weekdays within four standard deviations of what is declared."""
    options = PostOptions(horizon_days=245, before_days=0, rate_sigma=0.0)
    world = FeedWorld(seed=5, n_users=200, posts=options)
    published = world.catalog["published_days"]
    assert np.all(np.diff(published) >= 0)
    for found, weights in (
        (np.floor(published % 1 * 24), options.hour_shares),
        (np.floor(published) % 7, options.weekday_factors),
    ):
        expected = np.asarray(weights) / sum(weights)
        counts = np.bincount(found.astype(np.int64), minlength=len(expected))
        sd = np.sqrt(len(published) * expected * (1 - expected))
        assert np.abs(counts - len(published) * expected).max(initial=0) < 4 * sd.max()
        assert np.all(np.abs(counts - len(published) * expected) < 4 * sd)


def test_longer_horizons_change_no_earlier_post() -> None:
    short, long = (FeedWorld(seed=3, n_users=150, posts=PostOptions(horizon_days=n)) for n in (4, 9))
    n = len(short.catalog)
    assert n < len(long.catalog)
    for name, column in short.all_posts._asdict().items():
        np.testing.assert_array_equal(column, getattr(long.all_posts, name)[:n])


def test_more_than_can_be_drawn_is_refused_and_never_taken_for_none() -> None:
    with pytest.raises(InputError, match=r"mean of n_posts == .*, must be at most 500"):
        _ = FeedWorld(n_users=50, posts=PostOptions(posts_per_day=10_000.0)).catalog
    for name in ("n_blocks", "n_mutes"):
        with pytest.raises(InvalidValueError, match=f"{name} == 501.0, must be between 0 and 500"):
            GraphOptions(**{name: 501.0})


class TestGraph:
    def test_nobody_follows_or_blocks_themselves(self, world: FeedWorld) -> None:
        for name in ("follows", "blocks"):
            relation = world.catalog.relations[name]
            assert len(relation)
            assert np.all(relation.user != relation.value)
            assert np.isin(relation.value, world.authors.user).all()

    def test_muted_are_followed_and_blocked_are_not(self, world: FeedWorld) -> None:
        follows, blocks, mutes = (world.catalog.relations[name] for name in ("follows", "blocks", "mutes"))
        now = np.full(10**6, 0.0)
        assert follows.held(mutes.user, mutes.value, now[: len(mutes)]).all()
        assert not follows.held(blocks.user, blocks.value, now[: len(blocks)]).any()

    def test_some_have_many_followers(self, world: FeedWorld) -> None:
        """The best followed tenth of the authors has more followers than the less followed half."""
        followers = np.sort(
            np.bincount(world.catalog.relations["follows"].value, minlength=400)[world.authors.user]
        )
        n = len(followers)
        assert followers[-n // 10 :].sum() > followers[: n // 2].sum()

    @pytest.mark.parametrize(("homophily", "alike"), [(0.0, False), (1.0, True)])
    def test_people_follow_those_who_post_what_they_care_for(self, homophily: float, alike: bool) -> None:
        """The mean affinity to topics of followed authors against all authors', seed 8, 400 people."""
        world = FeedWorld(seed=8, n_users=400, graph=GraphOptions(homophily=homophily))
        follows, topic = world.catalog.relations["follows"], np.zeros(400, np.int64)
        topic[world.authors.user] = world.authors.topic
        chosen = world.first_affinity[follows.user, topic[follows.value]].mean()
        anybody = world.first_affinity[:, world.authors.topic].mean()
        assert (chosen > 1.2 * anybody) == alike

    def test_nobody_posts_about_what_some_care_for(self) -> None:
        """Who would choose by topic chooses anybody then."""
        graph = make_graph(
            GraphOptions(homophily=1.0), np.ones((50, 3)), np.arange(10), np.zeros(10, np.int64), 1
        )
        assert np.bincount(graph["follows"].user, minlength=50).min() > 0


def test_a_page_is_read_from_the_top(world: FeedWorld) -> None:
    requests = day_of(world, 3).requests
    slates = Newest(world, 12).rank(requests)
    done = world.responses_to(requests, slates, world.first_state())
    assert done.examined[:, 0].all()
    assert not np.any(done.examined[:, 1:] & ~done.examined[:, :-1])
    for action in ("click", "like", "reply", "repost", "follow", "hide", "report"):
        assert not np.any(getattr(done, action) & ~done.examined)
    assert np.array_equal(done.dwell_s > 0, done.click)
    assert not np.any(done.report & ~done.hide)


def test_what_is_done_is_what_is_probable(world: FeedWorld) -> None:
    """Three days of pages of 12: counts within four standard deviations of the sums of probabilities.

    Positions of a page go together, so deviations are those of whole pages.
    """
    state, policy = world.first_state(), Newest(world, 12)
    for day in range(3):
        requests = world.arrivals(np.arange(world.n_users), day, state)
        slates = policy.rank(requests)
        probs, done = world.action_probs(requests, slates, state), world.respond(requests, slates, state)
        for action, prob in probs.items():
            off = np.count_nonzero(done[action], axis=1) - prob.sum(axis=1)
            assert abs(off.sum()) < 4 * np.sqrt(np.square(off).sum())


def test_examination_is_what_pages_without_joy_or_trouble_show(world: FeedWorld) -> None:
    """Positions reached, of those below posts that neither satisfied nor annoyed; seed 11, four sigmas."""
    requests = concat_days(world, 12)
    slates = Newest(world, 8).rank(requests)
    done = world.responses_to(requests, slates, world.first_state())
    expected = world.examination_prob(8)
    plain = ~(done.satisfied | done.annoyed)
    for position in range(1, 8):
        dull = plain[:, :position].all(axis=1) & done.examined[:, position - 1]
        going = expected[position] / expected[position - 1]
        n = np.count_nonzero(dull)
        assert n > 100
        assert abs(done.examined[dull, position].mean() - going) < 4 * np.sqrt(going * (1 - going) / n)


def test_a_post_seen_before_appeals_less(world: FeedWorld) -> None:
    served, state = serve(world, Newest(world, 5), np.arange(world.n_users), 2, world.first_state(), 100)
    requests, slates = served.requests, served.slates
    fresh, again = (world.probs_of(requests, slates, known) for known in (world.first_state(), state))
    assert np.all(again.click <= fresh.click)
    assert np.mean(again.click < fresh.click) > 0.2


def test_who_is_followed_is_closer_and_not_followed_again(world: FeedWorld) -> None:
    requests = day_of(world, 2).requests
    slates = Newest(world, 3).rank(requests)
    before = world.first_state()
    pair = np.unique(requests.user[:, None] * world.n_users + world.all_posts.author[slates.items])
    after = {**before, "followed_pair": pair}
    closer = world.probs_of(requests, slates, after)
    assert np.all(closer.follow == 0)
    assert np.all(closer.click >= world.probs_of(requests, slates, before).click)


def test_follows_are_remembered(world: FeedWorld) -> None:
    """Of two posts of one author seen within an hour both may win a follower; later ones do not."""
    state, hours = world.first_state(), dict[tuple[int, int], set[int]]()
    for day in range(4):
        served, state = serve(world, Newest(world, 12), np.arange(world.n_users), day, state, 100)
        rows, places = np.nonzero(served.feedback["follow"])
        authors = world.all_posts.author[served.slates.items[rows, places]]
        requests = served.requests.take(rows)
        for user, author, hour in zip(requests.user, authors, requests.hour, strict=True):
            hours.setdefault((int(user), int(author)), set()).add(int(hour))
    assert max(len(each) for each in hours.values()) == 1
    pairs = np.stack(np.divmod(state["followed_pair"], world.n_users), axis=1)
    assert {tuple(pair) for pair in pairs.tolist()} == set(hours)


def test_what_a_day_was_like_is_what_its_pages_were(world: FeedWorld) -> None:
    """Satisfying and annoying posts, and variety, page by page in the state in which each was answered."""
    state, users = world.first_state(), np.arange(world.n_users)
    for day in range(3):
        counted = {name: np.zeros(world.n_users) for name in ("satisfied", "annoyed", "variety")}
        requests = world.arrivals(users, day, state)
        for hour in np.unique(requests.hour):
            of_hour = requests.take(requests.hour == hour)
            slates = Newest(world, 12).rank(of_hour)
            done = world.responses_to(of_hour, slates, state)
            for row, user in enumerate(of_hour.user.tolist()):
                looked = slates.items[row, done.examined[row]]
                counted["satisfied"][user] += done.satisfied[row].sum()
                counted["annoyed"][user] += done.annoyed[row].sum()
                topics = set(world.all_posts.topic[looked].tolist())
                counted["variety"][user] += len(topics) / len(looked)
            state = world.noticed(Served(of_hour, slates, world.respond(of_hour, slates, state)), state)
        felt = world.felt_on(day, state)
        assert set(felt) == {"satisfied", "annoyed"}
        for name, values in felt.items():
            np.testing.assert_array_equal(values, counted[name], err_msg=name)
            assert values.sum() > 20
        came = np.isin(users, requests.user)
        np.testing.assert_allclose(state["variety_today"][came], counted["variety"][came])
        assert not any(values.any() for values in world.felt_on(day + 1, state).values())
        assert not any(values[~came].any() for values in felt.values())
        served = Served(requests, Newest(world, 1).rank(requests), {})
        state = world.after(users, served, 100.0, state)


def test_only_what_was_looked_at_was_seen(world: FeedWorld) -> None:
    requests, state = day_of(world, 2).requests, world.first_state()
    slates = Newest(world, 12).rank(requests)
    done = world.responses_to(requests, slates, state)
    after = world.noticed(Served(requests, slates, world.respond(requests, slates, state)), state)
    by_hand: dict[int, int] = {}
    for row, place in zip(*np.nonzero(done.examined), strict=True):
        pair = int(requests.user[row] * len(world.catalog) + slates.items[row, place])
        by_hand[pair] = by_hand.get(pair, 0) + 1
    found = dict(zip(after["seen_pair"].tolist(), after["seen_times"].tolist(), strict=True))
    assert found == by_hand
    assert max(by_hand.values()) > 1


def test_segments_tell_who_follows_many(world: FeedWorld) -> None:
    """More authors than half of the people do."""
    requests = day_of(world, 4).requests
    follows = world.catalog.relations["follows"].user.tolist()
    counts = [follows.count(user) for user in range(world.n_users)]
    many = ["many" if counts[user] > np.median(counts) else "few" for user in requests.user.tolist()]
    assert world.segments(requests)["follows"].tolist() == many
    assert set(many) == {"many", "few"}


@pytest.mark.parametrize(
    ("felt", "sign"), [("joy", 1), ("variety", 1), ("annoyance", -1), ("latency_ms", -1)]
)
def test_people_come_back_for_what_they_remember(world: FeedWorld, felt: str, sign: int) -> None:
    state = world.first_state()
    more = {**state, felt: state[felt] + 1000.0 * (felt == "latency_ms") + 1.0}
    people = world.everybody
    assert np.all(sign * (people.visit_prob(more) - people.visit_prob(state)) > 0)


def test_interests_turn_and_keep_their_spread() -> None:
    """2,000 people, 12 topics: after half of `drift_days` a correlation of cos(45 degrees), after all 0."""
    world = FeedWorld(seed=21, n_users=2000)
    people = world.everybody
    users, topics = np.arange(2000)[:, None], np.arange(12)
    on = [people.log_affinity(users, topics, np.full(1, day)).ravel() for day in (0, 60, 120)]
    for later, expected in zip(on[1:], (np.sqrt(0.5), 0.0), strict=True):
        assert np.corrcoef(on[0], later)[0, 1] == pytest.approx(expected, abs=0.03)
        assert later.std() == pytest.approx(on[0].std(), rel=0.03)
    assert np.exp(on[0]).mean() == pytest.approx(1.0, abs=0.05)


def test_an_empty_page_and_a_page_half_empty(world: FeedWorld) -> None:
    requests = day_of(world, 1).requests.take(np.arange(6))
    for items in (np.zeros((6, 0), np.int64), np.full((6, 4), NO_ITEM)):
        done = world.respond(requests, Slates(items), world.first_state())
        assert not any(values.any() for values in done.values())
    half = np.where(np.arange(4) < 2, np.arange(4), NO_ITEM) * np.ones((6, 1), np.int64)
    done = world.respond(requests, Slates(half), world.first_state())
    assert not any(values[:, 2:].any() for values in done.values())


def test_requests_of_another_world_are_refused(world: FeedWorld) -> None:
    requests = day_of(world, 1).requests
    strange = Requests(requests.request_id + 1, requests.user, requests.session, requests.time_days)
    with pytest.raises(InputError, match="must be of a request of this world"):
        world.judgements(strange)


def concat_days(world: FeedWorld, n: int) -> Requests:
    return concat_requests([day_of(world, day).requests for day in range(n)])
