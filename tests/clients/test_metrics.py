"""What the server counts, as the parsers of Prometheus' own client read it."""

import urllib.request

import pytest
from prometheus_client.openmetrics import parser as openmetrics
from prometheus_client import parser as prometheus

FORMS = {"application/openmetrics-text": openmetrics, "text/plain": prometheus}


@pytest.mark.parametrize("accept", FORMS)
def test_metrics_are_well_formed_and_counters_count(server, accept):
    server.publish(range(3))
    request = urllib.request.Request(f"{server.url}/metrics", headers={"Accept": accept})
    with urllib.request.urlopen(request, timeout=30) as answer:
        assert answer.headers.get_content_type() == accept
        families = list(FORMS[accept].text_string_to_metric_families(answer.read().decode()))
    samples = {
        (sample.name, *sample.labels.values()): sample.value
        for family in families
        for sample in family.samples
    }
    assert samples["feedwire_published_events_total", "default"] == 3
    assert samples["feedwire_log_last_position", "default"] == 3
    assert samples["feedwire_log_commit_events_sum",] == 3
    assert all(family.documentation and family.type != "unknown" for family in families)
