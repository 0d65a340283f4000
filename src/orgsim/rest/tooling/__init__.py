"""The part of the Tooling API that is simulated: the schema as rows, and Apex triggers (facts C.7)."""
