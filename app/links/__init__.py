"""Say which Timerabbit company belongs to which Conta organization."""
