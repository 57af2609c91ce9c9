"""Say what a connected system must offer, and hold the ones we have."""
