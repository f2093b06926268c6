"""What collectors and the libraries between say is told in a few kinds, each with words and a way out."""

from __future__ import annotations

from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dam_obs.sinks.otlp_answers import LONGEST_DETAIL, TAKEN, Answer, Kind, of_grpc, of_http, of_words, partly

REFUSED = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed"
VARIABLE = "OTEL_EXPORTER_OTLP_ENDPOINT"


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("ConnectionError(... [Errno 111] Connection refused)", Answer("refused")),
        (
            "NameResolutionError(\"Failed to resolve 'nowhere' ([Errno -2] Name or service not known)\")",
            Answer("unknown host"),
        ),
        ("[Errno -3] Temporary failure in name resolution", Answer("unknown host")),
        ("errors resolving x:1: [address lookup failed for x:1: Domain name not found]", Answer("unknown host")),
        ("[Errno 101] Network is unreachable", Answer("unreachable", "network is unreachable")),
        ("[Errno 113] No route to host", Answer("unreachable", "no route to host")),
        ("ReadTimeout(... Read timed out. (read timeout=3))", Answer("silent")),
        ("ConnectTimeout(... Connection to 10.0.0.1 timed out. (connect timeout=3))", Answer("silent")),
        ("('Connection aborted.', ConnectionResetError(104, 'Connection reset by peer'))", Answer("hung up")),
        ("RemoteDisconnected('Remote end closed connection without response')", Answer("hung up")),
        (
            "('Connection aborted.', BadStatusLine('\\x00\\x00\\x18'))",
            Answer("not OTLP", "it does not speak the protocol"),
        ),
        (
            f"SSLCertVerificationError(1, '{REFUSED}: self-signed certificate (_ssl.c:1006)')",
            Answer("untrusted", "self-signed certificate"),
        ),
        (
            f"{REFUSED}: certificate has expired (_ssl.c:1006)",
            Answer("untrusted", "certificate has expired"),
        ),
        (
            "SSL_ERROR_SSL: error:1000007d:SSL:CERTIFICATE_VERIFY_FAILED: self signed certificate in chain: OK",
            Answer("untrusted", "self signed certificate in chain"),
        ),
        (
            f"{REFUSED}: Hostname mismatch, certificate is not valid for 'a'.",
            Answer("wrong name"),
        ),
        (
            f"{REFUSED}: IP address mismatch, certificate is not valid for '::1'.",
            Answer("wrong name"),
        ),
        ("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)", Answer("no TLS")),
        ("[SSL] record layer failure (_ssl.c:1032)", Answer("no TLS")),
        ("[SSL: TLSV1_ALERT_PROTOCOL_VERSION] tlsv1 alert protocol version", Answer("TLS", "handshake failed")),
        ("InvalidSchema(\"No connection adapters were found for 'c:4318/v1/traces'\")", Answer("no scheme")),
        ("something else", Answer("failed")),
    ],
)
def test_words_of_libraries(text, answer):
    """As Python's TLS, HTTP clients and gRPC put it."""
    assert of_words(text) == answer


@pytest.mark.parametrize(
    ("code", "details", "answer"),
    [
        ("UNAVAILABLE", "data refused due to high memory usage", Answer("busy", "gRPC UNAVAILABLE")),
        (
            "UNAVAILABLE",
            "last error: ipv4:127.0.0.1:1: Connection refused (111)",
            Answer("refused", "gRPC UNAVAILABLE"),
        ),
        (
            "RESOURCE_EXHAUSTED",
            "grpc: received message larger than max (5 vs. 4)",
            Answer("too large", "gRPC RESOURCE_EXHAUSTED"),
        ),
        ("RESOURCE_EXHAUSTED", "", Answer("busy", "gRPC RESOURCE_EXHAUSTED")),
        ("DEADLINE_EXCEEDED", "Deadline Exceeded", Answer("silent", "gRPC DEADLINE_EXCEEDED")),
        ("UNIMPLEMENTED", "unknown service", Answer("not served", "gRPC UNIMPLEMENTED")),
        (
            "INTERNAL",
            "Received http2 header with status: 301",
            Answer("not OTLP", "it answers as a web server does"),
        ),
        ("INVALID_ARGUMENT", "cannot be read", Answer("failed", "gRPC INVALID_ARGUMENT")),
    ],
)
def test_status_of_grpc(code, details, answer):
    """And what a collector means by it."""
    assert of_grpc(code, details) == answer


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (200, "taken"), (202, "taken"), (301, "redirected"), (400, "failed"), (401, "unauthenticated"),
        (403, "forbidden"), (404, "no such path"), (407, "unauthenticated"), (413, "too large"), (415, "format"),
        (429, "busy"), (500, "failed"), (501, "not served"), (503, "busy"),
    ],
)  # fmt: skip
def test_status_of_http(status, kind):
    """As the specification of OTLP, and the proxies before collectors, use it."""
    assert of_http(status).kind == kind


@pytest.mark.parametrize(
    ("content_type", "body", "kind"),
    [
        ("text/html", b"<html>", "not OTLP"),
        ("text/html", b"", "taken"),
        ("application/json", b"{}", "taken"),
        ("application/json", b'{"partialSuccess":{}}', "taken"),
        ("application/x-protobuf; charset=utf-8", b"\n\x00", "taken"),
        ("application/json", b'{"status":"ok"}', "oddly taken"),
        ("text/plain", b"OK", "oddly taken"),
        ("", b"OK", "oddly taken"),
    ],
)
def test_a_web_page_is_no_collectors_answer(content_type, body, kind):
    """All else may be, since some answer in formats of their own; that it is odd is for the doctor to say."""
    assert of_http(200, content_type, body).kind == kind


def test_what_is_lost_by_which_answer():
    """The program's log tells of no other."""
    lossless = {"taken", "oddly taken"}

    assert {kind for kind in get_args(Kind) if not Answer(kind).loses} == lossless
    assert {kind for kind in get_args(Kind) if Answer(kind).arrived} == lossless | {"partly"}


def test_nothing_rejected_and_nothing_said_is_taken():
    """An empty message stands for that, too."""
    assert [partly(0, ""), partly(2, "old").arrived, partly(0, "a warning").kind] == [TAKEN, True, "partly"]


@pytest.mark.parametrize("kind", get_args(Kind))
def test_every_kind_has_words_and_all_but_one_a_way_out(kind):
    """With the variable where there is something to correct."""
    answer = Answer(kind, "a detail", rejected=2)

    assert answer.says
    assert "{" not in answer.says + answer.remedy(VARIABLE)
    assert bool(answer.remedy(VARIABLE)) == (kind != "taken")


@pytest.mark.parametrize("earlier", [None, Answer("refused"), Answer("silent")])
def test_an_attempt_without_time_left_does_not_hide_what_was_met_before(earlier):
    """The first says more than that the last had no answer."""
    assert Answer("silent").after(earlier) == (earlier or Answer("silent"))
    assert Answer("busy").after(earlier) == Answer("busy")


@given(st.text(max_size=3_000))
def test_whatever_is_said_becomes_one_short_line(text):
    """Errors may hold anything, and it goes into the program's log."""
    answer = of_words(text)

    assert len(answer.detail) <= LONGEST_DETAIL
    assert "\n" not in answer.detail
