"""The recorder: what a program uses to tell its run while it happens.

A run is opened with `runline.run`, events go in through it without waiting, and leaving it writes the end.
After the start nothing here raises into the program or holds it up longer than the queue's limit: what could not
be stored is counted and told by `flush`, `end` and the run itself. Context (which run, step and call) follows
threads and tasks through contextvars, child processes through the environment, and forks through the
handles, which open a way of their own.
"""
