"""Keep the plan of the first sync."""
