"""Start what is asked for: serve, worker, migrate, sandbox, demo, match, bench. Imports stand inside commands."""
