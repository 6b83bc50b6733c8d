"""The WebDriver client against pages that draw themselves anew between two commands."""

import shutil
import sys
import unittest
import urllib.parse

from webdriver import Browser, WebDriverError

SKIPPED = 77
PAGE = """<title>drawn anew</title><ul id=list></ul><script>
  window.draw = (text) => {
    const item = document.createElement('li');
    item.textContent = text;
    item.onclick = () => document.title = `clicked ${text}`;
    document.querySelector('#list').replaceChildren(item);
  };
  draw('first');
</script>"""


class LivePageTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.browser = Browser()
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.open("data:text/html," + urllib.parse.quote(PAGE))

    def draw(self, text):
        self.browser.script("draw(arguments[0])", text)

    def test_an_element_that_was_drawn_anew_is_read_as_it_is_now(self):
        item = self.browser.one("#list li")
        visible = self.browser.first_visible("#list li")
        self.draw("second")
        self.assertEqual(item.text, "second")
        self.assertEqual(visible.text, "second")

    def test_an_element_that_was_drawn_anew_is_clicked_where_it_is_now(self):
        item = self.browser.one("#list li")
        self.draw("second")
        item.click()
        self.assertEqual(self.browser.title, "clicked second")

    def test_an_element_that_left_the_page_is_reported(self):
        item = self.browser.one("#list li")
        self.browser.script("document.querySelector('#list').replaceChildren()")
        with self.assertRaisesRegex(WebDriverError, "no such element"):
            item.click()

    def test_what_is_hidden_is_not_visible(self):
        for style in ("display: none", "visibility: hidden"):
            self.browser.script("document.querySelector('#list').style = arguments[0]", style)
            self.assertIsNone(self.browser.first_visible("#list li"), style)


if __name__ == "__main__":
    if not shutil.which("chromedriver"):
        print("skipped: chromedriver is not installed (Debian: chromium-driver)", file=sys.stderr)
        sys.exit(SKIPPED)
    unittest.main()
