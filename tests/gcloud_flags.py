"""The flags of the gcloud commands that docs/cloud.md and cloudbuild.yaml use, from gcloud's reference pages.

https://docs.cloud.google.com/sdk/gcloud/reference/COMMAND, as of 2026-11. Of the flags that every command has, and
of those of each `list`, only what we use. A command or flag that is not here is a mistake, or has to be looked up
and added.
"""

EVERYWHERE = {"--format", "--project", "--quiet"}
_BINDING = {"--member", "--role", "--condition"}

FLAGS = {
    "ai custom-jobs create": {
        *("--display-name", "--config", "--worker-pool-spec", "--args", "--command", "--enable-dashboard-access"),
        *("--enable-web-access", "--labels", "--network", "--persistent-resource-id", "--python-package-uris"),
        *("--region", "--service-account", "--kms-key", "--kms-keyring", "--kms-location", "--kms-project"),
    },
    "ai custom-jobs list": {"--region", "--filter"},
    "ai custom-jobs stream-logs": {"--region"},
    "ai tensorboards create": {"--region", "--display-name"},
    "ai tensorboards delete": {"--region"},
    "ai tensorboards list": {"--region"},
    "artifacts docker images describe": set(),
    "artifacts docker images list": {"--include-tags"},
    "artifacts repositories add-iam-policy-binding": {"--location", *_BINDING},
    "artifacts repositories create": {"--location", "--repository-format", "--description"},
    "artifacts repositories delete": {"--location"},
    "auth application-default login": set(),
    "builds submit": {
        *("--no-source", "--async", "--no-cache", "--default-buckets-behavior", "--dir", "--disk-size"),
        *(
            "--gcs-log-dir",
            "--gcs-source-staging-dir",
            "--git-source-dir",
            "--git-source-revision",
            "--ignore-file",
        ),
        *(
            "--machine-type",
            "--polling-interval",
            "--region",
            "--revision",
            "--service-account",
            "--substitutions",
        ),
        *("--suppress-logs", "--timeout", "--worker-pool", "--config", "--pack", "--tag"),
    },
    "compute networks subnets update": {"--region", "--enable-private-ip-google-access"},
    "config set": set(),
    "dataflow flex-template build": {"--image", "--sdk-language", "--metadata-file"},
    "dataflow flex-template run": {
        *("--template-file-gcs-location", "--additional-experiments", "--additional-pipeline-options"),
        *("--additional-user-labels", "--dataflow-kms-key", "--disable-public-ips", "--enable-streaming-engine"),
        *("--flexrs-goal", "--launcher-machine-type", "--launcher-vm-timeout-secs", "--max-workers", "--network"),
        *("--num-workers", "--parameters", "--region", "--service-account-email", "--staging-location"),
        *("--subnetwork", "--temp-location", "--worker-machine-type", "--worker-region", "--worker-zone"),
    },
    "dataflow jobs describe": {"--region"},
    "dataflow jobs list": {"--region", "--status"},
    "iam service-accounts add-iam-policy-binding": _BINDING,
    "iam service-accounts create": {"--display-name", "--description"},
    "iam service-accounts delete": set(),
    "projects add-iam-policy-binding": _BINDING,
    "projects delete": set(),
    "projects remove-iam-policy-binding": _BINDING,
    "services enable": {"--async"},
    "storage buckets add-iam-policy-binding": _BINDING,
    "storage buckets create": {"--location", "--uniform-bucket-level-access", "--soft-delete-duration"},
    "storage cp": {"--recursive", "--content-type"},
    "storage rm": {"--recursive"},
}
