"""Fixtures of the torture tests."""

from postgres import postgres_cluster

__all__ = ["postgres_cluster"]
