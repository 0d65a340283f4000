"""orgsim's speed and memory: seeding, a Bulk query beside a static file, SOQL pages (docs/reference/benches.md)."""
