"""API credits of the same jobs by Headwater and its peers, by the org's own count (docs/reference/benches.md)."""
