"""A real TensorBoard on 127.0.0.1, asked over HTTP as a browser would ask it."""

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path


class TensorBoard:
    """Answers of a running server."""

    def __init__(self, address):
        self.address = address

    def get(self, path, **query):
        """The bytes below data/plugin/; values of the query are quoted."""
        url = f"{self.address}data/plugin/{path}?{urllib.parse.urlencode(query, doseq=True)}"
        with urllib.request.urlopen(url, timeout=60) as answer:
            return answer.read()

    def json(self, path, **query):
        return json.loads(self.get(path, **query))

    def image(self, listed):
        """The bytes of an image that `images/images` lists."""
        return self.get("images/individualImage", **dict(urllib.parse.parse_qsl(listed["query"])))

    def wait_for(self, path, satisfied, seconds=60, **query):
        """The first answer that satisfies: TensorBoard reads the event files in the background."""
        end = time.monotonic() + seconds
        while True:
            answer = self.json(path, **query)
            if satisfied(answer) or time.monotonic() > end:
                assert satisfied(answer), answer
                return answer
            time.sleep(0.3)


@contextlib.contextmanager
def tensorboard(log_dir):
    """`tensorboard --logdir LOG_DIR` on a free port."""
    command = shutil.which("tensorboard", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    process = subprocess.Popen(
        [command, f"--logdir={log_dir}", "--host=127.0.0.1", "--port=0", "--load_fast=false"],
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        addresses = (re.search(r"http://127\.0\.0\.1:\d+/", line) for line in process.stderr)
        found = next(filter(None, addresses), None)
        assert found, "TensorBoard ended without an address"
        yield TensorBoard(found[0])
    finally:
        process.terminate()
        process.wait(timeout=30)
