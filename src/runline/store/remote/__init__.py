"""A store behind `runline serve`: the same methods over HTTP, and a recorder's way there that survives its absence."""
