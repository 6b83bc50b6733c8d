"""A small W3C WebDriver client: chromedriver as a process of its own, one headless Chromium session, and the
few commands a page test needs. Only the standard library; one instance belongs to one thread."""

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
import urllib.error
import urllib.request

START_LIMIT_S = 30
COMMAND_LIMIT_S = 60
PHONE_WIDTH_BELOW = 600
FOUND_AGAIN_MAX = 20  # more often than a page is drawn anew while one command is sent
FIRST_VISIBLE = """
  return [...document.querySelectorAll(arguments[0])].find(
    (element) => element.getClientRects().length > 0 && getComputedStyle(element).visibility === 'visible'
  ) ?? null"""
ELEMENT = "element-6066-11e4-a52e-4f735466cecf"

TAB, ENTER, ESCAPE, SPACE = "\ue004", "\ue007", "\ue00c", " "

CHROMIUM_ARGUMENTS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-default-apps",
]


class WebDriverError(Exception):
    """What chromedriver refused, with its own error code."""

    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Element:
    """A reference to one element of the page that is shown.

    A live page may draw an element anew between two commands. One that was looked up by a selector is then
    looked up again, as a person would: a command to an element that is gone (W3C WebDriver: "stale
    element reference") had no effect.
    """

    def __init__(self, browser, reference, find_again=None):
        self._browser = browser
        self._find_again = find_again
        self.reference = reference

    def _on_page(self, command):
        """What `command()` returns, called once more for each time that the element had been drawn anew."""
        for _ in range(FOUND_AGAIN_MAX if self._find_again else 0):
            try:
                return command()
            except WebDriverError as error:
                if error.code != "stale element reference":
                    raise
            self.reference = self._find_again().reference
        return command()

    def _command(self, method, path, body=None):
        return self._on_page(
            lambda: self._browser.command(method, f"/element/{self.reference[ELEMENT]}{path}", body)
        )

    def click(self):
        self._on_page(lambda: self._browser.script("arguments[0].scrollIntoView({block: 'center'})", self))
        self._command("POST", "/click", {})

    def type(self, text):
        self._command("POST", "/value", {"text": text})

    def clear(self):
        self._command("POST", "/clear", {})

    @property
    def text(self):
        return self._command("GET", "/text")

    @property
    def displayed(self):
        return self._command("GET", "/displayed")

    @property
    def enabled(self):
        return self._command("GET", "/enabled")

    @property
    def accessible_name(self):
        return self._command("GET", "/computedlabel")

    def attribute(self, name):
        return self._command("GET", f"/attribute/{name}")


