"""Made-up secrets to plant, and ordinary lines that hold none.

Written down apart from the table that redaction uses, after what the providers publish, so that one can be wrong
without the other. Every sample is put together at run time from its parts: no scanner takes this file
for a leak, and no sample ever was a real secret.
"""

from __future__ import annotations

import base64
import random
import string

_ALNUM = string.ascii_letters + string.digits
_URL = _ALNUM + "-_"
_HEX = "0123456789abcdef"
_UPPER = string.ascii_uppercase + "234567"
_LOWER = string.ascii_lowercase + string.digits

# Prefix in two parts, then pieces of (letters, how many) or text in between.
_SHAPES: dict[str, tuple[str | tuple[str, int], ...]] = {
    "aws key id": ("AK", "IA", (_UPPER, 16)),
    "aws temporary key id": ("AS", "IA", (_UPPER, 16)),
    "google api key": ("AI", "za", (_URL, 35)),
    "google access token": ("ya", "29.", (_URL, 120)),
    "google client secret": ("GOC", "SPX-", (_URL, 28)),
    "azure client secret": ((_ALNUM, 3), "8", "Q~", (_ALNUM, 34)),
    "digitalocean": ("dop", "_v1_", (_HEX, 64)),
    "databricks": ("da", "pi", (_HEX, 32)),
    "vault": ("hv", "s.", (_URL, 90)),
    "terraform": ((_ALNUM, 14), ".atlas", "v1.", (_URL, 67)),
    "pulumi": ("pu", "l-", (_HEX, 40)),
    "doppler": ("dp", ".pt.", (_ALNUM, 43)),
    "planetscale": ("pscale", "_tkn_", (_URL, 43)),
    "supabase": ("sb", "p_", (_HEX, 40)),
    "netlify": ("nf", "p_", (_ALNUM, 36)),
    "alibaba": ("LT", "AI", (_ALNUM, 20)),
    "github classic": ("gh", "p_", (_ALNUM, 36)),
    "github app": ("gh", "s_", (_ALNUM, 36)),
    "github fine-grained": ("github", "_pat_", (_ALNUM, 22), "_", (_ALNUM, 59)),
    "gitlab": ("gl", "pat-", (_URL, 20)),
    "bitbucket": ("AT", "BB", (_ALNUM, 32)),
    "atlassian": ("ATA", "TT3", (_URL, 180)),
    "linear": ("lin", "_api_", (_ALNUM, 40)),
    "slack bot": ("xo", "xb-", ("123456789", 12), "-", ("123456789", 12), "-", (_ALNUM, 24)),
    "slack app": ("xa", "pp-1-", (_UPPER, 11), "-", ("123456789", 13), "-", (_HEX, 64)),
    "discord bot": ("M", "T", (_ALNUM, 24), ".", (_URL, 6), ".", (_URL, 38)),
    "telegram": (("123456789", 10), ":", "AA", (_URL, 33)),
    "twilio": ("S", "K", (_HEX, 32)),
    "sendgrid": ("S", "G.", (_URL, 22), ".", (_URL, 43)),
    "mailgun": ("ke", "y-", (_HEX, 32)),
    "mailchimp": ((_HEX, 32), "-u", "s21"),
    "brevo": ("xkey", "sib-", (_HEX, 64), "-", (_ALNUM, 16)),
    "anthropic": ("sk-", "ant-api03-", (_URL, 95)),
    "openai": ("s", "k-", (_ALNUM, 48)),
    "openai project": ("sk-", "proj-", (_URL, 120)),
    "openrouter": ("sk-", "or-v1-", (_HEX, 64)),
    "hugging face": ("h", "f_", (_ALNUM, 34)),
    "replicate": ("r", "8_", (_ALNUM, 37)),
    "groq": ("gs", "k_", (_ALNUM, 52)),
    "perplexity": ("pp", "lx-", (_ALNUM, 48)),
    "xai": ("xa", "i-", (_ALNUM, 80)),
    "langsmith": ("lsv2", "_pt_", (_HEX, 32), "_", (_HEX, 10)),
    "nvidia": ("nv", "api-", (_URL, 64)),
    "stripe live": ("sk", "_live_", (_ALNUM, 24)),
    "stripe restricted": ("rk", "_test_", (_ALNUM, 99)),
    "stripe webhook": ("wh", "sec_", (_ALNUM, 32)),
    "square": ("sq0", "atp-", (_URL, 22)),
    "shopify": ("shp", "at_", (_HEX, 32)),
    "npm": ("np", "m_", (_ALNUM, 36)),
    "pypi": ("py", "pi-AgEIcHlwaS5vcmc", (_URL, 150)),
    "rubygems": ("ruby", "gems_", (_HEX, 48)),
    "docker hub": ("dckr", "_pat_", (_URL, 27)),
    "nuget": ("oy", "2", (_LOWER, 43)),
    "crates.io": ("ci", "o", (_ALNUM, 32)),
    "grafana": ("gl", "sa_", (_ALNUM, 32), "_", (_HEX, 8)),
    "new relic": ("NR", "AK-", (_UPPER, 27)),
    "sentry": ("snt", "rys_", (_ALNUM, 90)),
    "dynatrace": ("dt0", "c01.", (_UPPER, 24), ".", (_UPPER, 64)),
    "notion": ("nt", "n_", (_ALNUM, 46)),
    "airtable": ("pa", "t", (_ALNUM, 14), ".", (_HEX, 64)),
    "figma": ("fig", "d_", (_URL, 40)),
    "postman": ("PM", "AK-", (_HEX, 24), "-", (_HEX, 34)),
    "facebook": ("EA", "A", (_ALNUM, 150)),
    "jwt": ("ey", "J", (_ALNUM, 33), ".ey", "J", (_ALNUM, 60), ".", (_URL, 43)),
    "age": ("AGE-SECRET", "-KEY-1", (_UPPER, 58)),
    "runline": ("r", "l_", (_URL, 43)),
}
SAMPLES_PER_FAMILY = 3

