"""How fast the first import is, how much memory it takes, and how both grow: beside curl into DuckDB, and beside others."""
