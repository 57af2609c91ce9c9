"""Let a person review the first sync before anything is written."""
