"""What is said to the user: a message a line, and nothing that does something to a terminal."""

from hwgen import console


def test_lines_stay_lines_and_the_rest_is_escaped(capsys):
    console.say('one\ntwo \x1b[31m \udcd5')
    console.warn('three\r')
    assert capsys.readouterr() == ('one\ntwo \\x1b[31m \\xd5\n', 'three\\r\n')
