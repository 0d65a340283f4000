"""How fast the first import is, how much memory it takes, how both grow: beside curl into DuckDB, and beside others."""
