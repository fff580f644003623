"""Preparations as tests call them: settings by their names alone, whichever of the dataclasses has them."""

import dataclasses

from hwgen.data.formats import registry
from hwgen.data.formats.format import Part
from hwgen.data.preparing import prepare_collection as collection_lib
from hwgen.data.preparing import prepare_folder as folder_lib
from hwgen.settings.prepare import InputSettings, OutputSettings


def settings_of(**settings):
    """(OutputSettings, InputSettings)."""
    fields = {field.name for field in dataclasses.fields(OutputSettings)}
    output = {name: settings.pop(name) for name in list(settings) if name in fields}
    return OutputSettings(**output), InputSettings(**settings)


def prepare_folder(out, *, images, labels='labels.tsv', report=print, **settings):
    """`prepare_folder.prepare_folder`; labels None: images without text."""
    if labels is None:
        settings['unlabelled'] = True
    else:
        settings['labels'] = labels
    return folder_lib.prepare_folder(
        *settings_of(source='folder', out=out, input=images, **settings), report=report
    )


def prepare_collection(out, *, path, source='auto', report=print, **settings):
    """`prepare_collection.prepare_collection`."""
    return collection_lib.prepare_collection(
        *settings_of(source=source, out=out, input=path, **settings), report=report
    )


def part(name, writer='', partition='', num_bytes=10):
    """A Part of a collection that nobody reads."""
    return Part(
        name=name,
        kind='gnt',
        writer=writer,
        partition=partition,
        num_bytes=num_bytes,
        read=None,
        format=registry.find_formats()['gnt'],
    )


# A corpus of ninety lines.
SIZES = dict(
    lines=70,
    validation_lines=9,
    test_lines=8,
    unseen_lines=7,
    vocabulary_size=700,
    seed=5,
    height_px=32,
    num_writers=5,
)
