"""The vendors' HTTP interfaces: signing, envelope, errors and the call queue of an account."""
