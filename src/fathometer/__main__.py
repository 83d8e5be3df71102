"""`python -m fathometer` is the `fathom` command."""

from fathometer.app.door import main

main()
