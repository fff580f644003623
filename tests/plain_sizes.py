"""Options of a plain generator, near to the paper's sizes, where a test leans on no extra of the one that
ships: layout encoding, no fine maps, nothing bent.
"""

PLAIN = dict(
    content_encoding='layout',
    content_channels=480,
    channels=(256, 128, 64),
    style_part_dim=32,
    upsample='first',
    spectral=True,
    structure_dim=128,
    component_dim=256,
    map_channels=(),
    learn_boxes=False,
    bend_px=0,
)
