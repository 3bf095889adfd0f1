"""What TF_CONFIG says about the machines of a job; avinst trains on the devices of one."""

import json
from collections.abc import Mapping

from avinst.errors import UserError


def check_single_machine(environment: Mapping[str, str]) -> None:
    """Raises UserError where TF_CONFIG names several processes: each would train by itself, into one directory.

    One that names a single worker or chief, as managed services set it, is fine.
    """
    text = environment.get("TF_CONFIG", "")
    if not text:
        return
    try:
        cluster = json.loads(text).get("cluster") or {}
        counts = {str(task): len(hosts) for task, hosts in cluster.items() if hosts}
    except (ValueError, AttributeError, TypeError) as error:
        raise UserError(
            f"TF_CONFIG is damaged ({error}); unset it, or set it as TensorFlow documents it"
        ) from error
    if sum(counts.values()) > 1:
        tasks = ", ".join(f"{count} {task}" for task, count in counts.items())
        raise UserError(
            f"TF_CONFIG names several processes ({tasks}), avinst trains on the GPUs of one machine; start one "
            "worker on a machine with more GPUs, or unset TF_CONFIG"
        )
