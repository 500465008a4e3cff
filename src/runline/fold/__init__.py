"""The fold: what a stream of events amounts to. Pure; no I/O, no clock, no store.

`apply(fold, event, seq)` changes a `RunFold` by one event; `snapshot(fold)` freezes it into the
`RunState` that faces show. The store keeps the same `RunFold` as table rows in the transaction of the
events, so a projection is never anything but the fold of the log.
"""
