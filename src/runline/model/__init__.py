"""The nouns of Runline and the rules that need nothing but themselves.

A run is a stream of events; everything else is a view of it. This floor holds the frozen structs that
every other floor passes around, the catalogue of event types, the vocabularies of statuses and steps,
the filter language, errors with codes, ids, durations and the clock. It does no I/O and imports
nothing from the floors above.

Instants are whole milliseconds since 1970-01-01 UTC in fields that end in `_ms`; properties without the
suffix give aware datetimes; JSON carries the 24-character text.
"""
