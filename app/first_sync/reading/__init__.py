"""Read both sides whole before anything is matched, and wait for a side that is away."""
