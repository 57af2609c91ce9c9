"""Keep previews, drafts and the hour ledger."""
