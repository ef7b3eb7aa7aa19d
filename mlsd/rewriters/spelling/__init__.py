"""Spelling correction: see `mlsd.rewriters.spelling.rewriter.Spelling`."""

from mlsd.rewriters.spelling.rewriter import Spelling

__all__ = ["Spelling"]
