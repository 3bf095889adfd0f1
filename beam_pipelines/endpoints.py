"""Whether anything answers where the flags say that a runner's server is: in seconds instead of Beam's minutes."""

import socket

from apache_beam.options.pipeline_options import PipelineOptions, PortableOptions

from avinst.errors import UserError

_TIMEOUT_SECONDS = 10.0


def check_endpoints(options: PipelineOptions) -> None:
    """Tries a connection to the job server or the Dask scheduler that the options name, if any.

    Raises:
        UserError: an address without a port, or one where nothing answers.
    """
    job_endpoint = options.view_as(PortableOptions).job_endpoint
    if job_endpoint and job_endpoint != "embed":
        _check("--job_endpoint", job_endpoint, "job server")
    dask_address = options.get_all_options().get("address")
    if dask_address:
        scheme, _, address = dask_address.rpartition("://")
        if scheme in ("", "tcp", "tls"):
            _check("--dask_client_address", address, "Dask scheduler")


def _check(flag: str, address: str, server: str) -> None:
    host, _, port = address.rpartition(":")
    if not host or not port.isdigit():
        raise UserError(f"{flag}={address} is no address; expected HOST:PORT of the {server}")
    try:
        socket.create_connection((host.strip("[]"), int(port)), _TIMEOUT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise UserError(
            f"no {server} answers at {flag}={address} ({error}); start it or mend the address"
        ) from error
