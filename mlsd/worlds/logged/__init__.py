"""Logs of clicks as worlds."""

from mlsd.worlds.logged.world import LoggedWorld

__all__ = ["LoggedWorld"]
