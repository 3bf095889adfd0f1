"""A headless Chromium, told what to do over a pipe by the DevTools protocol; needs no package of Python."""

import base64
import contextlib
import json
import os
import select
import shutil
import subprocess
import tempfile
import time

import pytest

PROGRAMS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
MISSING = f"no browser ({', '.join(PROGRAMS)}) on PATH: apt-get install chromium"
SECONDS = 120  # for one answer; alone on a machine each takes less than one
_KEYS = {
    "Escape": 27,
    "Enter": 13,
    "Tab": 9,
    "ArrowLeft": 37,
    "ArrowUp": 38,
    "ArrowRight": 39,
    "ArrowDown": 40,
}


def program():
    """The browser; without one the test is skipped, or fails where AVINST_NEEDS_BROWSER is set, as in .ci/run."""
    found = next(filter(None, map(shutil.which, PROGRAMS)), None)
    if not found:
        (pytest.fail if os.environ.get("AVINST_NEEDS_BROWSER") else pytest.skip)(MISSING)
    return found


@contextlib.contextmanager
def browser():
    """A browser with one empty page."""
    to_child, commands = os.pipe()
    answers, from_child = os.pipe()

    def give_pipes():  # the browser reads from 3 and writes to 4; copies out of the way first
        inputs, outputs = os.dup(to_child), os.dup(from_child)
        while min(inputs, outputs) <= 4:
            inputs, outputs = os.dup(inputs), os.dup(outputs)
        os.dup2(inputs, 3)
        os.dup2(outputs, 4)

    with tempfile.TemporaryDirectory(prefix="avinst-browser-", ignore_cleanup_errors=True) as profile:
        process = subprocess.Popen(
            [
                program(),
                "--headless=new",
                "--no-sandbox",  # root in a container has none
                "--disable-gpu",
                "--disable-dev-shm-usage",
                "--disable-background-networking",
                "--no-first-run",
                "--mute-audio",
                f"--user-data-dir={profile}",
                "--remote-debugging-pipe",
                "about:blank",
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            preexec_fn=give_pipes,
            close_fds=False,
        )
        os.close(to_child)
        os.close(from_child)
        try:
            yield Page(commands, answers)
        finally:
            process.terminate()
            process.wait(timeout=30)
            os.close(commands)
            os.close(answers)


class Page:
    """A page of the browser: what it was told to do, and all events that came meanwhile."""

    def __init__(self, commands, answers):
        self._commands, self._answers, self._read, self._number, self._session = commands, answers, b"", 0, None
        self.events = []
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log", "Network"):
            self.call(f"{domain}.enable")

    def call(self, method, **parameters):
        """The result of a command of the protocol."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._commands, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer["error"]
                return answer["result"]

    def wait_for(self, event):
        """The first event of a name since the last `open`, now or later."""
        while True:
            found = next((e for e in self.events if e["method"] == event), None)
            if found:
                return found["params"]
            self._next()

    def of(self, event):
        """The parameters of all events of a name."""
        return [e["params"] for e in self.events if e["method"] == event]

    def open(self, file, width=1280, height=900, **media):
        """Opens a file; media: features of the style sheet, such as `prefers_color_scheme="dark"`."""
        self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.call("Emulation.setEmulatedMedia", features=features)
        self.events.clear()
        self.call("Page.navigate", url=f"file://{file}")
        self.wait_for("Page.loadEventFired")

    def evaluate(self, expression):
        """The value of an expression of JavaScript, awaited where it is a promise."""
        result = self.call("Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True)
        assert "exceptionDetails" not in result, result["exceptionDetails"]
        return result["result"].get("value")

    def press(self, key):
        """Presses and lets go a key."""
        text = {"text": "\r"} if key == "Enter" else {}
        for kind in ("keyDown", "keyUp"):
            self.call(
                "Input.dispatchKeyEvent", type=kind, key=key, code=key, windowsVirtualKeyCode=_KEYS[key], **text
            )

    def move(self, x, y):
        """Moves the mouse to a place in the window, pixels."""
        self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)

    def tap(self, x, y):
        """Touches a place in the window."""
        self.call("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
        self.call("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])

    def screenshot(self, whole=False):
        """PNG of the window, or of the whole page."""
        return base64.b64decode(self.call("Page.captureScreenshot", captureBeyondViewport=whole)["data"])

    def pdf(self):
        """The page as it is printed, A4."""
        return base64.b64decode(
            self.call("Page.printToPDF", paperWidth=8.27, paperHeight=11.69, printBackground=False)["data"]
        )

    def _next(self):
        end = time.monotonic() + SECONDS
        while b"\0" not in self._read:
            ready, _, _ = select.select([self._answers], [], [], max(0.0, end - time.monotonic()))
            assert ready, f"the browser has not answered for {SECONDS} s"
            piece = os.read(self._answers, 1 << 20)
            assert piece, "the browser has ended"
            self._read += piece
        message, _, self._read = self._read.partition(b"\0")
        answer = json.loads(message)
        if "method" in answer:
            self.events.append(answer)
        return answer
