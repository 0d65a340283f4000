"""Which versions of the API the org serves."""

MIN_VERSION, MAX_VERSION = 31, 67
