"""`python -m runline.cli`: the command line where the `runline` script is not on the path."""

from __future__ import annotations

from runline.cli.main import main

main()
