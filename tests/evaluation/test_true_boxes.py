"""The writer's boxes against a pen's: geometry by hand, and a small model that rebuilds lines of a pen."""

import numpy as np
import pytest
from small_generator import shared_small_generator

from hwgen.charset.encoding import Charset
from hwgen.data.reading.records import LineRecord
from hwgen.data.scribe.pen_writer import PenWriter
from hwgen.evaluation.measuring import true_boxes
from hwgen.evaluation.measuring.true_boxes import Overlap, intersection_over_union
from hwgen.inference.line_boxes import ink_box
from hwgen.inference.writer import Writer
from hwgen.models.style_encoder import StyleEncoder
from hwgen.spacing import part_line, space_line


def test_intersection_over_union_by_hand():
    one = np.array([0.0, 0.0, 4.0, 2.0])
    assert intersection_over_union(one, one) == 1.0
    # 2 x 2 shared of 8 + 8 - 4
    assert intersection_over_union(one, np.array([2.0, 0.0, 6.0, 2.0])) == pytest.approx(4 / 12)
    assert intersection_over_union(one, np.array([4.0, 0.0, 6.0, 2.0])) == 0.0
    assert intersection_over_union(np.zeros(4), np.zeros(4)) == 0.0


@pytest.mark.parametrize('widths', [[20, 30, 10], [20, 90, 10]])  # the second is squeezed into its cell
def test_a_box_goes_where_the_line_is_put(widths):
    """Rectangles of ink, cut and set into cells as training does it; the ink is found there again."""
    image, boxes, x = np.full([64, sum(widths) + 40], 255, np.uint8), [], 5
    for number, width in enumerate(widths):
        boxes.append([x, 6 + 4 * number, x + width, 50])
        image[boxes[-1][1] : 50, x : x + width] = 0
        x += width + 10
    boxes = np.array(boxes)
    cells, _ = space_line(image, 3, boxes, char_px=32, char_width_px=32)
    edges = np.rint(part_line(image, 3, boxes) * 0.5).astype(int)
    for place in range(3):
        found = true_boxes.true_in_cell(
            boxes[place], edges[place], edges[place + 1], scale=(0.5, 0.5), char_px=32, char_width_px=32
        )
        ink = (1 - cells[:, 32 * place : 32 * place + 32]) / 2
        assert np.abs(ink_box(ink) - found).max() <= 1, (place, ink_box(ink), found)


def test_figures_of_groups():
    overlaps = [
        Overlap('components', '⿰', {'generated': 0.4 + 0.4 * (n % 2), 'template': 0.6}) for n in range(20)
    ]
    overlaps += [Overlap('components', '⿱', {'generated': 1.0, 'template': 0.0})]
    overlaps += [Overlap('characters', 'one component', {'generated': 0.5, 'template': 0.5})]
    figures = true_boxes.box_figures(overlaps)
    assert figures['iou_components']['generated'] == pytest.approx((20 * 0.6 + 1) / 21)
    assert figures['share_components_0.75']['generated'] == pytest.approx(11 / 21)
    assert figures['iou_components_⿰'] == {'generated': pytest.approx(0.6), 'template': pytest.approx(0.6)}
    assert 'iou_components_⿱' not in figures  # too few
    counted = true_boxes.counts(overlaps)
    assert counted[true_boxes.behind('iou_components_⿰')] == 20
    assert counted[true_boxes.behind('share_components_0.75')] == counted['components'] == 21
    assert true_boxes.behind('iou_characters_one_component') == 'characters one component'
    assert true_boxes.structure_of('⿰··', 2) == '⿰' and true_boxes.structure_of('H4····', 4) == 'H4'


@pytest.mark.parametrize('layout', ['cells', 'spaced'])
def test_lines_of_a_pen_are_rebuilt(layout):
    charset = Charset.load()
    generator = shared_small_generator(layout=layout)
    config = generator.config
    encoder = StyleEncoder(
        config.style_dim,
        character_noise_dim=config.character_noise_dim,
        channels=(4, 6),
        char_px=16,
        char_width_px=16,
    )
    encoder(np.ones([1, 16, 16, 1], np.float32))
    model = Writer(generator, charset, style_encoder=encoder)
    records = []
    for number, text in enumerate(('明天湖', '国一字', '部 件')):
        written = PenWriter(0, number).write_line(text, np.random.default_rng(number), height_px=64)
        codes = charset.encode(text)
        records.append(
            LineRecord(
                written.image,
                text,
                codes.character_ids,
                codes.component_ids,
                codes.structure_ids,
                'pen',
                'scribe',
                written.boxes,
                written.component_boxes if number < 2 else None,
            )  # fmt: skip
        )

    class Index:
        def __len__(self):
            return len(records)

        def read_record(self, number):
            return records[number]

    overlaps, facts = true_boxes.measure_boxes(Index(), model, seed=0)
    assert facts['lines'] == 2  # the third knows nothing of its components
    characters = [one for one in overlaps if one.part == 'characters']
    components = [one for one in overlaps if one.part == 'components']
    assert len(characters) == 6 and {'⿰', 'one component'} <= {one.structure for one in characters}
    assert len(components) == sum(
        int((row > 0).sum()) for record in records[:2] for row in record.component_ids if (row > 0).sum() > 1
    )
    assert all(0 <= value <= 1 for one in overlaps for value in one.boxes.values())
    # ink of the very line is where the pen says, but for what scaling to 16 px blurs
    assert np.median([one.boxes['real'] for one in characters]) > 0.7
    with pytest.raises(ValueError, match='no line knows where its components are'):
        true_boxes.measure_boxes(type('Empty', (), {'__len__': lambda self: 0})(), model, seed=0)
