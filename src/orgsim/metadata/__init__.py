"""Metadata API deployments over REST: a zip of objects, fields and permission sets that become real (facts C.8)."""
