"""Keep pairs equal."""
