"""Logs of feeds as worlds."""

from mlsd.worlds.feed_logs.hacker_news import HackerNewsWorld
from mlsd.worlds.feed_logs.movielens import MovieLensWorld

__all__ = ["HackerNewsWorld", "MovieLensWorld"]
