"""Turn hours into an invoice draft, each hour once, to the øre."""
