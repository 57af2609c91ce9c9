"""Tell the whole story through HTTP only."""
