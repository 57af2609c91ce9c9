"""Check in a living installation what the tests check: what the ledger may never say."""
