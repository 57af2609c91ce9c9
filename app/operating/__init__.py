"""See what is wrong over all links, and mend it with one command: the person woken at night."""
