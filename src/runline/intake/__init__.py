"""What every caller's text passes before it is stored: accept → redact → truncate → encode.

`accept` turns anything into a `Draft`: names cleaned, what is missing filled in, `data` in its documented
JSON form (`safe`). Ordinary events leave it encoded and not yet redacted: the writer thread redacts whole
batches with one search (`redact`). Odd and oversize events are redacted, cut (`truncate`) and encoded at once,
so that redaction always precedes truncation. No I/O happens here.
"""
