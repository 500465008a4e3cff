"""Pipelines: what a manifest defines, how a run of it is planned, and what its steps are given.

`read_manifest` reads `runline.yaml` and the definitions beside it, or Wave's own files, into the structs of
`definition`. Nothing a file says can make reading fail: what is wrong becomes a problem with its file and
line, and a definition with an error, or with a construct that Runline reads and does not execute, is refused
when somebody starts it. A caller's input never becomes part of a command line or of shell text.
"""
