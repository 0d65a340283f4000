"""Keeps orgs in SQLite files: one file of data and one of usage per org, and a register of the orgs beside them."""
