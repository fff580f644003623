"""Text files: rows as written, and complaints that name file and row."""

import io
import types

import pytest

from hwgen.charset.encoding import CharsetError
from hwgen.inference import text_files


def encode(text):
    """Stands for Writer.encode: x is in no table."""
    if 'x' in text:
        raise CharsetError(f'x at position {text.index("x")}', text.index('x'))
    return types.SimpleNamespace(units=tuple(text))


def write(data):
    with open('text.txt', 'wb') as file:
        file.write(data)
    return text_files.TextFile('text.txt')


def test_rows():
    file = write('\ufeff　　春眠 不觉晓\r\n\n⿱山鱼 \n末'.encode())
    assert list(file.rows()) == [(1, '春眠 不觉晓'), (2, ''), (3, '⿱山鱼'), (4, '末')]
    assert text_files.check_rows(file, encode) == ({1: 6, 3: 3, 4: 1}, [])


def test_unwritable_rows():
    file = write('一\n二x\nx\n三四'.encode())
    with pytest.raises(
        text_files.TextFileError, match=r'^text.txt:2: x at position 1 \(and 1 more such rows\)'
    ):
        text_files.check_rows(file, encode)
    lengths, skipped = text_files.check_rows(file, encode, skip_unwritable=True)
    assert lengths == {1: 1, 4: 2}
    assert skipped == ['text.txt:2: x at position 1', 'text.txt:3: x at position 0']


def test_errors():
    with pytest.raises(text_files.TextFileError, match='text.txt:2: byte 3 .0xFF. is not UTF-8'):
        list(write('一\n一'.encode() + b'\xff\n').rows())
    for data in (b'', b'\n \n', '　'.encode()):
        with pytest.raises(text_files.TextFileError, match='text.txt: no text in it'):
            text_files.check_rows(write(data), encode)
    with pytest.raises(text_files.TextFileError, match='text.txt:1: x at position 0'):
        text_files.check_rows(write(b'x'), encode, skip_unwritable=True)
    with pytest.raises(FileNotFoundError):
        text_files.TextFile('nowhere.txt')


def test_blanks_and_marks_in_the_middle_stay():
    """Only the first row loses a byte order mark, and rows lose blanks at their ends alone."""
    file = write('一 二\t三\n\ufeff四\n'.encode())
    assert list(file.rows()) == [(1, '一 二\t三'), (2, '\ufeff四')] == list(file.rows())
    first = next(file.rows())
    assert first == (1, '一 二\t三') and file.name == 'text.txt'


def test_standard_input_is_read_once_and_kept(monkeypatch):
    monkeypatch.setattr(text_files.sys, 'stdin', types.SimpleNamespace(buffer=io.BytesIO('一\n二'.encode())))
    file = text_files.TextFile('-')
    assert file.name == 'standard input' and [row.text for row in file.rows()] == ['一', '二'] == [
        row.text for row in file.rows()
    ]


def test_one_complaint_is_no_more(monkeypatch):
    with pytest.raises(
        text_files.TextFileError,
        match=r'^text.txt:1: x at position 0; --skip_unwritable leaves such rows out$',
    ):
        text_files.check_rows(write('x\n一'.encode()), encode)


def test_standard_input_that_is_closed(monkeypatch):
    monkeypatch.setattr(text_files.sys, 'stdin', None)
    with pytest.raises(text_files.TextFileError, match='standard input is closed: expected a text from it'):
        text_files.TextFile('-')
