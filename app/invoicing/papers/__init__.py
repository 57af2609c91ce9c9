"""Write the time specification of a draft, keep it as long as the law asks, and erase it."""
