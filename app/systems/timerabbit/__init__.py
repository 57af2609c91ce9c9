"""Speak with Timerabbit: the time side of a link."""
