"""Numbered, forward-only steps of the schema: `NNNN_name.sql`, applied in order, each once."""
