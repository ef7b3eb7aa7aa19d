from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from mlsd.worlds.search import SearchWorld
from mlsd.worlds.search.documents import DocumentOptions
from mlsd.worlds.search.texts import make_catalog
from mlsd.worlds.search.vocabulary import TRANSACTION_MARKERS, LanguageOptions

if TYPE_CHECKING:
    from tests.worlds.search.conftest import MakeWorld


def test_columns_and_their_types(world: SearchWorld) -> None:
    kinds = {name: column.dtype.kind for name, column in world.catalog.columns.items()}
    assert kinds == {
        "title": "O", "text": "O", "category": "i", "source": "i",
        "authority": "f", "published_days": "f", "n_words": "i",
    }  # fmt: skip
    assert set(kinds) == world.catalog_columns
    assert world.catalog.item_id[[0, -1]].tolist() == ["d0000", "d1999"]


def test_every_title_and_text_says_something(world: SearchWorld) -> None:
    assert all(len(title.split()) >= 2 for title in world.catalog["title"])
    assert all(len(text.split()) >= 5 for text in world.catalog["text"])


def test_words_are_counted_as_they_stand(world: SearchWorld) -> None:
    counted = [len(text.split()) for text in world.catalog["text"]]
    assert world.catalog["n_words"].tolist() == counted


def test_lengths_are_log_normal(make_world: MakeWorld) -> None:
    options = DocumentOptions(entity_share=0.0, length_median=200.0)
    world = make_world(2, n_items=4000, documents=options)
    log_length = np.log(world.catalog["n_words"][world.all_documents.official_of < 0])
    # Standard errors of 3,800: .0097 and .0069; rounding and the shortest text add less than .002.
    assert abs(log_length.mean() - np.log(200)) < 0.05
    assert abs(log_length.std() - 0.6) < 0.035


def test_background_words_follow_zipf(world: SearchWorld) -> None:
    # Seed and size of the fixture: about 60,000 background words. The slope over the first 50 ranks, each
    # seen 150 times or more, has a standard error near .01.
    counts = Counter(word for text in world.catalog["text"] for word in text.split())
    background = world.lexicon.surfaces[:50]
    frequency = np.array([counts[word] for word in background])
    slope = np.polyfit(np.log(np.arange(1, 51)), np.log(frequency), 1)[0]
    assert abs(slope + 1.0) < 0.05


def test_an_author_has_one_word_for_each_concept_and_a_spammer_all(make_world: MakeWorld) -> None:
    language = LanguageOptions(n_topics=6, concepts_per_topic=15, n_background=600, homonym_share=0.0)
    world = make_world(language=language, documents=DocumentOptions(passing_prob=0.0, length_median=150.0))
    surfaces, offsets = world.lexicon.surfaces, world.lexicon.concept_offsets
    used: dict[bool, list[int]] = {False: [], True: []}
    for item, concepts in enumerate(world.all_documents.concepts):
        words = set(world.catalog["text"][item].split())
        for concept in concepts[concepts >= 0]:
            names = {name.split()[0] for name in surfaces[offsets[concept] : offsets[concept + 1]]}
            used[bool(world.all_documents.spam[item])].append(len(names & words))
    assert max(used[False]) == 1
    assert max(used[True]) == 3


def test_titles_name_the_first_concepts_in_the_words_of_the_text(make_world: MakeWorld) -> None:
    world = make_world(documents=DocumentOptions(passing_prob=0.0, length_median=150.0))
    real = np.flatnonzero(~world.all_documents.spam)
    in_text = [
        world.catalog["title"][item].split()[0] in world.catalog["text"][item].split() for item in real
    ]
    assert np.mean(in_text) > 0.99


def test_spam_is_stuffed(world: SearchWorld) -> None:
    topical = set(" ".join(world.lexicon.surfaces[world.lexicon.concept_offsets[0] :]).split())
    share = np.array([np.mean([word in topical for word in text.split()]) for text in world.catalog["text"]])
    spam = world.all_documents.spam
    # Of words that name a concept: .6 of spam, .35 + .15 of others. 276 texts of 60 words: s.e. below .005.
    np.testing.assert_allclose(share[spam].mean(), 0.60, atol=0.025)
    np.testing.assert_allclose(share[~spam].mean(), 0.50, atol=0.025)


def test_only_transactional_documents_speak_of_transactions(world: SearchWorld) -> None:
    speaks = np.array([bool(set(TRANSACTION_MARKERS) & set(text.split())) for text in world.catalog["text"]])
    assert not np.any(speaks & ~world.all_documents.transactional)
    assert speaks[world.all_documents.transactional].mean() > 0.8


def test_texts_depend_on_the_seed_alone(world: SearchWorld) -> None:
    again = make_catalog(world.documents, world.lexicon, world.all_documents, world.seed)
    assert again["text"].tolist() == world.catalog["text"].tolist()
    another = make_catalog(world.documents, world.lexicon, world.all_documents, world.seed + 1)
    assert another["text"].tolist() != world.catalog["text"].tolist()
