"""The command line: each command parses, calls the store and shows. No SQL, no rule of its own.

`main.py` holds the application, `commands.py` the table of commands, whose modules are imported only when
they are invoked. What a run said goes to the screen through `output.py` and nowhere else.
"""
