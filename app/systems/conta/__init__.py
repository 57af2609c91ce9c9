"""Speak with Conta: the books side of a link."""
