"""The smoke preset's report in headless Chromium, clicked through as a reader does: make test-report."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "results/smoke"
CHROMIUM = shutil.which("chromium") or shutil.which("google-chrome")
OPTIONS = ("--headless", "--no-sandbox", "--disable-gpu", "--window-size=1600,1000", "--virtual-time-budget=20000")

CLICK = """<script>
const steps = [["li a", "%s"], ["tr", "%s"]];
const step = () => {
  if (!steps.length) return;
  const [tag, text] = steps[0];
  const hit = [...document.querySelectorAll(tag)].find(node => node.textContent.includes(text));
  if (hit) { steps.shift(); (hit.querySelector("td a") || hit).click(); }
  setTimeout(step, 200);
};
setTimeout(step, 500);
</script>"""
"""Opens a category in the menu, then what one of its rows shows."""

pytestmark = pytest.mark.skipif(not CHROMIUM, reason="no Chromium: apt-get install chromium")


def seen(page, *asked):
    """What Chromium prints of a page when its scripts have run."""
    call = [CHROMIUM, *OPTIONS, *asked, page.resolve().as_uri()]
    return subprocess.run(call, capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize(
    ("category", "title", "shown"),
    [
        ("1 Claims and verdicts", "Verdicts on the paper's claims", "iframe src=.data:text/html"),
        ("5 Analysis", "Figure 5: two members against three", "img src=.data:image/png"),
    ],
)
def test_a_category_opens_and_shows_what_is_in_it(tmp_path, category, title, shown):
    page = tmp_path / "report.html"
    page.write_text((FOLDER / "report.html").read_text() + CLICK % (category, title))
    assert re.search(shown, seen(page, "--dump-dom"))
    picture = FOLDER / f"report-{category[0]}.png"  # to be looked at
    seen(page, f"--screenshot={picture}")
    assert picture.stat().st_size > 20_000


def test_a_click_on_a_head_sorts_the_verdicts(tmp_path):
    page = tmp_path / "claims.html"
    click = "<script>[...document.querySelectorAll('th')].find(head => head.textContent === 'Claimed').click()</script>"
    page.write_text((FOLDER / "claims.html").read_text() + click)
    table = re.findall(r"<tr>(.*?)</tr>", seen(page, "--dump-dom"), re.S)
    claimed = [float(re.findall(r"<td.*?>(.*?)</td>", row)[3]) for row in table[1:]]
    assert len(claimed) > 30
    assert claimed == sorted(claimed)
