"""Bulk API 2.0: query jobs and ingest jobs (facts C.4, C.5)."""
