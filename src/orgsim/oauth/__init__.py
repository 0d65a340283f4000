"""Logging in: apps, users' passwords, the web server flow with PKCE, tokens and identity (facts A)."""
