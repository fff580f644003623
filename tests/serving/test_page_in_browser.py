"""The page in Chromium: typing, sliders, rows, boxes, download and errors, in a narrow and a wide window."""

import base64
import io

import numpy as np
import pytest
from PIL import Image

pytest.importorskip('uvicorn', reason='the extra `serve` is not installed: pip install "hwgen[serve]"')

from chromium import NAMES, find_chromium, open_tab
from running_server import running

from hwgen.serving.page import Page
from hwgen.serving.rest_service import RestService

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not find_chromium(), reason=f'no browser on the PATH: one of {", ".join(NAMES)}'),
]
WRITTEN = (
    'document.querySelector("#rows").getAttribute("aria-busy") === "false" &&'
    ' !document.querySelector("#error").textContent'
)


@pytest.fixture(scope='module')
def url(served):
    with running(RestService('pen', {7: served}), page=Page('pen', 7, served)) as server:
        yield server.url


@pytest.fixture(scope='module')
def browser():
    with open_tab() as tab:
        yield tab


@pytest.fixture(params=[(360, 740, True), (1400, 900, False)], ids=['narrow and dark', 'wide and light'])
def tab(request, browser, url):
    """The page, freshly opened, with its first line written; afterwards: nothing was thrown, nothing
    sticks out of the window.
    """
    width, height, dark = request.param
    del browser.errors[:]
    browser.show(url + '/', width=width, height=height, dark=dark)
    browser.wait('document.querySelectorAll(".row").length === 1 && ' + WRITTEN)
    yield browser
    assert browser.run('document.documentElement.scrollWidth <= innerWidth')
    assert [error for error in browser.errors if 'status of 400' not in error] == []


def rows(tab):
    """The pictures shown, uint8 [H, W] each."""
    sources = tab.run('Array.from(document.querySelectorAll(".row img"), image => image.src)')
    return [
        np.asarray(Image.open(io.BytesIO(base64.b64decode(source.partition(',')[2])))) for source in sources
    ]


def slide(tab, name, value):
    tab.run(
        f'(() => {{ const slider = document.querySelector("#{name}"); slider.value = {value};'
        ' slider.dispatchEvent(new Event("input")); })()'
    )


def after(tab, change):
    """Does something and waits for the lines that come of it."""
    tab.run('window.before = document.querySelector(".row")')
    change()
    tab.wait('document.querySelector(".row") !== window.before && ' + WRITTEN)
    return rows(tab)


def test_typing_and_sliders_change_the_line(tab):
    assert tab.run('document.querySelector("#model").textContent') == 'model pen, version 7'
    # the text it begins with holds a sequence
    assert [picture.shape for picture in rows(tab)] == [(16, 3 * 16)]
    (typed,) = after(tab, lambda: tab.type('#text', '永⿱山鱼人水'))
    assert typed.shape == (16, 4 * 16)
    (mixed,) = after(tab, lambda: slide(tab, 'mix', 60))
    (moved,) = after(tab, lambda: slide(tab, 'direction0', 3))
    (average,) = after(tab, lambda: slide(tab, 'truncation', 0))
    assert len({picture.tobytes() for picture in (typed, mixed, moved, average)}) == 4
    (back,) = after(tab, lambda: tab.click('#reset'))
    assert (back == typed).all()
    (hand,) = after(tab, lambda: tab.type('#first', '44'))
    assert (hand != typed).any()
    (inserted,) = after(tab, lambda: tab.type('#text', '永永'))
    assert inserted.shape == (16, 2 * 16)


def test_rows_go_from_hand_to_hand(tab):
    (first,) = rows(tab)
    lines = after(tab, lambda: tab.type('#count', '5'))
    assert len(lines) == 5 and (lines[0] == first).all() and len({line.tobytes() for line in lines}) == 5
    tab.type('#count', '99')
    assert (
        tab.wait('document.querySelector("#error").textContent')
        == 'Rows: expected a whole number from 1 to 16'
    )
    assert len(rows(tab)) == 5


def test_a_character_shows_its_box_and_what_it_is_made_of(tab):
    tab.run('document.querySelector(".row").scrollIntoView()')
    assert tab.run('getComputedStyle(document.querySelector(".part")).display') == 'none'
    tab.move('.cell:nth-of-type(3)')
    tab.wait('document.querySelector("#character dl") !== null')
    said = dict(
        zip(
            *(
                tab.run(
                    f'Array.from(document.querySelectorAll("#character {tag}"), node => node.textContent)'
                )
                for tag in ('dt', 'dd')
            )
        )
    )
    assert (
        said['Character'].startswith('⿱山鱼 ')
        and said['Character'].endswith('position 2')
        and said['Components'] == '山  鱼'
    )
    assert (
        said['Structure'] == '⿱··'
        and said['Box'] == '32, 0 to 48, 16 px'
        and said['Parts'].startswith('山 0 0 100 50;  鱼 0 50 100 100')
    )
    cell, image, parts = tab.run("""(() => {
        const cell = document.querySelector(".cell:nth-of-type(3)");
        const box = node => { const r = node.getBoundingClientRect(); return [r.x, r.y, r.right, r.bottom]; };
        return [box(cell), box(document.querySelector(".row img")), Array.from(cell.children, box)];
    })()""")
    third = (image[2] - image[0]) / 3
    np.testing.assert_allclose(cell, [image[0] + 2 * third, image[1], image[2], image[3]], atol=1)
    middle = (image[1] + image[3]) / 2
    np.testing.assert_allclose(
        parts, [[cell[0], cell[1], cell[2], middle], [cell[0], middle, cell[2], cell[3]]], atol=1
    )
    # By the keyboard too.
    tab.run('document.querySelector(".cell").focus()')
    assert tab.wait('document.querySelector("#character dd").textContent').startswith('明 ')
    assert tab.run('document.querySelector(".cell").getAttribute("aria-label")') == '明: 日, 月'


def test_errors_are_named_and_the_last_line_stays(tab):
    (before,) = rows(tab)
    for text, said in (
        ('明ก', 'U+0E01 ก at position 1'),
        ('⿱山', 'the text ends inside ⿱'),
        ('', 'empty text'),
    ):
        tab.type('#text', text)
        tab.wait(f'document.querySelector("#error").textContent.includes("{said}")')
        assert (rows(tab)[0] == before).all() and tab.run(
            'document.querySelector("#text").getAttribute("aria-invalid")'
        ) == 'true'
    after(tab, lambda: tab.type('#text', '明'))
    assert tab.run('document.querySelector("#text").getAttribute("aria-invalid")') == 'false'


def test_what_is_downloaded_is_what_is_shown(tab, tmp_path):
    tab.call('Browser.setDownloadBehavior', behavior='allow', downloadPath=str(tmp_path))

    def download():
        for path in tmp_path.iterdir():
            path.unlink()
        tab.click('#download')
        found = []
        while not (found and found[0].suffix == '.png' and found[0].stat().st_size):
            tab.wait('true')
            found = list(tmp_path.iterdir())
        return found[0]

    assert (np.asarray(Image.open(download())) == rows(tab)[0]).all()
    lines = after(tab, lambda: tab.type('#count', '3'))
    sheet = np.asarray(Image.open(download()).convert('L'))
    assert sheet.shape == (3 * 16 + 2 * 4, 48)
    for index, line in enumerate(lines):
        assert (sheet[20 * index : 20 * index + 16] == line).all()
    assert (sheet[16:20] == 255).all()
