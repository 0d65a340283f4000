"""Bulk API 1, /services/async: jobs of batches that the client makes (facts C.9)."""