class Browser:
    """Chromium with a profile of its own; `close()` ends both processes and removes the profile."""

    def __init__(self, chromedriver="chromedriver", chromium=None, width=1280, height=900):
        self._profile = tempfile.mkdtemp(prefix="orderd-browser-")
        self._log = open(os.path.join(self._profile, "chromedriver.log"), "w+")
        self._process = None
        self._session = None
        try:
            self._process = subprocess.Popen(
                [chromedriver, "--port=0"], stdout=self._log, stderr=subprocess.STDOUT
            )
            self._base = f"http://127.0.0.1:{self._port()}"
            options = {"args": [*CHROMIUM_ARGUMENTS, f"--user-data-dir={self._profile}/profile"]}
            if chromium:
                options["binary"] = chromium
            answer = self._send(
                "POST",
                "/session",
                {
                    "capabilities": {
                        "alwaysMatch": {
                            "browserName": "chrome",
                            "goog:chromeOptions": options,
                            "goog:loggingPrefs": {"browser": "ALL"},
                        }
                    }
                },
            )
            self._session = answer["sessionId"]
            self.resize(width, height)
        except BaseException:
            self.close()
            raise

    def _port(self):
        """chromedriver chooses a free port and says which."""
        deadline = time.monotonic() + START_LIMIT_S
        while time.monotonic() < deadline:
            with open(self._log.name, encoding="utf-8") as log:
                for line in log:
                    if "on port" in line and "successfully" in line:
                        return int("".join(filter(str.isdigit, line.rsplit("port", 1)[1])))
            if self._process.poll() is not None:
                break
            time.sleep(0.05)
        with open(self._log.name, encoding="utf-8") as log:
            raise RuntimeError(f"chromedriver did not start: {log.read()}")

    def _send(self, method, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(
            self._base + path, data, {"Content-Type": "application/json"}, method=method
        )
        try:
            with urllib.request.urlopen(request, timeout=COMMAND_LIMIT_S) as answer:
                return json.load(answer)["value"]
        except urllib.error.HTTPError as error:
            value = json.load(error)["value"]
            raise WebDriverError(value["error"], value["message"].split("\n")[0]) from None

    def command(self, method, path, body=None):
        return self._send(method, f"/session/{self._session}{path}", body)

    def devtools(self, name, **parameters):
        return self.command("POST", "/goog/cdp/execute", {"cmd": name, "params": parameters})

    def open(self, url):
        self.command("POST", "/url", {"url": url})

    def new_tab(self):
        """Opens a tab and turns to it; returns its handle."""
        handle = self.command("POST", "/window/new", {"type": "tab"})["handle"]
        self.turn_to(handle)
        return handle

    @property
    def tab(self):
        return self.command("GET", "/window")

    def turn_to(self, handle):
        self.command("POST", "/window", {"handle": handle})

    def close_tab(self):
        self.command("DELETE", "/window")

    @property
    def url(self):
        return self.command("GET", "/url")

    @property
    def title(self):
        return self.command("GET", "/title")

    def resize(self, width, height):
        """Sets the size of the viewport, as a window may refuse to be narrow; narrow ones act as phones."""
        self.devtools(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < PHONE_WIDTH_BELOW,
        )

    def prefer(self, **features):
        """prefer(prefers_color_scheme='dark'): media features as the user would set them."""
        self.devtools(
            "Emulation.setEmulatedMedia",
            features=[{"name": name.replace("_", "-"), "value": value} for name, value in features.items()],
        )

    def script(self, source, *arguments):
        sent = [argument.reference if isinstance(argument, Element) else argument for argument in arguments]
        return self._wrap(self.command("POST", "/execute/sync", {"script": source, "args": sent}))

    def _wrap(self, value):
        if isinstance(value, dict) and ELEMENT in value:
            return Element(self, value)
        if isinstance(value, list):
            return [self._wrap(item) for item in value]
        return value

    def reload(self):
        self.command("POST", "/refresh", {})

    def all(self, css):
        return self._wrap(self.command("POST", "/elements", {"using": "css selector", "value": css}))

    def one(self, css):
        found = self.command("POST", "/element", {"using": "css selector", "value": css})
        return Element(self, found, lambda: self.one(css))

    def first_visible(self, css):
        """The first such element that takes up room and is not hidden, or None."""
        found = self.script(FIRST_VISIBLE, css)
        return found and Element(self, found.reference, lambda: self.first_visible(css) or self.one(css))

    @property
    def active(self):
        return self._wrap(self.command("GET", "/element/active"))

    def press(self, *keys):
        """Presses keys one after the other, to wherever the focus is."""
        actions = [{"type": kind, "value": key} for key in keys for kind in ("keyDown", "keyUp")]
        self.command("POST", "/actions", {"actions": [{"type": "key", "id": "keyboard", "actions": actions}]})

    def console(self):
        """What was logged since the last call, as the browser levels it: SEVERE is an error."""
        return self.command("POST", "/se/log", {"type": "browser"})

    def screenshot(self, path, whole=False):
        if whole:
            picture = self.devtools("Page.captureScreenshot", format="png", captureBeyondViewport=True)[
                "data"
            ]
        else:
            picture = self.command("GET", "/screenshot")
        with open(path, "wb") as file:
            file.write(base64.b64decode(picture))

    def close(self):
        if self._session:
            try:
                self.command("DELETE", "")
            except (OSError, WebDriverError):
                pass  # It is being ended anyway.
        if self._process:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        self._log.close()
        shutil.rmtree(self._profile, ignore_errors=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()
