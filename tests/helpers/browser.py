"""A headless browser, driven by selenium: Debian's chromium. Nothing is fetched for it."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.wait import WebDriverWait

PACKAGES = {"chromium": "chromium", "chromedriver": "chromium-driver"}
WIDE, NARROW = (1400, 1000), (420, 900)
SECONDS = 30
# What has no name for a screen reader; an expression of JavaScript.
UNNAMED = """[...document.querySelectorAll(
    'input, select, button, img, svg, dialog, [role=region], [tabindex="0"]')]
  .filter((item) => !item.closest('.vega-bindings')
    && !(item.labels?.length || item.ariaLabel || item.alt || item.textContent.trim()
      || item.getAttribute('aria-labelledby') || item.getAttribute('aria-label')))
  .map((item) => item.outerHTML.slice(0, 200))"""
# The contrasts of texts with what is behind them, by a CSS selector; a function.
CONTRAST = """(selector) => {
  const light = (text) => {
    const [r, g, b] = text.match(/[\\d.]+/g).slice(0, 3).map((value) => value / 255)
      .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const behind = (item) => {
    const colour = getComputedStyle(item).backgroundColor;
    return /, 0\\)$/.test(colour) && item.parentElement ? behind(item.parentElement) : colour;
  };
  return [...document.querySelectorAll(selector)].map((item) => {
    const style = getComputedStyle(item);
    const ink = item instanceof SVGElement ? style.fill : style.color;
    const [a, b] = [light(ink), light(behind(item))].sort();
    return (b + 0.05) / (a + 0.05);
  });
}"""


def missing() -> str:
    """Why no browser can be started here; empty where one can."""
    if all(shutil.which(name) for name in PACKAGES):
        return ""
    if os.geteuid() == 0 and shutil.which("apt-get"):
        return ""
    return f"no browser: install {' and '.join(PACKAGES.values())} (apt-get install)"


def install() -> None:
    """Install Debian's packages where they aren't."""
    if all(shutil.which(name) for name in PACKAGES):
        return
    variables = os.environ | {"DEBIAN_FRONTEND": "noninteractive"}
    for words in (["update"], ["install", "--yes", "--no-install-recommends", *PACKAGES.values()]):
        command = ["apt-get", *words]
        done = subprocess.run(command, env=variables, capture_output=True, text=True)
        assert done.returncode == 0, f"{command}: {done.stderr[-2000:]}"


class Browser:
    """A browser with one page open."""

    def __init__(self, driver: Chrome):
        self.driver = driver

    def open(self, page: Path, place: str = "") -> None:
        """Open a page, at a place such as `#images`, and wait until its plots are drawn."""
        self.driver.get("about:blank")  # else another place of the same page isn't loaded anew
        self.driver.get(page.as_uri() + place)
        self.wait("document.documentElement.hasAttribute('data-ready')")

    def run(self, script: str, *arguments: object) -> object:
        """What an expression of JavaScript comes to."""
        return self.driver.execute_script(f"return {script}", *arguments)

    def wait(self, script: str) -> None:
        """Wait until an expression of JavaScript is true."""
        WebDriverWait(self.driver, SECONDS, 0.05).until(lambda _: self.run(script), script)

    def all(self, selector: str) -> list[WebElement]:
        """The elements that a CSS selector finds."""
        return self.driver.find_elements("css selector", selector)

    def first(self, selector: str) -> WebElement:
        """The first of them."""
        return self.driver.find_element("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """Their texts, also of what isn't in view."""
        return self.run(
            "[...document.querySelectorAll(arguments[0])].map((item) => item.textContent)", selector
        )

    def errors(self) -> list[str]:
        """What the console has said since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def size(self, width: int, height: int) -> None:
        """Have a window of this size, in CSS pixels."""
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)

    def colours(self, scheme: str) -> None:
        """Prefer `dark` or `light` colours."""
        features = [{"name": "prefers-color-scheme", "value": scheme}]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": features})


@contextmanager
def browser() -> Iterator[Browser]:
    """A browser without a network: each request to another host fails."""
    install()
    options = ChromeOptions()
    options.binary_location = shutil.which("chromium")
    for word in ("headless=new", "no-sandbox", "disable-dev-shm-usage", "disable-gpu"):
        options.add_argument(f"--{word}")
    options.add_argument("--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    # with the driver's path, selenium looks for none
    driver = Chrome(options=options, service=Service(shutil.which("chromedriver")))
    try:
        yield Browser(driver)
    finally:
        driver.quit()
