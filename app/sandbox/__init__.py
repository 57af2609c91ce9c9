"""Hold runnable twins of both systems: own store, faults on demand, nothing of the service."""
