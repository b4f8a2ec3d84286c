"""Networks of a user's own, as `ntkverify new network` writes them: each a file that needs nothing of this package."""
