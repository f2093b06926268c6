"""
What a collector's answer means, in plain words and with the way out.

Exporters say why something did not arrive in status codes, names of exceptions and the words of TLS
libraries. Here each becomes one of a few kinds of answer, so that the log of a program and `dam-obs doctor`
say the same of the same fault. Where the answer came from is the transports' business.

Nothing of OpenTelemetry or gRPC is imported here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

Kind = Literal[
    "taken",
    "oddly taken",
    "partly",
    "busy",
    "refused",
    "unknown host",
    "unreachable",
    "silent",
    "hung up",
    "not OTLP",
    "redirected",
    "no such path",
    "not served",
    "format",
    "too large",
    "unauthenticated",
    "forbidden",
    "untrusted",
    "wrong name",
    "no TLS",
    "wants TLS",
    "TLS",
    "no scheme",
    "failed",
]


@dataclass(frozen=True, slots=True)
class Answer:
    """What became of a request."""

    kind: Kind

    detail: str = ""
    """What the answer itself says, such as ``404`` or the words of a TLS library; never a body."""

    rejected: int = 0
    """How many of what was sent the collector says that it did not take."""

    message: str = ""
    """The collector's own words, as they came: they may hold anything."""

    @property
    def arrived(self) -> bool:
        """Whether the request was taken; some of what was in it may still have been rejected."""
        return self.kind in ("taken", "oddly taken", "partly")

    @property
    def passes(self) -> bool:
        """Whether the same request may be taken later, or was taken in part, with nothing changed."""
        return self.kind in ("busy", "partly")

    @property
    def loses(self) -> bool:
        """Whether something that was sent is lost by it."""
        return self.kind not in ("taken", "oddly taken")

    def after(self, earlier: Answer | None) -> Answer:
        """Return the one that says more, where an attempt was made again: the last may just have had no time left."""
        return earlier if earlier is not None and self.kind == "silent" else self

    @property
    def says(self) -> str:
        """What was met, after the address and a colon."""
        return _SAYS[self.kind].format(detail=self.detail or "no reason given", rejected=self.rejected)

    def remedy(self, variable: str) -> str:
        """Return what to do; `variable` is where the address was given."""
        return _REMEDIES[self.kind].format(variable=variable)


_SAYS: Final[dict[Kind, str]] = {
    "taken": "it takes what is sent",
    "oddly taken": "it takes what is sent, but does not answer as OTLP does ({detail})",
    "partly": "it did not take all that was sent ({rejected} rejected)",
    "busy": "it takes nothing at the moment ({detail})",
    "refused": "nobody answers (connection refused)",
    "unknown host": "there is no host of that name",
    "unreachable": "the network does not lead there ({detail})",
    "silent": "nothing comes back in time",
    "hung up": "it hangs up without an answer",
    "not OTLP": "what answers is no OTLP collector ({detail})",
    "redirected": "it sends elsewhere ({detail}), and exporters do not follow",
    "no such path": "there is no OTLP at that path ({detail})",
    "not served": "it has no such service ({detail})",
    "format": "it does not take protobuf there ({detail})",
    "too large": "what is sent is too large for it ({detail})",
    "unauthenticated": "it wants to know who sends ({detail})",
    "forbidden": "it does not let this sender in ({detail})",
    "untrusted": "its TLS certificate is not trusted ({detail})",
    "wrong name": "its TLS certificate is for another host",
    "no TLS": "it does not speak TLS",
    "wants TLS": "it wants TLS ({detail})",
    "TLS": "TLS failed ({detail})",
    "no scheme": "the address does not say how to connect",
    "failed": "it failed ({detail})",
}

_PORTS: Final = "gRPC usually has port 4317, HTTP port 4318, and OTEL_EXPORTER_OTLP_PROTOCOL is grpc or http/protobuf"
_REMEDIES: Final[dict[Kind, str]] = {
    "taken": "",
    "oddly taken": "see whether it is a collector that {variable} names",
    "partly": "its own log says why",
    "busy": "it is to be given a larger queue or rate, or a backend that keeps up",
    "refused": "start the collector, or correct or unset {variable}",
    "unknown host": "correct {variable}",
    "unreachable": "correct {variable}, or the network",
    "silent": f"correct {{variable}} if that is another server: {_PORTS}",
    "hung up": f"if it wants TLS, begin {{variable}} with https://; if it is another server: {_PORTS}",
    "not OTLP": f"correct {{variable}}: {_PORTS}",
    "redirected": "set {variable} to where it sends",
    "no such path": (
        "correct {variable}: OTEL_EXPORTER_OTLP_ENDPOINT is without /v1/traces, OTEL_EXPORTER_OTLP_TRACES_ENDPOINT with"
    ),
    "not served": "give the collector's otlp receiver a pipeline for that signal, or correct {variable}",
    "format": f"correct {{variable}}: {_PORTS}",
    "too large": "raise the largest message that the collector takes",
    "unauthenticated": "set the header that it asks for: OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20TOKEN",
    "forbidden": "see whether the token in OTEL_EXPORTER_OTLP_HEADERS may send",
    "untrusted": "name the file of the CA that signed it: OTEL_EXPORTER_OTLP_CERTIFICATE=ca.pem",
    "wrong name": "write into {variable} a host name that the certificate has",
    "no TLS": "begin {variable} with http://, or switch TLS on in the collector",
    "wants TLS": "begin {variable} with https://",
    "TLS": "see whether both sides have a TLS version and a certificate that the other takes",
    "no scheme": "begin {variable} with http:// or https://",
    "failed": "its own log says why",
}

