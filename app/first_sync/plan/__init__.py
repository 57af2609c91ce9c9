"""Keep the plan: its lines, what a person answers to them, and how they are found again."""
