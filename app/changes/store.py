"""Keep records that are to be looked at."""
