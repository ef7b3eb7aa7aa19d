"""A synthetic world of advertisers and the people who are shown their ads."""

from mlsd.worlds.ads.world import AdsWorld

__all__ = ["AdsWorld"]
