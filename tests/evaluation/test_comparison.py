"""Comparisons: figures against those of each system alone, real lines as a system of their own, systems
that cannot write at all.
"""

import numpy as np
import pytest
from PIL import Image

from hwgen import files
from hwgen.data.reading import shards
from hwgen.evaluation.measuring import comparison, conventions, distances, line_halves
from hwgen.evaluation.protocols.registry import find_protocol
from hwgen.evaluation.reporting import result_page, seed_figures
from hwgen.evaluation.systems import compared_systems
from hwgen.inference import picture_files


class GreyWriter:
    """Writes every character in the grey of the style seed, or in a grey of its own."""

    char_px = char_width_px = 32
    style_encoder = None

    def __init__(self, grey=None):
        self.grey, self.seeds = grey, []

    def write(self, texts, *, style_seeds, styles=None, truncation):
        self.seeds += list(style_seeds)
        self.truncation = truncation
        return [
            np.full([32, 32 * len(text)], seed % 200 if self.grey is None else self.grey, np.uint8)
            for text, seed in zip(texts, style_seeds)
        ]


class CellReader:
    """Reads every cell with ink as 天."""

    def read(self, images):
        return ['天' * (image.shape[1] // 32) if image.min() < 250 else '' for image in images]


class CountingReader:
    """Finds everything wrong in pictures without ink, and nothing in others; five labels a character."""

    def label_errors(self, images, texts):
        counts = np.array([5 * len(text) for text in texts])
        return counts * np.array([image.min() >= 250 for image in images]), counts


@pytest.fixture
def index(written_folder):
    return shards.RecordIndex(written_folder, split='test')


def run(index, space, found, **options):
    options = {
        'seeds': (0,),
        'num_lines': 20,
        'truncation': 0.7,
        'geometry_repeats': 2,
        'reader': CellReader(),
        'component_reader': CountingReader(),
        **options,
    }
    return comparison.compare_systems(found, index, space=space, report=lambda line: None, **options)


def write_folder(folder, records, picture):
    """A folder of pictures of the records' texts, in their order."""
    for number, record in enumerate(records):
        files.write_file(str(folder / f'{number}.png'), picture_files.encode_png(picture(record)))
    (folder / 'labels.tsv').write_text(
        ''.join(f'{number}.png\t{record.text}\n' for number, record in enumerate(records)), encoding='utf-8'
    )
    return compared_systems.PictureFolder(folder)


def second_half(index, seeds=(0,)):
    return [
        index.read_record(number)
        for seed in seeds
        for number in line_halves.choose_lines(index, 'hct', num_lines=20, seed=seed).second
    ]


@pytest.mark.slow
def test_each_system_gets_the_figures_that_it_has_alone(index, grey_space, monkeypatch):
    monkeypatch.setattr(line_halves, '_GEOMETRY_REPEATS', 2)
    found = run(
        index,
        grey_space,
        {'drawn': GreyWriter(), 'light': GreyWriter(150)},
        seeds=(4, 5),
        reader=None,
        component_reader=None,
    )
    for place, seed in enumerate((4, 5)):
        for name, grey in (('drawn', None), ('light', 150)):
            alone = distances.compare(
                index,
                'hct',
                space=grey_space,
                model=GreyWriter(grey),
                num_lines=20,
                seed=seed,
                truncation=0.7,
                report=lambda line: None,
            )
            assert found.digests[place] == alone.digest
            for figure, values in alone.figures.items():
                assert (found.figures[place][figure][name], found.figures[place][figure]['floor']) == (
                    values['generated'],
                    values['floor'],
                )
                if 'other_texts' in values:
                    assert found.figures[place][f'{figure}_other_texts'] == {
                        **found.figures[place][f'{figure}_other_texts'],
                        name: values['other_texts'],
                        'floor': values['floor'],
                    }
    assert [figure for figure in found.figures[0] if not figure.endswith('_other_texts')] == [*alone.figures]


def test_real_lines_are_measured_once_whatever_the_number_of_systems(index, grey_space):
    writers = {name: GreyWriter() for name in 'abc'}
    run(index, grey_space, writers, seeds=(0, 1))
    assert len(grey_space.shapes) == 2 * (2 + 3) * 20
    assert (
        writers['a'].seeds == writers['b'].seeds == writers['c'].seeds and len(set(writers['a'].seeds)) == 40
    )


def test_real_lines_as_a_system_are_at_no_distance_from_themselves(index, grey_space, tmp_path):
    real = second_half(index)
    same = write_folder(tmp_path, real, lambda record: record.image)
    (figures,) = run(index, grey_space, {'same': same, 'drawn': GreyWriter()}).figures
    assert (
        figures['fid_grey_20']['same'] < 1e-9 < 0.1 * figures['fid_grey_20']['floor']
        and figures['geometry_score_pixels_20']['same'] == 0.0
    )
    assert figures['kid_grey_20']['same'] <= figures['kid_grey_20']['floor'] < figures['kid_grey_20']['drawn']
    assert figures['is_grey_20']['same'] == figures['is_grey_20']['floor']
    # Held against the half that the floor is measured against, they are the floor.
    for figure in (
        'fid_grey_20_other_texts',
        'kid_grey_20_other_texts',
        'geometry_score_pixels_20_other_texts',
    ):
        assert figures[figure]['same'] == figures[figure]['floor']
    text = ''.join(record.text for record in real)
    assert figures['cer_20'] == {
        kind: pytest.approx(1 - text.count('天') / len(text)) for kind in ('floor', 'same', 'drawn')
    }
    assert figures['label_error_20'] == {'floor': 0.0, 'same': 0.0, 'drawn': 0.0}


def test_blank_pictures_are_far_away_and_unreadable(index, grey_space, tmp_path):
    blank = write_folder(tmp_path, second_half(index), lambda record: np.full([50, 200], 255, np.uint8))
    (figures,) = run(index, grey_space, {'blank': blank, 'drawn': GreyWriter()}).figures
    for figure in ('fid_grey_20', 'kid_grey_20', 'fid_grey_20_other_texts'):
        assert figures[figure]['blank'] > 3 * max(figures[figure]['floor'], figures[figure]['drawn'])
    assert (
        figures['cer_20']['blank'] == figures['label_error_20']['blank'] == 1.0
        and np.isfinite([value['blank'] for value in figures.values()]).all()
    )


def test_the_floor_of_reading_is_that_of_real_lines(index, grey_space, tmp_path):
    """Not what the system at hand makes of it."""
    blank = write_folder(tmp_path, second_half(index), lambda record: np.full([50, 200], 255, np.uint8))
    (figures,) = run(index, grey_space, {'blank': blank}).figures
    text = ''.join(record.text for record in second_half(index))
    assert figures['cer_20'] == {'floor': pytest.approx(1 - text.count('天') / len(text)), 'blank': 1.0}
    assert figures['label_error_20'] == {'floor': 0.0, 'blank': 1.0}


def test_nothing_legible_has_the_least_inception_score(index, grey_space):
    """A network that sees a class nowhere gives no samples at all."""

    class Blind(type(grey_space)):
        def measure(self, pictures):
            found = super().measure(pictures)
            return found._replace(probabilities=found.probabilities[found.vectors[:, 0] < 0.9])

    (figures,) = run(index, Blind(), {'blank': GreyWriter(255)}).figures
    assert figures['is_grey_20']['blank'] == 1.0 < figures['is_grey_20']['floor']


def test_the_same_call_gives_the_same_result(index, grey_space, tmp_path):
    folder = write_folder(tmp_path, second_half(index, seeds=(0, 1)), lambda record: record.image)
    first, again = (
        run(index, grey_space, {'folder': folder, 'drawn': GreyWriter()}, seeds=(0, 1)) for _ in range(2)
    )
    assert (first.figures, first.digests, first.texts) == (again.figures, again.digests, again.texts) and len(
        set(first.digests)
    ) == 2
    for row, other in zip(first.sheet, again.sheet, strict=True):
        for picture, equal in zip(row, other, strict=True):
            np.testing.assert_array_equal(picture, equal)
    other = run(index, grey_space, {'drawn': GreyWriter()}, seeds=(2,))
    assert other.digests[0] not in first.digests and other.figures[0] != first.figures[0]


def test_texts_that_a_folder_lacks_are_told_before_anything_is_measured(index, grey_space, tmp_path):
    folder = write_folder(tmp_path, second_half(index)[:-3], lambda record: record.image)
    (texts,) = comparison.protocol_texts(index, seeds=(0,), num_lines=20)
    assert texts == [record.text for record in second_half(index)]
    with pytest.raises(
        ValueError,
        match=(
            r"labels.tsv: \d pictures of '.+', expected \d; 3 pictures of [123] texts are missing in all:"
            r' --texts_out=FILE'
        ),
    ):
        run(index, grey_space, {'drawn': GreyWriter(), 'folder': folder})
    assert not grey_space.shapes


def test_what_cannot_be_compared(index, grey_space):
    with pytest.raises(ValueError, match='comparison of 0 systems'):
        run(index, grey_space, {})
    with pytest.raises(ValueError, match='by the protocol hwd: .* a protocol that draws hands'):
        run(index, grey_space, {'drawn': GreyWriter()}, protocol='hwd')


def test_the_table_has_a_row_a_system_in_the_order_given(index, grey_space):
    found = run(index, grey_space, {'zeta': GreyWriter(), 'alpha': GreyWriter(90)}, seeds=(0, 1))
    gathered = seed_figures.gather(found.figures, find_protocol('comparison').directions)
    assert all(seed_figures.kinds(row) == ['floor', 'zeta', 'alpha'] for row in gathered)
    assert {row['name']: row['better'] for row in gathered}['label_error_20'] == 'lower'
    page = result_page.format_page(
        {'seeds': [0, 1], 'figures': gathered},
        title='Systems',
        explained=find_protocol('comparison').kinds,
        systems=True,
    )
    rows = page[: page.index('</table>')].split('<tr>')[1:]
    assert [row.split('</td>')[0] for row in rows[1:]] == ['<td>floor', '<td>zeta', '<td>alpha']
    assert (
        all(row.count('<td>') == 1 + len(gathered) for row in rows[1:])
        and seed_figures.describe(gathered[0]['alpha']) in rows[3]
    )


def test_sheet_and_strip(index, grey_space):
    found = run(index, grey_space, {'dark': GreyWriter(0), 'grey': GreyWriter(100)})
    assert (
        found.texts == [record.text for record in second_half(index)[:10]]
        and [len(row) for row in found.sheet] == [3] * 10
    )
    comparison.write_sheet('sheet.png', found, ['dark', 'grey'])
    comparison.write_strip(
        'strip.png', {'dark': GreyWriter(0), 'grey': GreyWriter(100)}, ['天地', '天'], style_seeds=7
    )
    with Image.open('sheet.png') as sheet, Image.open('strip.png') as strip:
        assert sheet.height == 11 * 48 + 10 * 12
        pixels = np.asarray(strip)
    # Three rows of 48 px with 12 px between them, columns of 96 + 48 px; names above, in grey.
    assert (
        pixels.shape == (168, 288)
        and (pixels[60:108, :96] == 0).all()
        and (pixels[120:, 144:192] == 100).all()
        and (pixels[120:, 48:144] == 255).all()
    )
    assert pixels[:48, :144].min() == pixels[:48, 144:].min() == 90


def test_the_hands_of_a_strip_are_those_asked_for(index):
    comparison.write_strip(
        'strip.png', {'drawn': GreyWriter(), 'again': GreyWriter()}, ['天', '天'], style_seeds=[30, 170]
    )
    with Image.open('strip.png') as strip:
        pixels = np.asarray(strip)
    # Names, and two rows of 48 px with 12 px between them.
    for top, grey in ((60, 30), (120, 170)):
        assert (pixels[top : top + 48, :48] == grey).all() and (
            pixels[top : top + 48] == grey
        ).sum() == 2 * 48 * 48


def test_lines_are_scaled_to_the_cells_of_the_first_system(index, grey_space):
    class Narrow(GreyWriter):
        char_px, char_width_px = 24, 16

    def sizes():
        return {
            (height, width / letters)
            for (height, width) in grey_space.shapes
            for letters in (2, 3, 4)
            if width / letters in (16, 20, 32)
        }

    run(index, grey_space, {'narrow': Narrow(), 'square': GreyWriter()}, component_reader=None, reader=None)
    assert (
        {height for height, _ in grey_space.shapes} == {24}
        and {width % 16 for _, width in grey_space.shapes} == {0}
        and {width for _, width in grey_space.shapes} == {32, 48, 64}
    )
    grey_space.shapes.clear()
    run(index, grey_space, {'square': GreyWriter(), 'narrow': Narrow()}, component_reader=None, reader=None)
    assert {height for height, _ in grey_space.shapes} == {32}
    grey_space.shapes.clear()
    seen = []

    class Looks(CellReader):
        def read(self, images):
            seen.extend(image.shape for image in images)
            return super().read(images)

    run(
        index,
        grey_space,
        {'square': GreyWriter()},
        cells=dict(char_px=8, char_width_px=20),
        reader=Looks(),
        component_reader=None,
    )
    assert sizes() == {(8, 20)} and set(seen) == {(8, 40), (8, 60), (8, 80)}


def test_real_lines_are_measured_once_for_further_calls(index, grey_space):
    """The second call gives what it gives by itself, and looks at what the system wrote alone; seeds that
    are new are measured.
    """
    real, options = {}, dict(reader=None, component_reader=None, geometry_repeats=0)
    run(index, grey_space, {'one': GreyWriter(30)}, seeds=(4,), real=real, **options)
    assert list(real) == [4] and len(grey_space.shapes) == 60
    second = run(index, grey_space, {'two': GreyWriter()}, seeds=(4, 6), real=real, **options)
    assert list(real) == [4, 6] and len(grey_space.shapes) == 60 + 20 + 60
    alone = run(index, grey_space, {'two': GreyWriter()}, seeds=(4, 6), **options)
    assert (second.figures, second.digests, second.texts) == (alone.figures, alone.digests, alone.texts)
    assert not any(name.startswith('geometry') for name in alone.figures[0])


def test_what_is_said_along_the_way_and_the_sheet_of_the_first_seed(index, grey_space):
    said, writer = [], GreyWriter(250)
    found = comparison.compare_systems(
        {'pale': writer, 'dark': GreyWriter(0)},
        index,
        space=grey_space,
        seeds=(3, 5),
        num_lines=12,
        geometry_repeats=0,
        truncation=0.6,
        reader=CellReader(),
        component_reader=CountingReader(),
        report=said.append,
    )
    halves = [line_halves.choose_lines(index, 'hct', num_lines=12, seed=seed).second for seed in (3, 5)]
    shares = [''.join(index.read_record(number).text for number in half) for half in halves]
    shares = [1 - text.count('天') / len(text) for text in shares]
    assert said == [
        line
        for seed, share in zip((3, 5), shares)
        for line in (
            f'seed {seed}: 2 x 12 real lines, cer {share:.3f}, label error 0.000',
            f'seed {seed}: pale, 12 lines, cer 1.000, label error 1.000',
            f'seed {seed}: dark, 12 lines, cer {share:.3f}, label error 0.000',
        )
    ]
    assert len(found.figures) == len(found.digests) == 2 and writer.truncation == 0.6
    assert found.texts == [index.read_record(number).text for number in halves[0][:10]]
    for number, (real, pale, dark) in zip(halves[0], found.sheet, strict=False):
        np.testing.assert_array_equal(real, index.read_record(number).image)
        assert pale.min() == pale.max() == 250 and dark.max() == 0


def test_counts_in_names_are_those_of_what_was_read(index):
    reading = comparison._Reading(CellReader(), CountingReader(), dict(char_px=32, char_width_px=32))
    assert reading.rates() == {} and reading.told() == ''
    for images, texts in (([255, 0], ['天地', '天天人']), ([0], ['天'])):
        lines = [
            (
                np.full([16, 50], grey, np.uint8),
                index.read_record(0)._replace(text=text, character_ids=np.ones(len(text), np.int32)),
            )
            for grey, text in zip(images, texts)
        ]
        reading.update(*zip(*lines))
    assert (
        reading.num_lines == 3
        and reading.rates() == {'cer': 3 / 6, 'label_error': 10 / 30}
        and (reading.wrong, reading.total) == ({'cer': 3, 'label_error': 10}, {'cer': 6, 'label_error': 30})
    )
    found, other = {}, comparison._Reading(None, None, {}, {'cer': 1}, {'cer': 4})
    reading.num_lines = 2000
    comparison._add(
        found,
        'mine',
        {
            'fid_a': {'floor': 1.0, 'generated': 2.0, 'other_texts': 3.0},
            'is_a': {'floor': 4.0, 'generated': 5.0},
        },
        reading,
        comparison._Reading(None, None, {}, {'cer': 1, 'label_error': 2}, {'cer': 4, 'label_error': 4}),
    )
    assert found == {
        'fid_a': {'floor': 1.0, 'mine': 2.0},
        'fid_a_other_texts': {'floor': 1.0, 'mine': 3.0},
        'is_a': {'floor': 4.0, 'mine': 5.0},
        'cer_2k': {'floor': 0.25, 'mine': 0.5},
        'label_error_2k': {'floor': 0.5, 'mine': 1 / 3},
    }
    comparison._add(found, 'yours', {'fid_a': {'floor': 9.0, 'generated': 7.0}}, other, other)
    assert found['fid_a'] == {'floor': 1.0, 'mine': 2.0, 'yours': 7.0} and list(found['fid_a']) == [
        'floor',
        'mine',
        'yours',
    ]


def test_what_is_taken_where_nothing_is_said(index, monkeypatch):
    assert comparison.compare_systems.__kwdefaults__ == {
        'reader': None,
        'component_reader': None,
        'seeds': (0, 1, 2),
        'num_lines': None,
        'truncation': 0.8,
        'protocol': 'hct',
        'cells': None,
        'geometry_repeats': None,
        'real': None,
        'report': print,
    }
    writer = GreyWriter()
    comparison.write_strip('strip.png', {'drawn': writer}, ['天', '地'])
    assert writer.truncation == 0.8 and writer.seeds == [0, 0] and comparison.head_font().size == 20
    texts = comparison.protocol_texts(index)
    assert (
        len(texts) == 3
        and [len(one) for one in texts] == [25] * 3
        and texts == comparison.protocol_texts(index, num_lines=10**6)
    )
    monkeypatch.setitem(conventions.CONVENTIONS, 'hct', conventions.CONVENTIONS['hct']._replace(num_lines=7))
    assert [len(one) for one in comparison.protocol_texts(index, seeds=(2, 1), num_lines=20)] == [7, 7]
    assert (
        comparison.protocol_texts(index, seeds=(2, 1), num_lines=20)[1]
        == comparison.protocol_texts(index, seeds=(1,))[0]
    )
