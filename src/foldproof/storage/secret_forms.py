"""List the forms that secrets take: URIs, headers, command lines and the tokens of known services. Pure.

Of each form the group `secret` is taken out and all else stays. What a name tells (`password=…`) is in `secret_names`.
Each pattern takes time linear in the length of the text: it begins where few texts do, takes names and runs of
characters at once, and looks no further than a bounded number of characters.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True)
class SecretForm:
    """`title` says to a person what was found; only texts with one of `hints`, in small letters, can hold it."""

    title: str
    hints: tuple[str, ...]
    pattern: re.Pattern[str]

    def spans(self, text: str, folded: str) -> Iterator[tuple[int, int]]:
        """Where the secrets of this form are in `text`, which is `folded` in small letters."""
        if any(hint in folded for hint in self.hints):
            yield from (found.span("secret") for found in self.pattern.finditer(text))


def _form(title: str, hints: str, pattern: str) -> SecretForm:
    return SecretForm(title, tuple(hints.split()), re.compile(pattern))


_DATABASES = (
    r"(?:postgres(?:ql)?|mysql|mariadb|mssql|oracle|mongodb|rediss?|amqps?|cockroachdb|snowflake|clickhouse|ldaps?"
    r"|smtps?|s?ftps?|mqtts?|nats|kafka)"
)
_SCHEME_BEGINS = r"(?<![a-z0-9+.-])"
_TO_THE_SLASH = r"[^\s@/]++"
# A password may hold `/`, `?` and `#`, though a URI should spell them otherwise; `host:5000/a@b` has a port instead.
_PAST_THE_SLASH = r"(?!\d{2,5}/)[^\s@\"'`<>]{1,256}+"
_MORE = r"(?:@[^\s@/\"',;<>]++)*"

URIS = (
    _form(
        "the password of a database's or mail server's URI",
        "://",
        rf"(?i){_SCHEME_BEGINS}{_DATABASES}(?:\+[a-z0-9+.-]++)?://[^\s/:@]*+:(?P<secret>[^\s\"'`<>]{{1,256}})@",
    ),
    _form(
        "the password of a URI",
        "://",
        rf"(?i){_SCHEME_BEGINS}[a-z0-9+.-]++://[^\s/:@]*+:(?P<secret>(?:{_TO_THE_SLASH}|{_PAST_THE_SLASH}){_MORE})@",
    ),
    _form(
        "the password of a URI whose user is an address",
        "://",
        rf"(?i){_SCHEME_BEGINS}[a-z0-9+.-]++://[^\s/:@]++@[^\s/:@]++:(?P<secret>{_TO_THE_SLASH})@",
    ),
    _form("the token of a URI", "http", r"(?i)\bhttps?://(?P<secret>[^\s/:@?#\"'`<>]++)@"),
)

_NAME_ENDS = r"\\{0,4}[\"']?[ \t]{0,8}[:=,][ \t]{0,8}\\{0,4}[\"']?"
_TO_THE_END = r"[^\r\n\"'\\]{1,4096}"
HEADERS = (
    _form(
        "an Authorization header",
        "authorization",
        rf"(?i)\bAuthorization{_NAME_ENDS}(?:Basic|Bearer|Token|Negotiate|NTLM|ApiKey|Key|SSWS|OAuth|GenieKey|Splunk|Bot)"
        r"[ \t]{1,8}(?:token=)?(?P<secret>[^\s,;\"'\\]++)",
    ),
    _form(
        "an Authorization header",
        "authorization",
        rf"(?i)\bAuthorization{_NAME_ENDS}(?:AWS4-HMAC-SHA256|Digest|OAuth|Hawk|SharedKey(?:Lite)?|GoogleLogin)"
        r"[ \t]{1,8}(?P<secret>[^\r\n]{1,4096})",
    ),
    _form(
        "an Authorization header",
        "authorization",
        rf"(?i)\bAuthorization{_NAME_ENDS}(?!\S{{1,40}}[ \t]\*\*\*)(?P<secret>[^\s,;\"'\\*]{{16,4096}})",
    ),
    _form(
        "a cookie",
        "cookie",
        rf"(?i)\b(?:Set-)?Cookie{_NAME_ENDS}(?P<secret>[^\s=;,\"'\\]++={_TO_THE_END})",
    ),
    _form(
        "a bearer token",
        "bearer",
        r"(?i)\bbearer[ \t]{1,8}(?P<secret>(?=[a-z]*+[^a-z\s]|\S{20})[\w.~+/=-]{8,4096})",
    ),
)

COMMAND_LINES = (
    _form(
        "the password of a command line",
        "-u --user --proxy-user",
        r"(?<![^\s\"'])(?:-u|--user|--proxy-user)[ =]{0,4}[\"']?(?!\d++:\d)(?!\$)[^\s:\"'/-][^\s:\"'/]*+:"
        r"(?P<secret>[^\s\"']++)",
    ),
    _form(
        "the password of a command line",
        "mysql",
        r"\bmysql(?:dump|admin)?[ ][^\n|;&]{0,120}?(?<=\s)-p(?P<secret>[^\s\"']{4,256})",
    ),
    _form("the password of a command line", "sshpass", r"\bsshpass[ ]{1,4}-p[ ]{0,4}[\"']?(?P<secret>[^\s\"']++)"),
    _form(
        "the password of a .netrc",
        "login",
        r"\blogin\s{1,8}\S{1,256}+\s{1,8}password\s{1,8}(?P<secret>[^\s\"']++)",
    ),
)

_APART = r"(?<!\w)"  # a token stands apart: it is no part of a longer word


def _token(service: str, hints: str, pattern: str) -> SecretForm:
    return _form(service, hints, rf"{_APART}(?P<secret>{pattern})(?![\w])")


KNOWN = (
    _form(
        "a private key",
        "-----begin",
        r"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----"
        r"(?P<secret>(?:(?:[^-]|-(?!----))*+(?=-{5,6}END )|(?:\\[nr]|[\s+])*+[A-Za-z0-9+/=]{40}[A-Za-z0-9+/=\s\\]*+))",
    ),
    _form("an age key", "age-secret-key-1", r"\b(?P<secret>AGE-SECRET-KEY-1[0-9A-Z]{20,})"),
    _token(
        "a GitHub token", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"gh[pousr]_[A-Za-z0-9]{20,255}|github_pat_\w{20,255}"
    ),
    _token(
        "a GitLab token",
        "glpat- gldt- glrt- glcbt- glptt- glft- glsoat- glimt- glagent-",
        r"gl(?:pat|dt|rt|cbt|ptt|ft|soat|imt|agent)-[\w.-]{20,255}",
    ),
    _token("a Hugging Face token", "hf_ api_org_", r"(?:hf|api_org)_[A-Za-z0-9]{20,100}"),
    _token("an API key", "sk-", r"sk-(?:[0-9a-f]{32,64}|(?=[\w-]{0,250}[0-9])(?=[\w-]{0,250}[A-Z])[\w-]{20,250})"),
    _token("a Slack token", "xox xapp-", r"xox[abeoprs](?:\.xox[abp])?-[\w-]{10,250}|xapp-\d-[\w-]{10,250}"),
    _token("an AWS access key", "akia asia abia acca", r"(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}"),
    _token("a Google API key", "aiza", r"AIza[\w-]{35}"),
    _token("a Google token", "ya29. 1//0 gocspx-", r"ya29\.[\w.-]{20,2048}|1//0[\w-]{30,250}|GOCSPX-[\w-]{20,60}"),
    _token("an npm token", "npm_", r"npm_[A-Za-z0-9]{30,60}"),
    _token("a PyPI token", "pypi-a", r"pypi-A[\w-]{20,1000}"),
    _token("a Docker token", "dckr_", r"dckr_(?:pat|oat)_[\w-]{20,100}"),
    _token("a SendGrid key", "sg.", r"SG\.[\w-]{16,64}\.[\w-]{16,64}"),
    _token("a Square token", "sq0", r"sq0(?:csp|atp|idp)-[\w-]{20,60}"),
    _token(
        "a Stripe key",
        "sk_ rk_ whsec_",
        r"(?:sk|rk)_(?:live|test|prod)_[A-Za-z0-9]{10,250}|whsec_[A-Za-z0-9+/=]{20,100}",
    ),
    _token("a JSON web token", "eyj", r"eyJ[\w-]{8,4096}\.[\w-]{8,16384}(?:\.[\w-]{0,4096})?"),
    _token("a Databricks token", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _token("a Vault token", "hvs. hvb. hvr.", r"hv[sbr]\.[\w-]{20,300}"),
    _token("a DigitalOcean token", "_v1_", r"do[opr]_v1_[0-9a-f]{40,80}"),
    _token("a Shopify token", "shpat_ shpss_ shpca_ shppa_", r"shp(?:at|ss|ca|pa)_[0-9A-Fa-f]{32}"),
    _token("an Atlassian token", "atatt3", r"ATATT3[\w=-]{20,300}"),
    _token("a Grafana token", "glsa_ glc_", r"gl(?:sa|c)_[A-Za-z0-9_+/=]{20,300}"),
    _token("a Sentry token", "sntrys_ sntryu_", r"sntry[su]_[\w+/=-]{20,500}"),
    _token(
        "a token of a model host",
        "nvapi- gsk_ r8_ xai- pplx- tgp_v1_",
        r"(?:nvapi-|gsk_|r8_|xai-|pplx-|tgp_v1_)[\w-]{20,200}",
    ),
    _token("a Linear or Figma token", "lin_api_ figd_", r"(?:lin_api_|figd_)[\w-]{20,100}"),
    _token("a Postman or New Relic key", "pmak- nrak-", r"PMAK-[0-9a-f-]{40,80}|NRAK-[A-Z0-9]{20,40}"),
    _token("a Tailscale key", "tskey-", r"tskey-(?:auth|api|client)-[\w-]{10,100}"),
    _token("a RubyGems token", "rubygems_", r"rubygems_[0-9a-f]{40,60}"),
    _token("a Mailgun key", "key-", r"key-[0-9a-f]{32}"),
    _token("a Telegram token", ":aa", r"\d{8,10}:AA[\w-]{33}"),
    _token("an Azure client secret", "8q~", r"[\w~.]{3}8Q~[\w~.-]{31,34}"),
    _form(
        "a Slack webhook",
        "hooks.slack.com",
        r"\bhooks\.slack\.com/(?:services|workflows|triggers)/(?P<secret>[A-Za-z0-9_/-]{20,200})",
    ),
    _form(
        "a Discord webhook",
        "/webhooks/",
        r"\bdiscord(?:app)?\.com/api/(?:v\d+/)?webhooks/\d{5,25}/(?P<secret>[\w-]{20,200})",
    ),
    _form(
        "a Teams webhook",
        "office.com/webhook",
        r"\b(?:webhook\.office\.com/webhookb2|outlook\.office\.com/webhook)/(?P<secret>[\w@/-]{20,300})",
    ),
)
