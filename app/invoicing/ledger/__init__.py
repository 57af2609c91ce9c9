"""Know where each hour is, and what was billed of it since."""
