"""Tests of the jobs room in one process; workers that die and clocks that jump are in tests/torture."""
