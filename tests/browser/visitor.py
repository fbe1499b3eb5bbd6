"""Somebody who looks at the dashboard, and notes whatever the browser complains about."""

from pathlib import Path
from typing import Any, Literal
from urllib.parse import parse_qs, urlsplit

from playwright.sync_api import ConsoleMessage, Page, Request

ROOT = Path(__file__).resolve().parents[2]
SCREENSHOTS = ROOT / "target" / "screenshots"
AXE = ROOT / "packages" / "taskito-dashboard" / "node_modules" / "axe-core" / "axe.min.js"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
DESK = (1280, 800)
PHONE = (390, 844)
Scheme = Literal["light", "dark"]
PRESSED: set[tuple[str, str]] = set()
"""What forms sent in this process: the path, and the button if it has a name."""

_WATCH = """
addEventListener("securitypolicyviolation", (event) => {
  noteViolation(`${event.violatedDirective} refused ${event.blockedURI} ${event.sample}`);
});
"""
_AXE = """
async (rules) => {
  const found = await axe.run(document, {
    runOnly: { type: "tag", values: rules }, preload: false, resultTypes: ["violations"],
  });
  return found.violations.flatMap(({ id, nodes }) =>
    nodes.map((node) => `${id}: ${node.html.slice(0, 160)} (${node.failureSummary})`));
}
"""
_OUTSIDE = """
() => [...document.querySelectorAll("body *")]
  .filter((element) => {
    const box = element.getBoundingClientRect();
    return box.width > 1 && box.right > innerWidth + 1 && !element.closest(".scroll, .side, pre");
  })
  .map((element) => element.outerHTML.slice(0, 120))
"""


class Visitor:
    """One tab.

    Attributes:
        page: The tab.
        complaints: What the console, the policy and the network said against the pages.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.complaints: list[str] = []
        self._address = address
        page.set_default_timeout(30_000)
        page.expose_function("noteViolation", self._note)
        page.add_init_script(_WATCH)
        page.on("console", self._heard)
        page.on("pageerror", lambda error: self.complaints.append(f"thrown: {error}"))
        page.on("request", self._asked)

    def go(self, path: str, status: int = 200) -> None:
        """Open a page of the dashboard."""
        answer = self.page.goto(self._address + path)
        assert answer is not None
        assert answer.status in {status, 304}, path

    def look_as(self, scheme: Scheme, size: tuple[int, int]) -> None:
        """See the page in a theme and a window."""
        self.page.emulate_media(color_scheme=scheme)
        self.page.set_viewport_size({"width": size[0], "height": size[1]})

    def violations(self) -> list[str]:
        """What axe finds against WCAG 2.2 AA."""
        if not self.page.evaluate("() => 'axe' in window"):
            self.page.evaluate(AXE.read_text())
        found: list[str] = self.page.evaluate(_AXE, RULES)
        return found

    def outside(self) -> list[str]:
        """What sticks out of the window sideways, beyond what scrolls by itself."""
        wider = self.page.evaluate("() => document.documentElement.scrollWidth > innerWidth")
        found: list[str] = self.page.evaluate(_OUTSIDE)
        return found if wider else []

    def picture(self, name: str) -> None:
        """Keep what the window shows."""
        SCREENSHOTS.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=SCREENSHOTS / f"{name}.png")

    def wait_for(self, expression: str, argument: Any = None) -> None:
        """Wait until a JavaScript expression is true."""
        self.page.wait_for_function(expression, arg=argument)

    def leave(self) -> None:
        """Close the tab. Nothing may have been complained about."""
        self.page.close()
        assert not self.complaints, "\n".join(self.complaints)

    def _note(self, complaint: str) -> None:
        self.complaints.append(complaint)

    def _heard(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.complaints.append(f"console: {message.text}")

    def _asked(self, request: Request) -> None:
        if request.method == "POST":
            deed = parse_qs(request.post_data or "").get("deed", [""])[0]
            PRESSED.add((urlsplit(request.url).path, deed))
        if not request.url.startswith((self._address, "data:", "about:")):
            self.complaints.append(f"asked elsewhere: {request.url}")
