"""The secrets that Runline knows by their looks, as one table: name, expression, an example.

Each expression has one group, the part that is replaced. It is RE2 over bytes and keeps three rules, on
which idempotence and the screen rest: nothing is asserted after the secret, so what stands left of a
replaced one never begins to match; quantifiers that end a secret are open, so that a secret is eaten
whole; and classes hold no quote, backslash or control byte unless `screen` gives a weaker expression that
also matches the JSON form of the same text. Examples are put together at run time from parts, so that no scanner takes
this file for a leak.
"""

from __future__ import annotations

import re

from msgspec import Struct


class Family(Struct, frozen=True):
    """One kind of secret. `example` is a sentence that holds a made-up one, `secret` the made-up one."""

    name: str
    pattern: bytes
    lead: str
    """What the example secret begins with, up to the random part."""
    body: str = "A9"
    """Letters that its random part is drawn from: a name of `_ALPHABETS`, or the text itself when `=…`."""
    length: int = 40
    around: str = "{}"
    """The example: the secret in its context."""
    screen: bytes | None = None
    looks: str = ""
    """How the documentation describes it; the lead when empty."""

    @property
    def secret(self) -> str:
        if self.body.startswith("="):
            return self.lead + self.body[1:]
        letters = _ALPHABETS[self.body]
        return self.lead + "".join(letters[place * 13 % len(letters)] for place in range(3, 3 + self.length))

    @property
    def screening(self) -> bytes:
        """Matches wherever `pattern` matches, also in the JSON form of the text: its beginning is enough."""
        if self.screen is not None:
            return self.screen
        return _beginning(self.pattern)

    @property
    def example(self) -> str:
        return self.around.format(self.secret)


_GROUP = re.compile(rb"(?<!\\)\((?!\?)")
_OPEN_QUANTIFIER = re.compile(rb"\{([0-9]+),\}")
_SCREENED_CHARS = 12
"""So much of the random part convinces the screen; more would only make its automaton larger."""
_WORD_START = rb"(?:\b|\\[bfnrt]|\\u[0-9a-f]{4})"
"""A word begins, or an escape stands before it, as in the JSON text of a new line."""
_ALPHABETS = {
    "A9": "Ab3dE7fGh1JkLm5NpQ9rStU2vWx8Yz4B6c0",
    "a9": "ab3de7fgh1jkm5npq9rstu2vwx8yz4b6c0",
    "AZ": "AB3DE7FGH2JKMNPQ4RSTU5VWX6YZC",
    "hex": "0f1e2d3c4b5a69788796a5b",
}


def _dotted(*lengths: int, body: str = "A9", joint: str = ".") -> str:
    letters = _ALPHABETS[body]
    return "=" + joint.join("".join(letters[(n + i * 13) % len(letters)] for i in range(n)) for n in lengths)


def _beginning(pattern: bytes) -> bytes:
    """The pattern up to the first open quantifier of each of its alternatives, which is cut short."""
    before, secret = _GROUP.split(pattern, maxsplit=1)
    return before.replace(rb"\b", _WORD_START) + (
        b"(?:"
        + b"|".join(_cut(alternative) for alternative in _alternatives(secret.removesuffix(b")")))
        + b")"
    )


def _cut(alternative: bytes) -> bytes:
    found = _OPEN_QUANTIFIER.search(alternative)
    if found is not None:
        chars = min(int(found[1]), _SCREENED_CHARS)
        alternative = alternative[: found.start()] + b"{%d}" % chars
    return alternative.replace(rb"\b", _WORD_START)


def _alternatives(pattern: bytes) -> list[bytes]:
    """Split at `|` outside of parentheses; no class of the table holds either."""
    parts, depth = [b""], 0
    for letter in pattern.decode("latin-1"):
        depth += {"(": 1, ")": -1}.get(letter, 0)
        if letter == "|" and depth == 0:
            parts.append(b"")
        else:
            parts[-1] += letter.encode("latin-1")
    return parts


