"""Join one Timerabbit company (hours) to one Conta organization (books)."""
