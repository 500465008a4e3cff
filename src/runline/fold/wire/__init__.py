"""What the fold amounts to as JSON: failure, comparison, state, histogram and graph of a run.

As in `model/wire/`, which has what they are made of: a struct for each answer, defined once, the function
that makes it and the one that leads back.
"""
