"""The gate's comparison over a dataset that exists already: what repeats, what contradicts, what is kept."""
