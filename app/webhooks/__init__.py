"""Hear of a change: verify, keep once, note, answer."""
