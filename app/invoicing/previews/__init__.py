"""Show a draft as it will stand in the books, with every problem at once."""
