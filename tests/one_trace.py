"""What writers of one generator draw with, traced once for all of them: that takes most of the time of a test
which writes.
"""

import contextlib

import pytest


@contextlib.contextmanager
def one_trace_a_generator():
    """Meanwhile a Writer or a LineMarker takes the graph that another of the same generator has."""
    from hwgen.inference.line_boxes import LineMarker
    from hwgen.inference.writer import Writer

    def kept(kind, writer, make):
        # What the graph holds beside weights, which are variables; what a test has put in its place, too.
        generator = writer.generator
        key = kind, generator.space_component, generator.call, writer.layout, type(writer).draw
        traces = vars(generator).setdefault('_traces', [])  # they go with it, which they hold
        found = [trace for known, trace in traces if known == key]
        if not found:
            found = [make()]
            traces.append((key, found[0]))
        return found[0]

    compile_, start = Writer._compile, LineMarker.__init__

    def started(self, writer):
        start(self, writer)
        self._generate = kept('boxes', writer, lambda: self._generate)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Writer, '_compile', lambda self: kept('lines', self, lambda: compile_(self)))
        patch.setattr(LineMarker, '__init__', started)
        yield
