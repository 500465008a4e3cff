"""What the gate leaves in a request's scope for those behind it."""

from __future__ import annotations

IDENTITY = "runline.identity"
"""Who is calling; None: nobody, on a public route."""
ONLY_HEAD = "runline.only_head"
"""The request was HEAD."""
STILL_GOOD = "runline.still_good"
"""Asks again who is calling, for answers that go on; raises Unauthorized."""
ADMISSION = "runline.admission"
"""What a handler may ask for by name."""
