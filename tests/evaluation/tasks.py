"""A Task as a session makes one, for tests of what is done with it."""

from hwgen.evaluation.protocols.task import Task


def task_with_files(**options):
    """One of `hct` whose files are written to `out`; options take the place of what is here."""
    return Task(
        **{
            **dict(
                protocol='hct',
                data='lines',
                split='test',
                info={'splits': {'test': {}}},
                model=None,
                out='out',
                seeds=[3, 4],
                num_lines=None,
                judges={},
                truncation=0.8,
                measured_under={'seeds': 2},
                facts={'model': 'mine'},
            ),
            **options,
        }
    )
