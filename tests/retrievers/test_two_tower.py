from mlsd.retrievers.base import Retriever
from mlsd.retrievers.two_tower import TwoTowerRetriever
from mlsd.testing.retriever_kit import RetrieverKit


class TestTwoTower(RetrieverKit):
    def make(self) -> Retriever:
        return TwoTowerRetriever(dim=16, batch_pairs=16)
