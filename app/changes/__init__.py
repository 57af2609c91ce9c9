"""Keep the records that are to be looked at, as a set."""