TAKEN: Final = Answer("taken")

# -- by what an exception or gRPC says

_CERTIFICATE = re.compile(r"certificate verify failed: ([^('\"]+?) \(|CERTIFICATE_VERIFY_FAILED: ([^:]+)")
_WRONG_NAME: Final = "hostname mismatch", "ip address mismatch", "hostname verification check failed"
_WORDS: Final[tuple[tuple[tuple[str, ...], Kind], ...]] = (
    (("no connection adapters", "missingschema", "invalidurl", "no scheme supplied"), "no scheme"),
    (_WRONG_NAME, "wrong name"),
    (("certificate_verify_failed", "certificate verify failed"), "untrusted"),
    (("wrong_version_number", "record layer failure"), "no TLS"),
    (("ssl_error", "[ssl", "sslerror", "handshake failed"), "TLS"),
    (("connection refused",), "refused"),
    (("name or service not known", "nameresolution", "domain name not found", "name resolution"), "unknown host"),
    (("address lookup failed", "nodename nor servname"), "unknown host"),
    (("network is unreachable", "no route to host"), "unreachable"),
    (("badstatusline", "failed parsing http/2", "http1.x server", "unknownprotocol"), "not OTLP"),
    (("timed out", "timeout", "deadline exceeded", "failed to connect before the deadline"), "silent"),
    (("connection reset", "connection aborted", "remotedisconnected", "socket closed", "broken pipe"), "hung up"),
    (("stream removed", "goaway", "end of tcp stream"), "hung up"),
)
"""Words that exceptions of HTTP clients and details of gRPC have in them, and what they mean; the first counts."""

LONGEST_DETAIL: Final = 120


def of_words(text: str, otherwise: Kind = "failed") -> Answer:
    """Return what the text of an exception, or gRPC's details, means."""
    low = text.lower()
    for words, kind in _WORDS:
        if any(word in low for word in words):
            return Answer(kind, _detail(kind, text))
    return Answer(otherwise, "")


def _detail(kind: Kind, text: str) -> str:
    if kind == "not OTLP":
        return "it does not speak the protocol"
    if kind == "untrusted":
        found = _CERTIFICATE.search(text)
        words = (found.group(1) or found.group(2)).strip() if found else "certificate verify failed"
        return " ".join(words.split())[:LONGEST_DETAIL]
    if kind == "unreachable":
        return "no route to host" if "no route" in text.lower() else "network is unreachable"
    return "handshake failed" if kind == "TLS" else ""


# -- HTTP

_OF_STATUS: Final[dict[int, Kind]] = {
    401: "unauthenticated",
    403: "forbidden",
    404: "no such path",
    405: "no such path",
    407: "unauthenticated",
    413: "too large",
    415: "format",
    429: "busy",
    501: "not served",
    502: "busy",
    503: "busy",
    504: "busy",
}


def of_http(status: int, content_type: str = "", body: bytes = b"") -> Answer:
    """Return what an HTTP response means, but for what is in a body of OTLP."""
    shown = f"HTTP {status}"
    if 300 <= status < 400:
        return Answer("redirected", shown)
    if status >= 400:
        if status == 400 and b"HTTPS server" in body[:200]:  # which is how servers in Go put it
            return Answer("wants TLS", shown)
        return Answer(_OF_STATUS.get(status, "failed"), shown)
    kind = content_type.partition(";")[0].strip().lower()
    if not body or kind in _OTLP or body.strip() in _EMPTY:
        return TAKEN
    if kind == "text/html":
        return Answer("not OTLP", "it answers with a web page")
    return Answer("oddly taken", kind[:LONGEST_DETAIL] if kind.isprintable() and kind else "of no type")


_OTLP: Final = ("application/x-protobuf", "application/protobuf")
_EMPTY: Final = (b"{}", b'{"partialSuccess":{}}')


# -- gRPC

_OF_CODE: Final[dict[str, Kind]] = {
    "UNAUTHENTICATED": "unauthenticated",
    "PERMISSION_DENIED": "forbidden",
    "UNIMPLEMENTED": "not served",
    "RESOURCE_EXHAUSTED": "busy",
    "ABORTED": "busy",
    "DEADLINE_EXCEEDED": "silent",
}


def of_grpc(code: str, details: str) -> Answer:
    """Return what a failed call means: the name of its status, and gRPC's or the collector's words."""
    if code == "RESOURCE_EXHAUSTED" and "larger than max" in details:
        return Answer("too large", f"gRPC {code}")
    if code == "UNAVAILABLE":
        found = of_words(details, otherwise="busy")
        return Answer(found.kind, found.detail or f"gRPC {code}")
    if code in ("UNKNOWN", "INTERNAL") and "http2 header with status" in details.lower():
        return Answer("not OTLP", "it answers as a web server does")
    return Answer(_OF_CODE.get(code, "failed"), f"gRPC {code}")


def partly(rejected: int, message: str) -> Answer:
    """Return the answer of a collector that took some, or took all and has a warning."""
    return Answer("partly", rejected=rejected, message=message) if rejected or message else TAKEN
