"""What charts show, and where they lead."""

from playwright.sync_api import expect

from tests.browser.conftest import Shop
from tests.browser.visitor import DESK, Visitor

PLOT = "#throughput .u-over"


def test_a_chart_is_drawn_in_the_colours_of_the_theme(visitor: Visitor) -> None:
    painted = """
    () => {
      const canvas = document.querySelector("#throughput canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const colours = new Set();
      for (let i = 0; i < data.length; i += 4) {
        if (data[i + 3] === 255) colours.add([data[i], data[i + 1], data[i + 2]].join());
      }
      return [...colours];
    }
    """
    for scheme, green in (("light", "11,110,79"), ("dark", "79,195,154")):
        visitor.look_as("dark" if scheme == "dark" else "light", DESK)
        visitor.go("/?t=15m")
        expect(visitor.page.locator(PLOT)).to_be_visible()
        assert green in visitor.page.evaluate(painted), scheme
        visitor.picture(f"overview-15m-{scheme}")


def test_a_mark_is_a_line_from_top_to_bottom(visitor: Visitor, shop: Shop) -> None:
    lines = """
    (section) => {
      const canvas = section.querySelector("canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      const [red, green, blue] = [102, 113, 128];
      let found = 0;
      for (let x = 0; x < canvas.width; x++) {
        let high = 0;
        for (let y = 0; y < canvas.height; y++) {
          const at = 4 * (y * canvas.width + x);
          high += data[at] === red && data[at + 1] === green && data[at + 2] === blue;
        }
        found += high > canvas.height / 2;
      }
      return found;
    }
    """
    charts = ("#throughput", "#times")
    visitor.look_as("light", DESK)
    visitor.go("/?t=15m")
    expect(visitor.page.locator(PLOT)).to_be_visible()
    assert visitor.page.locator("#throughput").evaluate(lines) == 0
    shop.queue.mark("v1.4", who="ana")
    visitor.go("/?t=15m")

    expect(visitor.page.locator("#marks")).to_contain_text("v1.4")
    for chart in charts:
        expect(visitor.page.locator(f"{chart} .u-over")).to_be_visible()
        assert visitor.page.locator(chart).evaluate(lines) >= 1, chart


def test_the_range_is_in_the_address(visitor: Visitor) -> None:
    visitor.go("/")
    visitor.page.get_by_label("Range").get_by_role("link", name="15m").click()

    expect(visitor.page.locator(PLOT)).to_be_visible()
    assert visitor.page.url.endswith("?t=15m")


def test_the_legend_says_the_values_under_the_pointer(visitor: Visitor, shop: Shop) -> None:
    visitor.go("/?t=15m")
    visitor.page.locator(PLOT).scroll_into_view_if_needed()
    box = visitor.page.locator(PLOT).bounding_box()
    assert box is not None
    done = 0
    # What the shop did is at the right.
    for step in reversed(range(180)):
        visitor.page.mouse.move(box["x"] + box["width"] * (step + 0.5) / 180, box["y"] + 40)
        text = visitor.page.locator('#throughput [data-series="done"] b').inner_text()
        done = int(text.replace(",", "") or 0)
        if done:
            break

    assert 0 < done <= shop.queue.stats()["completed"]


def test_a_bucket_leads_to_its_jobs(visitor: Visitor) -> None:
    visitor.go("/?t=15m")
    visitor.page.locator(PLOT).click(position={"x": 50, "y": 40})
    visitor.page.wait_for_url("**/jobs?*")

    assert "created_after=" in visitor.page.url
    assert "created_before=" in visitor.page.url


def test_dragging_zooms(visitor: Visitor) -> None:
    visitor.go("/?t=1h")
    visitor.page.locator(PLOT).scroll_into_view_if_needed()
    box = visitor.page.locator(PLOT).bounding_box()
    assert box is not None
    visitor.page.mouse.move(box["x"] + 100, box["y"] + 40)
    visitor.page.mouse.down()
    visitor.page.mouse.move(box["x"] + 300, box["y"] + 40, steps=4)
    visitor.page.mouse.up()

    visitor.page.wait_for_url("**/?t=*-*")
    expect(visitor.page.locator(PLOT)).to_be_visible()
