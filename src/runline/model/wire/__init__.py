"""Every JSON answer about runs, defined once: the HTTP API, `--json`, exports and the HTTP store share it.

One file a noun, each with its structs, the functions that make them and those that lead back. A key is
always there and null where nothing is known, unless its type says that it may be absent. Keys may be
added, never renamed.
"""
