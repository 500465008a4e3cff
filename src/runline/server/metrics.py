"""`/metrics`: what a monitoring system wants to know, as OpenMetrics text."""

from __future__ import annotations

from collections.abc import Iterator

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)
from prometheus_client.openmetrics.exposition import generate_latest
from prometheus_client.registry import Collector, CollectorRegistry

from runline.server.server import Server
from runline.store.figures import COMMIT_BUCKETS_S, Figures

MEDIA = "application/openmetrics-text; version=1.0.0; charset=utf-8"


def exposition(server: Server) -> bytes:
    """The figures now."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(server))
    text: bytes = generate_latest(registry)  # type: ignore[no-untyped-call]
    return text


class _Figures(Collector):
    def __init__(self, server: Server) -> None:
        self._server = server

    def collect(self) -> Iterator[Metric]:
        writer, hub = self._server.store.writer, self._server.hub
        figures = writer.appender.figures
        yield CounterMetricFamily(
            "runline_appended_events", "Events made durable by this process.", value=figures.events
        )
        yield _commits(figures)
        yield CounterMetricFamily(
            "runline_failed_commits", "Transactions that were rolled back.", value=figures.failures
        )
        yield GaugeMetricFamily(
            "runline_write_queue", "Requests and events that wait for the writer.", value=len(writer.queue)
        )
        yield GaugeMetricFamily(
            "runline_store_failing",
            "1 while the store refuses commits.",
            value=int(writer.failing is not None),
        )
        yield GaugeMetricFamily("runline_followers", "Open streams.", value=hub.followers)
        yield GaugeMetricFamily(
            "runline_follower_lag_events", "Events the slowest follower is behind.", value=hub.lag_events
        )
        yield GaugeMetricFamily(
            "runline_follower_lag_seconds", "Time the slowest follower is behind.", value=hub.lag_s
        )
        yield CounterMetricFamily(
            "runline_followers_cut_loose",
            "Times a stalled follower was sent back to the store to catch up.",
            value=hub.cut_loose,
        )
        yield CounterMetricFamily("runline_stream_frames", "Events sent to followers.", value=hub.frames)
        sizes = self._server.store.engine.sizes()
        size = GaugeMetricFamily("runline_store_bytes", "Size of the store.", labels=["part"])
        for part, size_bytes in sizes.items():
            size.add_metric([part.removesuffix("_bytes")], size_bytes)
        yield size


def _commits(figures: Figures) -> Metric:
    total = 0
    buckets = []
    for bound, count in zip((*map(str, COMMIT_BUCKETS_S), "+Inf"), list(figures.buckets), strict=True):
        total += count
        buckets.append((bound, total))
    return HistogramMetricFamily(
        "runline_commit_seconds",
        "From taking the write lock to durable.",
        buckets=buckets,
        sum_value=figures.commit_s,
    )
