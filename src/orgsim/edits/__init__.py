"""What the people of an org do to its records, away from the counted API: merges, conversions, everyday edits."""
