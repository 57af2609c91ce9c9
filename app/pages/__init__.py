"""Show pages: documentation that works offline, the catalogue of problems, health and metrics."""
