"""Say what a record must be before it may exist on the other side, and make it there."""
