"""Which names stand for a secret: `password`, `apiKey`, `DB_PASSWORD`; not `max_tokens` or `token_count`.

A name is read as words, split at `_ - .`, space, digits and case changes; a listed phrase counts only when it
covers whole words. One builder makes the expression that judges a key, the one that finds assignments in text
and the one that screens encoded batches, so that the screen can never be narrower than the judgement.
All expressions are RE2 over bytes (Latin-1), so every search is linear in the text.
"""

from __future__ import annotations

from functools import lru_cache

from runline.intake.linear import linear

# Word lists read as prose, not as columns.
# fmt: off
PHRASES: tuple[str, ...] = (
    "access key", "access token", "account key", "api key", "api keys", "api token", "app key", "auth key",
    "auth token", "authorization", "backup codes", "bearer", "card number", "client secret",
    "connection string", "consumer key", "cookie", "cookies", "credential", "credentials", "creds",
    "credit card", "csrf", "cvc", "cvv", "db pass", "deploy key", "encryption key", "id token",
    "jsessionid", "jwt", "key passphrase", "license key", "master key", "mnemonic", "otp", "pass word",
    "passcode", "passphrase", "passwd", "password", "passwords", "pgpassword", "phpsessid", "pin code",
    "private key", "pwd", "recovery code", "recovery codes", "redis pass", "refresh token", "secret",
    "secret id", "secret key", "secrets", "secret access key", "seed phrase", "service key", "session key",
    "session token", "set cookie", "shared key", "signing key", "smtp pass", "social security number",
    "ssh key", "ssn", "sshpass", "storage key", "subscription key", "token", "totp", "user pass",
    "user pwd", "webhook key", "xsrf",
)
NUMERIC = frozenset((
    "passcode", "passphrase", "password", "passwd", "pwd", "pin_code", "otp", "totp", "cvc", "cvv", "ssn",
    "card_number", "credit_card", "social_security_number", "secret",
))
"""Under these a number is a secret too; a `token: 5` is a count."""
_DESCRIBES = frozenset((
    "count", "counts", "usage", "used", "limit", "limits", "budget", "type", "types", "total", "totals",
    "length", "len", "size", "sizes", "rate", "rates", "cost", "price", "name", "names", "id", "ids",
    "index", "idx", "url", "uri", "endpoint", "policy", "expiry", "expires", "expired", "expiration", "ttl",
    "age", "created", "updated", "rotated", "at", "status", "state", "valid", "version", "file", "path",
    "dir", "provider", "format", "required", "enabled", "present", "exists", "missing", "strength", "min",
    "max", "num", "per", "ms", "manager", "reset", "rotation", "throughput", "error", "errors",
))
"""A phrase followed by one of these is about the secret, not the secret."""
_MODEL_TOKENS = frozenset((
    "eos", "bos", "pad", "unk", "sep", "cls", "mask", "stop", "special", "first", "last", "prompt",
    "completion", "input", "output", "reasoning", "cached", "max", "min", "num", "total", "per", "every",
    "each",
))
"""`eos_token` and the like belong to a language model's vocabulary."""
# fmt: on

_START = {
    "lower": rb"(?:\b|[_0-9])",
    "Title": rb"",
    "UPPER": rb"(?:\b|[_0-9a-z])",
}
"""What may stand before the first word, by how that word is written; nothing may not when case separates."""
_GAP = rb"[-_. ]{0,2}"
_NEXT_WORD = linear(rb"[^A-Za-z0-9]{0,2}([A-Z]?[a-z]+|[A-Z]+)")
_LAST_WORD = linear(rb"([A-Z]?[a-z]+|[A-Z]+)[^A-Za-z0-9]{0,2}\z")


def named(after_lower: bytes, after_upper: bytes) -> bytes:
    """An expression for any listed phrase, as whole words, followed by one of the two tails.

    `after_lower` must refuse a lower-case letter next (`tokens`), `after_upper` any letter that goes on with the
    word (`TOKENS`).
    """
    alternatives = []
    for first in ("lower", "Title", "UPPER"):
        for last_is_upper, tail in ((False, after_lower), (True, after_upper)):
            bodies = [body for phrase in _longest_first() if (body := _spelt(phrase, first, last_is_upper))]
            alternatives.append(_START[first] + rb"(?:" + rb"|".join(bodies) + rb")" + tail)
    return rb"(?:" + rb"|".join(alternatives) + rb")"


