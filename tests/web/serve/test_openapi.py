"""The server does what its own OpenAPI document says, whatever schemathesis thinks of sending."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, Phase, settings

schemathesis = pytest.importorskip("schemathesis", reason="pip install 'mlops-cli[test]'")

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


def test_every_answer_is_one_that_the_document_tells_of(server):
    from schemathesis.checks import not_a_server_error
    from schemathesis.specs.openapi.checks import (
        content_type_conformance,
        negative_data_rejection,
        response_schema_conformance,
        status_code_conformance,
    )

    checks = [
        not_a_server_error,
        status_code_conformance,
        content_type_conformance,
        response_schema_conformance,
        negative_data_rejection,
    ]
    before = answered(server)
    schema = schemathesis.openapi.from_url(server.url + "/openapi.json")
    for found in schema.get_all_operations():
        operation = found.ok()
        for mode in schemathesis.GenerationMode:
            _check(operation, mode, checks)
    # What is meant to be right was right at times, and what is meant to be wrong was wrong.
    assert [now - then for now, then in zip(answered(server), before, strict=True)] >= [10, 20]


def answered(server):
    """Return how many requests for predictions were answered, and how many were refused for their body."""
    return [server.metric(f'mlops_requests_total{{method="POST",path="/predict",status="{s}"}}') for s in (200, 422)]


def _check(operation, mode, checks):
    from hypothesis import given
    from hypothesis.errors import Unsatisfiable

    examples = 40 if operation.path == "/predict" else 4

    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(max_examples=examples, phases=[Phase.generate], suppress_health_check=list(HealthCheck), derandomize=True)
    def holds(case):
        case.call_and_validate(checks=checks)

    try:
        holds()
    except Unsatisfiable:  # an address that takes nothing cannot be asked wrongly
        assert operation.path != "/predict"