_CONTEXTUAL: dict[str, str] = {
    "bearer": "GET /v1/me Bearer {}",
    "authorization header": "Authorization: Basic {}",
    "url password": "postgres" + "://app:{}@db.internal:5432/app",
    "redis url": "redis" + "://:{}@cache:6379/0",
    "cookie": "Cookie: session={}; theme=dark",
    "assignment": "DB_PASSWORD={} ./migrate",
    "yaml": "api_key: {}",
    "json in text": 'body was {{"client_secret": "{}", "n": 1}}',
    "python repr": "connect(host='db', password='{}')",
    "flag": "deploy --auth-token {} --verbose",
    "curl": "curl -u admin:{} https://api.internal/x",
    "query": "GET /cb?access_token={}&state=1",
    "odbc": "Server=db;Uid=sa;Pwd={};Encrypt=yes",
    "azure storage": "AccountName=x;AccountKey={};EndpointSuffix=core",
    "slack webhook": "https://hooks.slack" + ".com/services/T00000000/B00000000/{}",
    "discord webhook": "https://discord" + ".com/api/webhooks/123456789012345678/{}",
    "netrc": "machine api.internal login me password {}",
}
"""Secrets that only what stands around them gives away: `{}` is the secret."""


def _made(shape: tuple[str | tuple[str, int], ...], chance: random.Random) -> str:
    return "".join(
        piece if isinstance(piece, str) else "".join(chance.choice(piece[0]) for _ in range(piece[1]))
        for piece in shape
    )


def _plain_secret(chance: random.Random) -> str:
    """Forty letters and digits, neither first nor last a punctuation mark."""
    return "".join(chance.choice(_ALNUM) for _ in range(38)) + "7x"


def _pem(chance: random.Random, kind: str) -> str:
    body = base64.b64encode(chance.randbytes(300)).decode()
    lines = "\n".join(body[at : at + 64] for at in range(0, len(body), 64))
    return f"-----BEGIN {kind}-----\n{lines}\n-----END {kind}-----"


def _all_secrets() -> dict[str, tuple[tuple[str, str], ...]]:
    chance = random.Random(20261121)
    made: dict[str, tuple[tuple[str, str], ...]] = {}
    for name, shape in _SHAPES.items():
        samples = [_made(shape, chance) for _ in range(SAMPLES_PER_FAMILY)]
        made[name] = tuple((sample, sample) for sample in samples)
    for name, around in _CONTEXTUAL.items():
        samples = [_plain_secret(chance) for _ in range(SAMPLES_PER_FAMILY)]
        made[name] = tuple((around.format(sample), sample) for sample in samples)
    for kind in ("PRIVATE KEY", "RSA PRIVATE KEY", "OPENSSH PRIVATE KEY"):
        block = _pem(chance, kind)
        made[kind.lower()] = ((block, block.split("\n")[2]),)
    return made


SECRETS: dict[str, tuple[tuple[str, str], ...]] = _all_secrets()
"""Family → samples of (text to plant, the part that must not survive)."""

