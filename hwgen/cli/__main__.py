"""`python -m hwgen.cli <command>`, which is what the scripts in bin/ call."""

from hwgen.cli import app

if __name__ == '__main__':
    app.main()
