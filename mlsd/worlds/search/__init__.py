"""A synthetic search engine's world: see `mlsd.worlds.search.world.SearchWorld`."""

from mlsd.worlds.search.world import SearchWorld

__all__ = ["SearchWorld"]
