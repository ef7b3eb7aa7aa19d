"""A synthetic world of people who follow each other and read each other's posts."""

from mlsd.worlds.feed.world import FeedWorld

__all__ = ["FeedWorld"]
