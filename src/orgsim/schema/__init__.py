"""What objects and fields an org has: the model, the standard objects, the catalog of one org, and its describes."""
