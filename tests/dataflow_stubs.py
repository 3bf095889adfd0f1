"""Beam's client of Dataflow without credentials or a network: what it would stage and send is kept.

Stubs private names of Beam; pyproject.toml pins its minor version.
"""

import pytest
from apache_beam.options.pipeline_options import GoogleCloudOptions


class NotSentError(Exception):
    """Raised in place of sending the request."""


def stub_dataflow(monkeypatch):
    """Returns the list of jobs that would have been sent, and what would have been staged by address."""
    apiclient = pytest.importorskip("apache_beam.runners.dataflow.internal.apiclient", reason="needs avinst[gcp]")
    client = apiclient.DataflowApplicationClient
    submitted, staged = [], {}

    def submit(self, job):
        submitted.append(job)
        raise NotSentError

    def stage(self, location, name, stream_or_path, *arguments, **named):
        staged[f"{location.rstrip('/')}/{name}"] = stream_or_path

    monkeypatch.setattr(GoogleCloudOptions, "_warn_if_soft_delete_policy_enabled", lambda self, name: None)
    monkeypatch.setattr(client, "submit_job_description", submit)
    monkeypatch.setattr(client, "stage_file_with_retry", stage)
    monkeypatch.setattr(client, "_stage_resources", lambda self, pipeline, options: [])
    monkeypatch.setattr(apiclient, "get_service_credentials", lambda options: None)
    return submitted, staged
