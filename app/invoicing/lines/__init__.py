"""Turn hours into lines: grouping, text, increments, price and VAT code, to the øre."""
