"""Keep webhook deliveries."""
