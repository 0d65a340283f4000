"""A small Django app whose jobs are killed, stolen and given wrong clocks, to see that nothing is lost or doubled."""
