"""Measurements to repeat, one package per subject: `make bench NAME=orgsim`. Not for tests, which assert no times."""
