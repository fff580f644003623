"""Every flag of `prepare` reaches its place: each is given a value of its own, and what the library is
called with is compared.
"""

import pytest
from many_calls import calls

SETUP = """
class FolderError(ValueError):
    pass
def library(name):
    def call(*arguments, report, **options):
        report(f'{name}: \\x1b said')
        tell(name, *arguments, **options)
        if options.get('lines') == 13:
            raise FolderError(
                'vocabulary_size=3 and num_writers=4 of test_lines=5, version=6, '
                'output_format=7, image/num_writers=8, nothing=9'
            )

    return call
stand_in('hwgen.data.preparing.prepare', prepare_scribe=library('scribe'))
stand_in('hwgen.data.preparing.prepare_folder', prepare_folder=library('folder'))
stand_in('hwgen.data.preparing.prepare_collection', prepare_collection=library('collection'))
stand_in('hwgen.data.preparing.inspection', inspect=library('inspect'))
"""
SHARES = dict(
    validation_share=0.05,
    test_share=0.05,
    on_error='fail',
    deslant=False,
    normalize_size=None,
    keep_paper=False,
    dark='refuse',
)
COMMON = dict(seed=0, height_px=64)
SCRIBE = dict(
    COMMON,
    lines=None,
    vocabulary_size=3500,
    script='chinese',
    validation_lines=None,
    test_lines=None,
    unseen_lines=None,
    shots=[],
    num_writers=400,
    text_file=None,
    on_error='fail',
    output_format='records',
    trajectory=False,
    version='2.0',
    pen_share=None,
    vertical=False,
    slips=0.0,
    workers=None,
)
FOLDER = dict(SHARES, **COMMON, images='in', labels='labels.tsv', name_pattern=None)
COLLECTION = dict(
    SHARES, **COMMON, path='in', source='casia', unit='lines', partition='auto', pen_px=2.0, workers=None
)
INSPECT = dict(source='auto', unit='lines', labels=None, name_pattern=None, pen_px=2.0, sheet=None)
FOREIGN = (
    '--validation_share=.11 --test_share=.12 --on_error=skip --deslant --normalize_size=.13 --keep_paper'
    ' --dark=invert --seed=14 --height_px=15 --min_characters=16 --max_characters=17'
)
FOREIGN_OPTIONS = dict(
    validation_share=0.11,
    test_share=0.12,
    on_error='skip',
    deslant=True,
    normalize_size=0.13,
    keep_paper=True,
    dark='invert',
    seed=14,
    height_px=15,
    min_characters=16,
    max_characters=17,
)
# arguments, who is called with what besides --out
CALLS = [
    ('', ['scribe', 'out', SCRIBE]),
    (
        (
            '--lines=11 --vocabulary=12 --heldout_lines=14 --shots=0,15 --writers=16 --on_error=skip'
            ' --trajectory --corpus=1.1 --pen_share=.17 --slips=.18 --workers=19 --seed=20 --height_px=21'
            ' --min_characters=22 --max_characters=23'
        ),
        [
            'scribe',
            'out',
            dict(
                SCRIBE,
                lines=11,
                vocabulary_size=12,
                validation_lines=14,
                test_lines=14,
                unseen_lines=14,
                shots=[0, 15],
                num_writers=16,
                on_error='skip',
                trajectory=True,
                version='1.1',
                pen_share=0.17,
                slips=0.18,
                workers=19,
                seed=20,
                height_px=21,
                min_characters=22,
                max_characters=23,
            ),
        ],
    ),
    ('--script=latin', ['scribe', 'out', dict(SCRIBE, script='latin')]),
    ('--format=folder --vertical', ['scribe', 'out', dict(SCRIBE, output_format='folder', vertical=True)]),
    (
        '--text_file=texts.txt --heldout_lines=14',
        ['scribe', 'out', dict(SCRIBE, text_file='texts.txt', validation_lines=14, test_lines=14)],
    ),
    ('--source=folder --input=in', ['folder', 'out', FOLDER]),
    (
        f'--source=folder --input=in --labels=x.csv --name_pattern=y {FOREIGN}',
        ['folder', 'out', dict(FOLDER, labels='x.csv', name_pattern='y', **FOREIGN_OPTIONS)],
    ),
    ('--source=folder --input=in --unlabelled', ['folder', 'out', dict(FOLDER, labels=None)]),
    # what is the default harms nobody
    (
        '--source=folder --input=in --format=records --slips=0 --notrajectory --corpus=2.0',
        ['folder', 'out', FOLDER],
    ),
    ('--source=casia --input=in', ['collection', 'out', COLLECTION]),
    (
        f'--source=iam --input=in --unit=words --partition=writers --pen_px=3.5 --workers=18 {FOREIGN}',
        [
            'collection',
            'out',
            dict(
                COLLECTION,
                source='iam',
                unit='words',
                partition='writers',
                pen_px=3.5,
                workers=18,
                **FOREIGN_OPTIONS,
            ),
        ],
    ),
    ('--source=auto --input=in', ['collection', 'out', dict(COLLECTION, source='auto')]),
    (
        '--inspect=file --out=a.PNG --source=iam --unit=words --labels=x --name_pattern=y --pen_px=3.5',
        [
            'inspect',
            'file',
            dict(
                INSPECT, source='iam', unit='words', labels='x', name_pattern='y', pen_px=3.5, sheet='a.PNG'
            ),
        ],
    ),
]
REFUSED = [
    ('--out=', '--out= is empty: expected a value'),
    (
        '--input=in',
        '--input goes with --source=folder, casia, iam, iam_online, lmdb or auto, not with --source=scribe',
    ),
    *(
        (
            flag,
            (
                '--deslant, --normalize_size, --keep_paper and --dark are for writing of others, not for'
                ' --source=scribe'
            ),
        )
        for flag in ('--deslant', '--normalize_size=.5', '--keep_paper', '--dark=keep', '--dark=refuse')
    ),
    ('--vertical', '--vertical goes with --format=folder: models learn from horizontal lines'),
    (
        '--source=folder',
        '--input: no folder given; --source=folder expects one with line images, for example --input=scans',
    ),
    (
        '--source=lmdb',
        '--input: no folder given; --source=lmdb expects one with the collection, for example --input=HWDB2',
    ),
    *(
        (
            f'--source=folder --input=in {flag}',
            f'--{flag.strip("-").partition("=")[0]} goes with --source=scribe, not with --source=folder',
        )
        for flag in (
            '--shots=1',
            '--text_file=x',
            '--writers=3',
            '--format=folder',
            '--trajectory',
            '--corpus=1.1',
            '--pen_share=0',
            '--slips=.1',
            '--vertical',
        )
    ),
    (
        '--script=latin --shots=1',
        '--shots with --script=latin: expected chinese, Latin has no held-out characters',
    ),
    ('--shots=1,x', '--shots=1,x: expected whole numbers separated by commas, for example --shots=0,1,5,20'),
    ('--shots=-1', '--shots=-1: expected whole numbers'),
    ('--text_file=', '--text_file= is empty: expected a value'),
    (
        '--text_file=x --vocabulary=3500',
        '--vocabulary is for composed texts, it does not go with --text_file',
    ),
    ('--text_file=x --shots=1', '--shots is for composed texts, it does not go with --text_file'),
    (
        '--unlabelled --source=iam',
        '--unlabelled goes with --source=folder, not with --source=iam; `train --unlabelled` takes',
    ),
    ('--unlabelled', '--unlabelled goes with --source=folder, not with --source=scribe'),
    *(
        (
            f'--unlabelled --source=folder --input=in --{name}={value}',
            f'--{name} goes with a table of texts, not with --unlabelled',
        )
        for name, value in (
            ('labels', 'labels.tsv'),
            ('name_pattern', 'x'),
            ('min_characters', 1),
            ('max_characters', 9),
        )
    ),
    (
        '--inspect=x --out=sheet.jpg',
        '--out=sheet.jpg: with --inspect expected a picture to write, for example --out=sheet.png',
    ),
    # Arguments of the library are called as they are typed, whole names alone.
    (
        '--lines=13',
        (
            '--vocabulary=3 and --writers=4 of --heldout_lines=5, --corpus=6, --format=7,'
            ' image/num_writers=8, nothing=9'
        ),
    ),
    ('--height_px=7', 'flag --height_px=7'),
    ('--height_px=1025', 'flag --height_px=1025'),
    ('--pen_share=1.01', 'flag --pen_share'),
    ('--slips=-.01', 'flag --slips'),
    ('--test_share=.51', 'flag --test_share'),
    ('--validation_share=.51', 'flag --validation_share'),
    ('--pen_px=.24', 'flag --pen_px'),
    ('--normalize_size=.09', 'flag --normalize_size'),
]


@pytest.fixture(scope='module')
def found():
    arguments = [arguments for arguments, _ in (*CALLS, *REFUSED)]
    return dict(
        zip(arguments, calls('prepare', [['--out=out', *one.split()] for one in arguments], setup=SETUP))
    )


@pytest.mark.parametrize('arguments, told', CALLS, ids=[arguments for arguments, _ in CALLS])
def test_what_the_library_is_called_with(found, arguments, told):
    status, called, out, err = found[arguments]
    assert (status, called, err) == (None, [told], '')
    assert out == f'{told[0]}: \\x1b said\n'  # nothing that does something to a terminal


@pytest.mark.parametrize('arguments, message', REFUSED, ids=[arguments for arguments, _ in REFUSED])
def test_what_is_refused(found, arguments, message):
    status, called, _, err = found[arguments]
    assert status == 2 and err.startswith(f'prepare: {message}') and err.count('\n') == 1, err
    assert called == [] or arguments == '--lines=13'
