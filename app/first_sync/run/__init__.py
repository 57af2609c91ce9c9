"""Carry out what was confirmed, line by line; any process may die at any point."""