KEYED: tuple[str, ...] = (
    "password",
    "userPassword",
    "DB_PASSWORD",
    "passwd",
    "secret",
    "client_secret",
    "clientSecret",
    "token",
    "access_token",
    "refreshToken",
    "api_key",
    "apiKey",
    "X-API-Key",
    "apikey",
    "aws.secret.access.key",
    "private key",
    "Authorization",
    "Set-Cookie",
    "credentials",
    "AWS_SECRET_ACCESS_KEY",
    "GITHUB_TOKEN",
    "oauthToken2",
    "csrf_token",
    "otp",
    "connectionString",
)
"""Keys under which any text is a secret."""

ORDINARY: tuple[str, ...] = (
    "processed page 40 of 120 in 812ms",
    "tokens_used=432 max_tokens=4096 tokens: 18, prompt_tokens=12 completion_tokens=9",
    "token_count: 4096, token_limit=8192 tokens_in=12 tokens_out=30",
    "tokenizer loaded: cl100k_base, eos_token=</s> vocab 100256",
    "used 1,234 tokens of 8,192; 3 tokens left",
    "Unexpected token '<', \"<!DOCTYPE \"... is not valid JSON",
    "SyntaxError: Unexpected token } in JSON at position 41",
    "unexpected token: '}' near line 7",
    "commit 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b merged into main",
    "sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    "md5 d41d8cd98f00b204e9800998ecf8427e  empty.txt",
    'etag "33a64df551425fcc55e4d42a148795d9f25f89d4"',
    "run 7c9e6679-7425-40de-944b-e07fc1f90ae7 started",
    "request_id=01HF8Z3K5Q2V7W9X4Y6B8C0D1E trace 4bf92f3577b34da6a3ce929d0e0e4736",
    "nightly-report-20261120-020000-9f86d08188 ended",
    "GET https://api.example.com:8443/v1/runs?limit=100&after=20 200 12ms",
    "cloning https://github.com/acme/tool.git into /srv/build/tool",
    "mail to ops@example.com from bot@example.com: build passed",
    "wrote /var/lib/app/data/part-00001-of-00010.parquet (12.5 MB)",
    "reading src/auth/token_bucket.py and src/secrets/__init__.py",
    "C:\\Users\\me\\project\\password_reset.html saved",
    'File "/srv/app/auth.py", line 42, in check_password',
    '    raise ValueError("password must not be empty")',
    "    token = request.headers.get(name)",
    "    return connect(host, password=password, token=self.token)",
    "password: must be at least 12 characters",
    "password is required; password reset mail sent",
    "no secret found; secrets scanned: 12 files, secret_name=db-main",
    "authentication failed for user me: basic authentication is disabled",
    "the bearer of this message is happy",
    "cookie policy accepted; cookies disabled",
    "api key rotation scheduled; access_key_id rotated",
    "export TOKEN=$CI_TOKEN PASSWORD=${DB_PASSWORD} SECRET=<your-secret>",
    "ratio 0.918273645 over 18446744073709551615 rows at 1795200000000000000",
    "version 1.2.3-rc.4+build.5678 of sk-learn-pipeline-with-a-long-name",
    "task-runner disk-usage-of-the-large-volume risk-assessment-of-the-month",
    "base64 of the logo: iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk",
    "jpeg data:image/png;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7",
    "pip install requests==2.32.3 --hash=sha256:70761cfe03c773ceb22aa2f671b4757976145175cdfca038c02654d061d6dcc6",
    "kubectl get pods -n kube-system | grep api-server-key-value-store",
    "SELECT id, name FROM users WHERE key = 'a' AND author = 'b' ORDER BY key",
    "keyboard layout: us; monkey: 3; turkey=4; keyword: await",
    "authors: Ann, Bob; authority: root; authored 3 files",
    "passed: 12, failed: 0, skipped: 1; bypass=true passenger: 4 compass: N",
    "PWD=/ho" + "me/me/project OLDPWD=/ho" + "me/me SHELL=/bin/bash",
    "Zeichenkette mit Umlauten: äöü, 漢字, emoji 😀, e\u0301",
    "key-value pairs: 32; hash key 0x7f3a; primary key (run, seq)",
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIGv5 me@host",
    "-----BEGIN CERTIFICATE----- is public",
    "arn:aws:iam::123456789012:role/service-role/app",
    "AC00000000000000000000000000000000 sent 3 messages",
)
"""Lines of ordinary logs: redaction changes none of them."""
