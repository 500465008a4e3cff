"""What leaves a store, and comes back.

`export_run` streams one run as JSON (the Timeline's export with the run in full), JSONL (canonical events,
a line each) or CSV; `read_export` reads the first two as a stream again. Each format is functions over
plain iterables, so that memory never follows the length of the run.
"""
