"""The features that `conf/features` declares, all together."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pytest
import yaml

from mlsd import rng
from mlsd.features.base import Family, Feature
from mlsd.features.sets.base import FeatureSet
from mlsd.features.statistics.hourly import HourlyCounts
from mlsd.logs import Log
from mlsd.relations import Relation
from mlsd.testing.feature_kit import same_bits
from mlsd.testing.small_log import SmallLog
from mlsd.types import Catalog, RankingBatch, Requests

FILES = sorted((Path(__file__).resolve().parents[2] / "conf" / "features").glob("*.yaml"))
SMALL = SmallLog()
SOURCES = ("popular", "trending", "in_network")
INTENTS = ("navigational", "informational", "transactional")


def build(node: Mapping[str, object]) -> Feature:
    module, _, name = str(node["_target_"]).rpartition(".")
    options = {key: value for key, value in node.items() if key != "_target_"}
    feature: Feature = getattr(importlib.import_module(module), name)(**options)
    return feature


def declared(file: Path) -> dict[str, Feature | None]:
    nodes = yaml.safe_load(file.read_text(encoding="utf-8"))
    return {name: build(node) for name, node in nodes.items()}


def understood(requests: Requests) -> Requests:
    """With what an understand stage says of them, made up."""
    keys, n_topics = requests.request_id, int(SMALL.catalog["category"].max()) + 1
    intent = np.array(INTENTS, object)[rng.integers(SMALL.seed, "intents", len(INTENTS), keys)]
    prob = rng.uniform(SMALL.seed, "topics", keys[:, None], np.arange(n_topics)).astype(np.float32)
    return requests.with_columns(
        intent=intent,
        intent_prob=rng.uniform(SMALL.seed, "intent_prob", keys).astype(np.float32),
        topic=prob.argmax(axis=1),
        topic_prob=prob / prob.sum(axis=1, keepdims=True),
    )


def profiled(requests: Requests) -> Requests:
    """With what an ad platform knows of who views which page, made up."""
    columns = ("region", "age_band", "audience", "device", "page_category")
    return requests.with_columns(
        **{name: rng.integers(SMALL.seed, name, 4, requests.request_id) for name in columns}
    )


def advertised() -> Catalog:
    """The catalog with what campaigns, posts and movies have."""
    item = np.arange(len(SMALL.catalog))
    campaigns = {"campaign": item // 2, "advertiser": item // 6, "start_day": item % 7 - 5.0, "bid": item / 4}
    numbered = ("topic", "media", "author", "n_words", "year", "domain", "hour", "weekday")
    posts = {name: item % (3 + place) for place, name in enumerate(numbered)}
    columns = {"published_days": item % 5 - 5.0, **SMALL.catalog.columns, **campaigns, **posts}
    follows = Relation.of(item % 30, item % 5)
    return Catalog(SMALL.catalog.item_id, columns, {"follows": follows})


def acted(log: Log) -> Log:
    """With more that users did, made up."""
    shown = log.impressions
    keys = shown["request_id"].to_numpy(), shown["item"].to_numpy()
    actions = ("like", "reply", "repost", "follow", "hide")
    done = {action: rng.uniform(SMALL.seed, action, *keys) < 0.2 for action in actions}
    return replace(log, impressions=shown.assign(**done))


def found(batch: RankingBatch) -> RankingBatch:
    """With what further sources say of candidates, made up."""
    candidates = batch.candidates
    scores = {name: candidates.items % 7 / (2.0 + place) for place, name in enumerate(SOURCES)}
    return RankingBatch(
        batch.requests, candidates.with_columns(**{f"{name}_score": each for name, each in scores.items()})
    )


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_served_one_by_one_they_have_the_bits_of_training(file: Path) -> None:
    features = FeatureSet(declared(file))
    log = acted(replace(SMALL.log, requests=profiled(SMALL.log.requests)))
    batch = found(SMALL.candidates(understood(log.window("ranking").requests)))
    features.fit(advertised(), log, batch)
    trained = features.transform(batch)
    restored = FeatureSet(declared(file))
    restored.load_state(features.state())
    for row in range(0, len(batch), 7):
        served = restored.transform(batch.take(np.array([row])))
        assert same_bits(served, trained.take_requests(np.array([row])))
    has_words = any("request.query" in feature.needs for feature in features.features.values())
    indexes = [shared for shared in features.shared.values() if not isinstance(shared, HourlyCounts)]
    assert len(indexes) == has_words  # one index of words for all


def test_every_file_says_how_it_is_used_and_search_has_every_family() -> None:
    assert {file.stem for file in FILES} >= {"search", "search_collection"}
    assert all(file.read_text(encoding="utf-8").startswith("# mlsd run ") for file in FILES)
    search = next(file for file in FILES if file.stem == "search")
    families = {feature.family for feature in declared(search).values() if feature is not None}
    assert families == set(get_args(Family))