BLOCKS = 3
"""So many rows at the beginning are whole blocks and headers; they come before assignments."""
# One row per line reads as the table it is.
# fmt: off
FAMILIES: tuple[Family, ...] = (
    # Whole blocks and headers come first: what they hold may look like something else as well.
    Family(
        "private_key",
        rb"(-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----[A-Za-z0-9+/=\s\\:,-]*)",
        "-----BEGIN " + "RSA PRIVATE KEY-----\nMIIE",
        "=ow\n" + "QIBAAKCAQEA" * 3 + "\n-----END " + "RSA PRIVATE KEY-----",
        screen=rb"-----BEGIN [A-Z0-9 ]*PRIVATE KEY",
        looks="a PEM, OpenSSH or PGP private key block, also one without its end",
    ),
    Family(
        "authorization_header",
        rb"(?i:\bauthorization)\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?"
        rb"((?i:basic|bearer|token|digest|negotiate|apikey|key|bot|aws4-hmac-sha256)[ \t]+[^\r\n\"']+)",
        "Digest ",
        "=username=me, response=0f1e2d3c4b",
        around="> Authorization: {}",
        screen=rb"(?i:authorization)\\*[\"']?(?:[ \t]|\\t)*[:=]",
        looks="`Authorization: <scheme> …`",
    ),
    Family(
        "cookie_header",
        rb"(?i:\b(?:set-)?cookie2?)\\*[\"']?[ \t]*[:=][ \t]*\\*[\"']?([^\s=;\"']+=[^\r\n\"']+)",
        "sid=",
        "A9",
        24,
        "Set-Cookie: {}",
        screen=rb"(?i:cookie2?)\\*[\"']?(?:[ \t]|\\t)*[:=]",
        looks="`Cookie: name=value`, `Set-Cookie: …`",
    ),
    Family(
        "bearer",
        rb"(?i:\bbearer)[ \t]+([A-Za-z._~+/-]*[0-9][A-Za-z0-9._~+/-]{7,}=*|[A-Za-z0-9._~+/-]{24,}=*)",
        "",
        "A9",
        26,
        "sent Bearer {} upstream",
        screen=rb"(?i:bearer)(?:[ \t]|\\t)+[A-Za-z0-9._~+/-]{8}",
        looks="`Bearer …`",
    ),
    Family(
        "basic_auth",
        rb"(?i:\bbasic)[ \t]+([A-Za-z0-9+/]*(?:[a-z][A-Z]|[0-9][A-Za-z]|[A-Za-z][0-9])[A-Za-z0-9+/]{6,}={0,2})",
        "",
        "=dXNlcjpwYXNz" + "d29yZA==",
        around="header was Basic {}",
        screen=rb"(?i:basic)(?:[ \t]|\\t)+[A-Za-z0-9+/]{8}",
        looks="`Basic` and base64",
    ),
    Family(
        "url_password",
        rb"://[^\s/?#:@\"'<>]*:([^\s/\"'<>]+)@",
        "",
        "A9",
        14,
        "postgres" + "://app:{}@db.internal:5432/app",
        screen=rb"://[^\s/?#:@\"'<>]*:[^\s/\"'<>]+@",
        looks="`scheme://user:…@host`, in any URL or connection string",
    ),
    Family(
        "curl_user",
        rb"(?:^|\s)(?:-u|--user|--proxy-user)[ =]\\*[\"']?[^\s:\"']+:([^\s\"']+)",
        "",
        "A9",
        12,
        "curl -u admin:{} https://api.internal/",
        screen=rb"(?:-u|--user|--proxy-user)[ =]\\*[\"']?[^\s:\"']+:[^\s\"']",
        looks="`curl -u user:…`",
    ),
    Family(
        "netrc_password",
        rb"(?i:\blogin)[ \t]+\S+[ \t]+(?i:password)[ \t]+(\S+)",
        "",
        "A9",
        12,
        "machine api.internal login me password {}",
        screen=rb"(?i:login)(?:[ \t]|\\t)+[^ ]+(?:[ \t]|\\t)+(?i:password)",
        looks="`login … password …` of a netrc file",
    ),
    Family(
        "connection_string",
        rb"(?i:;[ \t]*(?:pwd|accountkey|sharedaccesskey|sharedaccesssignature)[ \t]*=)[ \t]*([^\s;\"']+)",
        "",
        "A9",
        44,
        "Endpoint=sb" + "://x.servicebus;SharedAccessKey={};EntityPath=q",
        screen=rb"(?i:;(?:[ \t]|\\t)*(?:pwd|accountkey|sharedaccesskey|sharedaccesssignature)(?:[ \t]|\\t)*=)",
        looks="`;Pwd=…`, `;AccountKey=…`, `;SharedAccessKey=…`",
    ),
    Family("jwt", rb"(eyJ[0-9A-Za-z_-]{8,}\.[0-9A-Za-z_-]{8,}(?:\.[0-9A-Za-z_-]*)*)", "ey" + "J", _dotted(17, 30, 40), looks="`eyJ….….…`"),
    # Cloud
    Family("aws_access_key_id", rb"((?:AKIA|ASIA|ABIA|ACCA|AGPA|AIDA|AIPA|ANPA|ANVA|AROA|APKA|ASCA)[A-Z2-7]{16})", "AK" + "IA", "AZ", 16),
    Family("aws_bedrock_key", rb"(ABSK[A-Za-z0-9+/]{60,}={0,2})", "AB" + "SK", "A9", 110),
    Family("aws_mws", rb"(amzn\.mws\.[0-9a-f-]{36,})", "amzn." + "mws.", _dotted(8, 4, 4, 4, 12, body="hex", joint="-")),
    Family("google_api_key", rb"(AIza[0-9A-Za-z_-]{35,})", "AI" + "za", "A9", 35),
    Family("google_oauth_token", rb"(ya29\.[0-9A-Za-z_-]{20,})", "ya" + "29.", "A9", 60),
    Family("google_oauth_secret", rb"(GOCSPX-[0-9A-Za-z_-]{20,})", "GOC" + "SPX-", "A9", 28),
    Family("google_refresh_token", rb"\b(1//0[0-9A-Za-z_-]{40,})", "1/" + "/0", "A9", 60),
    Family("azure_client_secret", rb"([0-9A-Za-z_~.-]{3}[0-9]Q~[0-9A-Za-z_~.-]{31,})", "abc8" + "Q~", "A9", 34, looks="`…8Q~…`", screen=rb"[0-9]Q~[0-9A-Za-z_~.-]{12}"),
    Family("azure_sas", rb"[?&](?:sig|Signature|X-Amz-Signature|X-Goog-Signature)=([0-9A-Za-z%+/=_-]{20,})", "", "A9", 44, "https://x.blob.core.example/c/f?sv=2024&sig={}&se=1", looks="`?sig=…`, `&X-Amz-Signature=…` of a signed URL"),
    Family("digitalocean_token", rb"(do[opr]_v1_[0-9a-f]{40,})", "do" + "p_v1_", "hex", 64),
    Family("heroku_key", rb"(HRKU-[0-9A-Za-z_-]{30,})", "HR" + "KU-", "A9", 60),
    Family("fly_token", rb"(fm[12][ar]?_[0-9A-Za-z+/=_-]{40,})", "fm" + "2_", "A9", 80),
    Family("cloudflare_ca_key", rb"(v1\.0-[0-9a-f]{24,}-[0-9a-f]{40,})", "v1." + "0-", _dotted(24, 146, body="hex", joint="-")),
    Family("alibaba_key_id", rb"\b(LTAI[0-9A-Za-z]{12,})", "LT" + "AI", "A9", 20),
    Family("tencent_key_id", rb"\b(AKID[0-9A-Za-z]{32,})", "AK" + "ID", "A9", 32),
    Family("databricks_token", rb"\b(dapi[0-9a-f]{32,})", "da" + "pi", "hex", 32),
    Family("vault_token", rb"\b(hv[sbr]\.[0-9A-Za-z_-]{24,})", "hv" + "s.", "A9", 28),
    Family("terraform_token", rb"([0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_-]{40,})", "Ab3dE7fGh1JkLm.atlas" + "v1.", "A9", 67, looks="`….atlasv1.…`", screen=rb"\.atlasv1\."),
    Family("pulumi_token", rb"\b(pul-[0-9a-f]{40,})", "pu" + "l-", "hex", 40),
    Family("doppler_token", rb"\b(dp\.(?:pt|st|ct|sa|scim|audit)\.[0-9A-Za-z._-]{40,})", "dp." + "pt.", "A9", 43 ),
    Family("planetscale_token", rb"(pscale_(?:tkn|pw|oauth)_[0-9A-Za-z_.=-]{30,})", "pscale" + "_tkn_", "A9", 43 ),
    Family("supabase_token", rb"(sb[ps]_[0-9a-f]{40,}|sb_secret_[0-9A-Za-z_-]{20,})", "sb" + "p_", "hex", 40),
    Family("netlify_token", rb"(nf[pcu]_[0-9A-Za-z]{36,})", "nf" + "p_", "A9", 36),
    # Version control
    Family("github_token", rb"(gh[pousr]_[0-9A-Za-z_]{30,})", "gh" + "p_", "A9", 36),
    Family("github_fine_grained", rb"(github_pat_[0-9A-Za-z_]{22,})", "github" + "_pat_", "A9", 82),
    Family("gitlab_token", rb"(gl(?:pat|dt|rt|ft|ptt|soat|agent|imt|cbt|oas|ffct|wt)-[0-9A-Za-z_-]{20,})", "gl" + "pat-", "A9", 20),
    Family("bitbucket_token", rb"(ATBB[0-9A-Za-z]{28,}|ATCTT3[0-9A-Za-z_=-]{40,})", "AT" + "BB", "A9", 32),
    Family("atlassian_token", rb"(ATATT3[0-9A-Za-z_=-]{40,})", "ATA" + "TT3", "A9", 180),
    Family("linear_key", rb"(lin_(?:api|oauth)_[0-9A-Za-z]{32,})", "lin" + "_api_", "A9", 40),
    # Chat and mail
    Family("slack_token", rb"(xox[abceoprs]-[0-9A-Za-z.-]{10,})", "xo" + "xb-", _dotted(12, 12, 24, joint="-") ),
    Family("slack_app_token", rb"(xapp-[0-9]-[0-9A-Za-z-]{20,})", "xa" + "pp-1-", _dotted(11, 13, 64, joint="-") ),
    Family("slack_webhook", rb"hooks\.slack\.com/(?:services|workflows|triggers)/([0-9A-Za-z_/-]{16,})", "", _dotted(9, 11, 24, body="AZ", joint="/"), around="posting to https://hooks.slack" + ".com/services/{}"),
    Family("discord_token", rb"\b([MNO][0-9A-Za-z_-]{22,27}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,})", "M", _dotted(23, 6, 38), looks="`M….….…`", screen=rb"\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{20}"),
    Family("discord_webhook", rb"discord(?:app)?\.com/api/(?:v[0-9]+/)?webhooks/([0-9]{6,}/[0-9A-Za-z_-]{30,})", "123456789012345678/", "A9", 68, "https://discord" + ".com/api/webhooks/{}"),
    Family("telegram_token", rb"\b([0-9]{8,10}:AA[0-9A-Za-z_-]{32,})", "1234567890:" + "AA", "A9", 33, looks="`<digits>:AA…`", screen=rb"[0-9]:AA[0-9A-Za-z_-]{12}"),
    Family("teams_webhook", rb"webhook\.office\.com/([0-9A-Za-z@/_-]{30,})", "webhookb2/", "A9", 60, "https://acme.webhook.office" + ".com/{}"),
    Family("zapier_webhook", rb"hooks\.zapier\.com/hooks/catch/([0-9A-Za-z/]{8,})", "1234567/", "a9", 8, "https://hooks.zapier" + ".com/hooks/catch/{}"),
    Family("twilio_key", rb"\b(SK[0-9a-f]{32,})", "S" + "K", "hex", 32),
    Family("sendgrid_key", rb"\b(SG\.[0-9A-Za-z_-]{16,}\.[0-9A-Za-z_-]{16,})", "S" + "G.", _dotted(22, 43)),
    Family("mailgun_key", rb"\b(key-[0-9a-f]{32,})", "ke" + "y-", "hex", 32),
    Family("mailchimp_key", rb"\b([0-9a-f]{32}-us[0-9]+)", "", _dotted(32, body="hex") + "-us12", looks="32 hex digits and `-us<n>`", screen=rb"[0-9a-f]-us[0-9]"),
    Family("brevo_key", rb"(xkeysib-[0-9a-f]{40,}(?:-[0-9A-Za-z]+)?)", "xkey" + "sib-", _dotted(64, 16, body="hex", joint="-")),
    # Language models
    Family("anthropic_key", rb"(sk-ant-[0-9A-Za-z_-]{20,})", "sk-" + "ant-api03-", "A9", 95),
    Family("openrouter_key", rb"(sk-or-[0-9A-Za-z_-]{32,})", "sk-" + "or-v1-", "hex", 64),
    Family("langfuse_key", rb"(sk-lf-[0-9a-f-]{32,})", "sk-" + "lf-", _dotted(8, 4, 4, 4, 12, body="hex", joint="-")),
    Family("openai_key", rb"\b(sk-(?:proj|svcacct|admin|None)-[0-9A-Za-z_-]{20,}|sk-[0-9A-Za-z]{32,})", "sk" + "-proj-", "A9", 64),
    Family("huggingface_token", rb"\b((?:hf|api_org)_[0-9A-Za-z]{30,})", "h" + "f_", "A9", 34),
    Family("replicate_token", rb"\b(r8_[0-9A-Za-z]{36,})", "r" + "8_", "A9", 37),
    Family("groq_key", rb"\b(gsk_[0-9A-Za-z]{40,})", "gs" + "k_", "A9", 52),
    Family("perplexity_key", rb"(pplx-[0-9A-Za-z]{40,})", "pp" + "lx-", "A9", 48),
    Family("xai_key", rb"\b(xai-[0-9A-Za-z]{40,})", "xa" + "i-", "A9", 80),
    Family("langsmith_key", rb"(lsv2_(?:pt|sk)_[0-9a-f_]{32,})", "lsv2" + "_pt_", _dotted(32, 10, body="hex", joint="_")),
    Family("fireworks_key", rb"\b(fw_[0-9A-Za-z]{24,})", "f" + "w_", "A9", 24),
    Family("nvidia_key", rb"(nvapi-[0-9A-Za-z_-]{40,})", "nv" + "api-", "A9", 64),
    Family("tavily_key", rb"(tvly-[0-9A-Za-z_-]{20,})", "tv" + "ly-", "A9", 32),
    # Payment
    Family("stripe_key", rb"((?:sk|rk)_(?:live|test)_[0-9A-Za-z]{16,}|whsec_[0-9A-Za-z+/=]{24,})", "sk" + "_live_", "A9", 24),
    Family("square_token", rb"(sq0[a-z]{3}-[0-9A-Za-z_-]{22,}|\bEAAA[0-9A-Za-z_-]{60,})", "sq0" + "atp-", "A9", 22),
    Family("braintree_token", rb"(access_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32,})", "access" + "_token$production$", _dotted(16, 32, body="hex", joint="$")),
    Family("shopify_token", rb"(shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{32,})", "shp" + "at_", "hex", 32),
    Family("paddle_key", rb"(pdl_(?:live|sdbx)_[0-9A-Za-z_]{30,})", "pdl" + "_live_apikey_", "a9", 50),
    # Package and image registries
    Family("npm_token", rb"\b(npm_[0-9A-Za-z]{36,})", "np" + "m_", "A9", 36),
    Family("pypi_token", rb"(pypi-[0-9A-Za-z_-]{50,})", "py" + "pi-AgEIcHlwaS5vcmc", "A9", 120),
    Family("rubygems_key", rb"(rubygems_[0-9a-f]{40,})", "ruby" + "gems_", "hex", 48),
    Family("docker_token", rb"(dckr_(?:pat|oat)_[0-9A-Za-z_-]{20,})", "dckr" + "_pat_", "A9", 27),
    Family("nuget_key", rb"\b(oy2[0-9a-z]{43,})", "oy" + "2", "a9", 43),
    Family("crates_token", rb"\b(cio[0-9A-Za-z]{32,})", "ci" + "o", "A9", 32),
    Family("jfrog_key", rb"\b((?:AKCp|cmVmdGtu)[0-9A-Za-z]{56,})", "AK" + "Cp", "A9", 69),
    # Monitoring and other services
    Family("grafana_token", rb"(gl(?:c|sa)_[0-9A-Za-z+/=_]{32,})", "gl" + "sa_", _dotted(32, 8, body="hex", joint="_")),
    Family("newrelic_key", rb"(NR(?:AK|II|JS|RA)-[0-9A-Za-z]{19,})", "NR" + "AK-", "AZ", 27),
    Family("sentry_token", rb"(sntry[su]_[0-9A-Za-z+/=_-]{40,})", "snt" + "rys_", "A9", 80),
    Family("dynatrace_token", rb"(dt0[a-z][0-9]{2}\.[0-9A-Z]{24,}\.[0-9A-Z]{60,})", "dt0" + "c01.", _dotted(24, 64, body="AZ")),
    Family("notion_token", rb"\b((?:ntn|secret)_[0-9A-Za-z]{40,})", "nt" + "n_", "A9", 46),
    Family("airtable_token", rb"\b(pat[0-9A-Za-z]{14}\.[0-9a-f]{60,})", "pa" + "t", _dotted(14, 64, body="hex") ),
    Family("figma_token", rb"(fig[dou]_?[rh]?_[0-9A-Za-z_-]{40,})", "fig" + "d_", "A9", 40),
    Family("postman_key", rb"(PMAK-[0-9a-f]{24}-[0-9a-f]{30,})", "PM" + "AK-", _dotted(24, 34, body="hex", joint="-")),
    Family("hubspot_token", rb"\b(pat-(?:na|eu|ap)[0-9]-[0-9a-f-]{36,})", "pa" + "t-na1-", _dotted(8, 4, 4, 4, 12, body="hex", joint="-")),
    Family("facebook_token", rb"\b(EAA[0-9A-Za-z]{80,})", "EA" + "A", "A9", 120),
    Family("mapbox_token", rb"\b(sk\.eyJ[0-9A-Za-z_-]{20,}\.[0-9A-Za-z_-]{16,})", "sk." + "eyJ", _dotted(60, 22) ),
    Family("onepassword_token", rb"(ops_eyJ[0-9A-Za-z_=-]{60,})", "ops" + "_eyJ", "A9", 200),
    Family("age_key", rb"(AGE-SECRET-KEY-1[0-9A-Z]{50,})", "AGE-SECRET" + "-KEY-1", "AZ", 58),
    Family("runline_token", rb"\b(rl_[0-9A-Za-z_-]{40,})", "r" + "l_", "A9", 43),
)
# fmt: on
