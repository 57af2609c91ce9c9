"""Say who may call: JWTs of the two systems' issuers, scoped API tokens, the caller's links."""
