"""The book in a real browser: formulas, search, filters, keyboard, axe, and narrow screens."""

import pytest

NOTEBOOK = "notebooks/part1_signal/08_initialization.html"
PAGES = ["index.html", NOTEBOOK, "claims.html?notebook=08", "concepts.html?state=covered"]
PAGES += ["search.html?q=edge+of+stability", "api/dlscratch.layers.html"]


def test_formulas_are_typeset_and_figures_load(visit):
    formulas = {NOTEBOOK: 50, NOTEBOOK.replace("08_initialization", "09_vanishing_exploding"): 100}
    for address, least in formulas.items():
        page = visit().open(address)
        assert page.locator("mjx-container").count() > least
        assert page.locator("mjx-merror").count() == 0
        text = page.locator("article").inner_text()
        assert not any(mark in text for mark in ("\\(", "\\[", "$$"))
    page = visit().open(NOTEBOOK)
    sizes = page.evaluate(
        "[...document.querySelectorAll('article img')].map(i => i.complete && i.naturalWidth)"
    )
    assert len(sizes) >= 8 and min(sizes) > 100


def test_every_card_of_the_gallery_opens_its_notebook(visit):
    page = visit().open("index.html")
    cards = page.locator("ul.gallery a")
    assert cards.count() == page.locator("nav.bd-links a[href*='notebooks/']").count() > 10
    for picture in page.locator("ul.gallery img").all():
        picture.scroll_into_view_if_needed()
        picture.evaluate("i => i.decode()")
    cards.nth(8).click()
    assert page.url.endswith(NOTEBOOK) and page.title().startswith("08 · Initialization")


def test_search_finds_the_edge_of_stability(visit):
    page = visit().open("search.html?q=edge+of+stability")
    page.wait_for_selector("#search-results ul.search li a")
    page.get_by_text("Search finished").wait_for()
    assert "Concepts" in page.locator("#search-results ul.search li > a").all_inner_texts()


def test_the_claims_can_be_filtered_and_lead_to_their_cells(visit):
    page = visit().open("claims.html")
    shown = page.locator("#table-claims tbody tr:visible")
    everything = shown.count()
    page.get_by_label("Notebook").select_option("08")
    of_one = shown.count()
    page.get_by_label("Contains").fill("xavier")
    assert 0 < shown.count() < of_one < everything
    assert page.locator("form.filters output").inner_text() == f"{shown.count()} of {everything}"
    text = shown.first.locator("a").inner_text()
    shown.first.locator("a").click()
    assert text in page.locator(":target").inner_text()


def test_concepts_that_are_open_are_shown(visit):
    page = visit().open("concepts.html")
    assert page.locator("table.ledger tbody tr").count() == 199
    page.get_by_label("State").select_option("open")
    assert (
        page.locator("#table-concepts tbody tr:visible").count()
        == page.locator("tr[data-state=open]").count()
        > 0
    )


def test_a_keyboard_reaches_the_content_first(visit):
    page = visit().open(NOTEBOOK)
    page.keyboard.press("Tab")
    assert "main content" in page.evaluate("document.activeElement.textContent").lower()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('main').contains(document.activeElement)")
    stops = page.evaluate(
        "[...document.querySelectorAll('mjx-container')].filter(f => f.tabIndex >= 0).length"
    )
    assert stops == 0  # a formula is read, not stopped at


def test_answers_and_solutions_are_folded_and_open(visit):
    page = visit().open(NOTEBOOK)
    solution = page.locator("details", has=page.locator("summary", has_text="Solution")).first
    assert not solution.locator("pre").first.is_visible()
    solution.locator("summary").first.click()
    assert solution.locator("pre").first.is_visible()


# axe measures every glyph and every token of code against what lies behind it, minutes of it on a
# long page. Formulas have the colour of their text, and code that of the first cells.
SHORTEN = """() => {
    document.querySelectorAll("details").forEach(d => d.open = true);
    document.querySelectorAll("mjx-container").forEach(m => m.replaceWith("x"));
    [...document.querySelectorAll("main pre")].slice(8).forEach(p => p.replaceChildren("code"));
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(visit, name, theme):
    axe = pytest.importorskip(
        "axe_playwright_python.sync_playwright", reason="no axe; `make unit` installs it"
    )
    page = visit(theme=theme).open(name)
    assert page.evaluate("document.documentElement.dataset.theme") == theme
    page.evaluate(SHORTEN)
    assert page.evaluate("document.getAnimations().length") == 0
    found = (
        axe.Axe()
        .run(page, options={"resultTypes": ["violations"], "preload": False})
        .response["violations"]
    )
    told = [
        (v["id"], n["target"], n["failureSummary"])
        for v in found
        if v["impact"] in ("serious", "critical")
        for n in v["nodes"]
    ]
    assert told == []


def test_what_scrolls_sideways_can_be_reached_by_keyboard(visit):
    page = visit(width=390).open(NOTEBOOK)
    page.wait_for_timeout(100)
    boxes = page.evaluate("""[...document.querySelectorAll("main *")]
        .filter(b => /auto|scroll/.test(getComputedStyle(b).overflowX))
        .filter(b => b.scrollWidth > b.clientWidth)
        .map(b => [b.tabIndex, b.outerHTML.slice(0, 80)])""")
    assert len(boxes) > 10
    assert [box for box in boxes if box[0] < 0] == []


@pytest.mark.parametrize(
    "name", [*PAGES, "performance.html", "sweeps.html", "gpu.html", "elsewhere.html"]
)
def test_nothing_is_wider_than_a_phone(visit, name):
    page = visit(width=390).open(name)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
