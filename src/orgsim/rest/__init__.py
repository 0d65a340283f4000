"""The counted data API under /services/data: its endpoints, and the gate every call of it passes."""
