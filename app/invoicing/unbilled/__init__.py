"""Know the hours that are not billed: what they are worth and what hinders each."""
