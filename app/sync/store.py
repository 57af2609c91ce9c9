"""Keep conflicts and history."""
