"""Make a draft once, follow it in the books, and set its hours free when it is over."""
