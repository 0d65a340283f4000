"""A believable B2B sales history for a simulated org: rows only, from a seed. It loads and stores nothing."""

from orgsim.seeding.fields import object_fields
from orgsim.seeding.generate import generate

__all__ = ["generate", "object_fields"]
