"""
Events of the backends that collectors write to: their files, Jaeger, ClickHouse.

A backend answers a `query` with spans (`otlp_file`, `jaeger`, `clickhouse`), one page at a time. `events` makes our
events of them and keeps account of what was read, and what was not; `bringing` puts them into a run folder.
"""
