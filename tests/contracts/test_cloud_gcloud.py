"""The gcloud commands of docs/cloud.md and of cloudbuild.yaml: flags that exist, rights that suffice."""

import re
import shlex
from pathlib import Path

import pytest
import yaml
from gcloud_flags import EVERYWHERE, FLAGS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "cloud.md").read_text()
BUILD = yaml.safe_load((ROOT / "cloudbuild.yaml").read_text())
SOURCES = {
    "docs/cloud.md": "\n".join(re.findall(r"```bash\n(.*?)```", PAGE, flags=re.DOTALL)),
    "cloudbuild.yaml": "\n".join(step["script"] for step in BUILD["steps"]),
}


def commands(text):
    """(command, words after it) of each call of gcloud; flags of shell variables stay as they are."""
    for line in text.replace("\\\n", " ").splitlines():
        before, found, call = line.partition("gcloud ")
        if found:
            words = shlex.split(call.removesuffix(")") if before.endswith("$(") else call)
            name = next((name for name in FLAGS if words[: len(name.split())] == name.split()), None)
            yield name, words[len(name.split()) :] if name else words


@pytest.mark.parametrize("source", SOURCES)
def test_commands_and_their_flags_exist(source):
    found = list(commands(SOURCES[source]))
    assert len(found) >= 3
    for name, words in found:
        assert name, f"gcloud {' '.join(words)}: look it up and add it to tests/gcloud_flags.py"
        flags = {word.partition("=")[0] for word in words if word.startswith("--")}
        assert flags <= FLAGS[name] | EVERYWHERE, f"gcloud {name} has no {flags - FLAGS[name] - EVERYWHERE}"


def test_flags_named_in_the_words_of_the_page_exist():
    text = re.sub(r"```.*?```", "", PAGE, flags=re.DOTALL)
    for flag in re.findall(r"`(--[a-z]+(?:-[a-z]+)+)[=`]", text):
        assert any(flag in flags for flags in FLAGS.values()), flag


def bindings():
    """(bucket, account, role) of the page's set-up, loops unrolled."""
    text = SOURCES["docs/cloud.md"].replace("\\\n", " ")
    for names, body in re.findall(r"for bucket in (.*?); do\n(.*?)\ndone", text, flags=re.DOTALL):
        text += "".join("\n" + body.replace("$bucket", name) for name in names.split())
    pattern = (
        r"buckets add-iam-policy-binding gs://\$([A-Z]+) .*serviceAccount:\$([A-Z]+)_ACCOUNT --role=roles/(\S+)"
    )
    return set(re.findall(pattern, text))


def test_workers_may_write_to_the_data_alone():
    """They decode files that others made: not the videos, models and templates."""
    writers = {(bucket, account) for bucket, account, role in bindings() if role == "storage.objectAdmin"}
    assert {bucket for bucket, account in writers if account == "DATAFLOW"} == {"DATA"}
    assert {account for bucket, account in writers if bucket == "BUILD"} == {"BUILD"}
    assert {account for bucket, account in writers if bucket == "RUNS"} == {"VERTEX"}
    assert {account for bucket, account in writers if bucket == "VIDEOS"} == set()
    assert {role for _, _, role in bindings()} == {
        *("storage.objectAdmin", "storage.objectViewer", "storage.legacyBucketReader")
    }


def test_jobs_write_where_their_account_may():
    """The page's flags for what is written, against the bindings."""
    text = SOURCES["docs/cloud.md"].replace("\\\n", " ")
    for line in text.splitlines():
        if "DataflowRunner" in line or "flex-template run" in line:
            written = re.findall(r"(?:staging.location|temp.location|data_dir|output_dir)=gs://\$([A-Z]+)", line)
            assert len(written) == 3, line
            assert set(written) == {"DATA"}
    assert re.search(r"OUTPUT=gs://\$RUNS/", text)
    assert all(
        "--gcs-source-staging-dir=gs://$BUILD/" in line for line in text.splitlines() if "builds submit" in line
    )


def test_builds_run_as_the_account_that_was_given_rights():
    submitted = [words for name, words in commands(SOURCES["docs/cloud.md"]) if name == "builds submit"]
    assert submitted
    assert all("--service-account=$SUBMIT_ACCOUNT" in words for words in submitted)
    assert "export SUBMIT_ACCOUNT=projects/$PROJECT/serviceAccounts/$BUILD_ACCOUNT" in SOURCES["docs/cloud.md"]