def mentioned(after_lower: bytes, after_upper: bytes) -> bytes:
    """Matches wherever `named` does, whatever stands before: small, and blind to the escapes of JSON."""
    lower, upper = (
        rb"|".join(
            body
            for phrase in _longest_first()
            for first in ("lower", "Title", "UPPER")
            if (body := _spelt(phrase, first, last_is_upper))
        )
        for last_is_upper in (False, True)
    )
    return rb"(?:(?:" + lower + rb")" + after_lower + rb"|(?:" + upper + rb")" + after_upper + rb")"


def _longest_first() -> list[str]:
    return sorted(PHRASES, key=lambda phrase: (-len(phrase), phrase))


def _spelt(phrase: str, first: str, last_is_upper: bool) -> bytes:
    words = phrase.split()
    if len(words) == 1:
        if (first == "UPPER") != last_is_upper:
            return b""
        return _cased(words[0], first)
    last = words[-1]
    ending = (
        _cased(last, "UPPER")
        if last_is_upper
        else rb"(?:" + _cased(last, "lower") + rb"|" + last.title().encode() + rb")"
    )
    middle = [
        rb"(?:" + rb"|".join(_cased(word, case) for case in ("lower", "Title", "UPPER")) + rb")"
        for word in words[1:-1]
    ]
    return _GAP.join([_cased(words[0], first), *middle, ending])


def _cased(word: str, case: str) -> bytes:
    return {"lower": word, "Title": word.title(), "UPPER": word.upper()}[case].encode()


_PHRASE = linear(named(rb"(?:[^a-z]|\z)", rb"(?:[^A-Za-z]|[A-Z][a-z]|\z)"))
_BY_LETTERS = {phrase.replace(" ", ""): phrase.replace(" ", "_") for phrase in PHRASES}


def secret_in(text: bytes, start: int = 0, end: int | None = None) -> str | None:
    """The rule (`api_key`) of the first secret phrase of the name `text[start:end]`, else None."""
    context = max(0, start - 32)
    return _rule(text[context:end], start - context)


@lru_cache(8192)
def _rule(name: bytes, position: int) -> str | None:
    while found := _PHRASE.search(name, position):
        rule, before, behind = _read(found.group())
        first, position = found.start() + before, found.end() - behind
        following = _NEXT_WORD.match(name, position)
        if following is not None and following.group(1).decode().lower() in _DESCRIBES:
            continue
        preceding = _LAST_WORD.search(name[max(0, first - 32) : first])
        if rule == "token" and preceding is not None and preceding.group(1).decode().lower() in _MODEL_TOKENS:
            continue
        return rule
    return None


@lru_cache(4096)
def _read(found: bytes) -> tuple[str, int, int]:
    """Which phrase was found, and how many bytes before and behind it belong to its neighbours."""
    text = found.decode("latin-1")
    before = 0 if text[0].isalpha() and not (text[0].islower() and text[1].isupper()) else 1
    for end in (len(text), len(text) - 1, len(text) - 2):
        phrase = text[before:end].rstrip("-_. 0123456789")
        letters = "".join(letter for letter in phrase.lower() if "a" <= letter <= "z")
        if letters in _BY_LETTERS and phrase[-1:].isascii() and phrase[-1:].isalpha():
            return _BY_LETTERS[letters], before, len(text) - before - len(phrase)
    raise AssertionError(found)  # pragma: no cover - the expression is made of these very phrases


@lru_cache(8192)
def _remembered(key: str) -> str | None:
    return secret_in(key.encode("utf-8", "surrogatepass"))


def key_rule(key: str) -> str | None:
    """The rule that makes the value under this key a secret, else None."""
    return _remembered(key) if len(key) <= 1000 else _remembered.__wrapped__(key)
