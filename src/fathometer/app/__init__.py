"""The doors: the `fathom` command and `compare`; parse, call, print."""
