"""What making paper white gives: lines of the scribe are put on simulated paper and photographed, made white,
and held against what they were.

`python -m benchmarks.white_paper [--sheet=SHEET.png]`: for each kind of paper its grey level before and
after, the share that is 255 exactly, and how much of the ink's darkness relative to its paper is kept (mean
over the lines, least of a line), for ink and for ink a fifth as dark. The sheet shows two lines of each.
"""

import argparse
import io

import cv2
import numpy as np
from PIL import Image

from hwgen.data.preparing.paper import flattened
from hwgen.data.scribe import corpus

KINDS = {
    'scan, 248 +- 3': dict(paper=248, noise=3),
    'scan, 252 +- 1.5': dict(paper=252, noise=1.5),
    'scan, 235 +- 3, JPEG 60': dict(paper=235, gradient=0.05, noise=3, quality=60, blur=0.6),
    'photograph': dict(paper=190, gradient=0.3, noise=4, quality=75, blur=0.6),
    'soft shadow': dict(paper=200, gradient=0.2, shadow=0.45, noise=3, quality=80, blur=0.6),
    'sharp shadow': dict(paper=200, gradient=0.1, shadow=0.5, edge_px=1.5, noise=3, quality=80, blur=0.6),
    'dim': dict(paper=90, gradient=0.4, noise=4, quality=70, blur=0.6),
    'noise 10': dict(paper=180, gradient=0.3, noise=10, quality=85, blur=0.6),
    'grain': dict(paper=200, gradient=0.3, noise=2, quality=85, blur=0.6, grain=9),
    'half overexposed': dict(paper=330, gradient=0.5, noise=3, quality=85, blur=0.6),
}


def lines(count, height_px, seed):
    """Lines of the scribe, uint8 [height_px, W]."""
    plan = corpus.plan_corpus(
        lines=count,
        vocabulary_size=700,
        seed=seed,
        min_characters=2,
        max_characters=8,
        height_px=height_px,
        validation_lines=0,
        test_lines=0,
        unseen_lines=0,
    )
    return [plan.line('train', i).image for i in range(count)]


def photograph(
    line, rng, *, paper, gradient=0.0, shadow=0.0, edge_px=6.0, noise=0.0, grain=0.0, quality=None, blur=0.0
):
    """uint8 [H, W], the picture of a line, and float [H, W], what it would be on white paper."""
    height, width = line.shape
    y, x = np.mgrid[:height, :width]
    angle = rng.uniform(0, 2 * np.pi)
    ramp = np.cos(angle) * x / width + np.sin(angle) * y / height
    light = paper * (1 - gradient * (ramp - ramp.min()) / max(1e-6, np.ptp(ramp)))
    if shadow:
        edge = np.cos(angle + 1) * (x - width * rng.uniform(0.3, 0.7)) + np.sin(angle + 1) * (y - height / 2)
        light *= 1 - shadow / (1 + np.exp(-edge / edge_px))
    truth = cv2.GaussianBlur(line.astype(float), (0, 0), blur) if blur else line.astype(float)
    picture = truth / 255 * light + rng.normal(0, noise, line.shape)
    if grain:
        picture += cv2.GaussianBlur(rng.normal(0, 1, line.shape), (0, 0), 3) * grain
    picture = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    if quality:
        data = io.BytesIO()
        Image.fromarray(picture).save(data, 'JPEG', quality=quality)
        picture = np.array(Image.open(data))
    return picture, truth


def measure(found, kind):
    """Means over the lines: grey level of the paper before and after, share that is white; ink kept, and
    its least.
    """
    rng, before, after, white, kept = np.random.default_rng(1), [], [], [], []
    for line in found:
        picture, truth = photograph(line, rng, **KINDS[kind])
        made = flattened(picture)
        paper = cv2.erode((line >= 254).astype(np.uint8), np.ones((5, 5))) > 0
        ink = (line < np.percentile(line, 3) + 25) & (line < 250)
        before.append(picture[paper].mean())
        after.append(made[paper].mean())
        white.append((made[paper] == 255).mean())
        kept.append((255.0 - made[ink]).mean() / (255 - truth[ink]).mean())
    return (*map(np.mean, (before, after, white, kept)), min(kept))


def main():
    """Prints the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument('--sheet', help='a PNG of two lines of each kind, before and after')
    arguments = parser.parse_args()
    dark = [*lines(24, 96, 3), *lines(12, 48, 4), *lines(6, 200, 5)]
    pale = [(255 - (255 - line.astype(int)) // 5).astype(np.uint8) for line in dark]
    print('| paper | before | after | white | ink kept | pale ink kept |\n|---|---|---|---|---|---|')
    for kind in KINDS:
        before, after, white, kept, least = measure(dark, kind)
        *_, pale_kept, pale_least = measure(pale, kind)
        print(
            f'| {kind} | {before:.0f} | {after:.1f} | {white:.3f} | {kept:.2f}, {least:.2f} |'
            f' {pale_kept:.2f}, {pale_least:.2f} |',
            flush=True,
        )
    if arguments.sheet:
        narrow = sorted(dark[:24], key=lambda line: line.shape[1])[:2]
        rows = []
        for kind in KINDS:
            rng = np.random.default_rng(1)
            taken = [photograph(line, rng, **KINDS[kind])[0] for line in narrow]
            rows.append(
                np.hstack([np.pad(shown, 2) for picture in taken for shown in (picture, flattened(picture))])
            )
        cv2.imwrite(arguments.sheet, np.vstack(rows))


if __name__ == '__main__':
    main()
