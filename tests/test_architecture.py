"""Holds the layers of the package by walking its imports: who may import whom, how large a file may grow,
what it may be called.
"""

import ast
import functools
import pathlib

import hwgen

PACKAGE = pathlib.Path(hwgen.__file__).resolve().parent
CHECKOUT = PACKAGE.parent
# A package imports packages of lower rank, and itself. Equal rank means: neither knows the other.
RANKS = {
    'files': -2,
    'tensorflow_files': 0.5,
    'console': 0.5,
    'images': -1,
    'spacing': -0.5,
    'characters': -1,
    'settings': -1,
    'charset': 0,
    'models': 0,
    'losses': 0,
    'metrics': 0,
    'data': 1,
    'inference': 1,
    'training': 2,
    'serving': 2,
    'generation': 2,
    'evaluation': 3,
    'imitation': 3,
    'api': 4,
    'api_reference': 5,
    'cli': 5,
    '': 6,  # hwgen itself, which has the names of api
}
# The rooms of hwgen/data: one imports those before it, and itself.
DATA_ROOMS = ['reading', 'formats', 'scribe', 'preparing']
# The rooms of hwgen/evaluation: one imports those before it, and itself; what stands in none imports any.
EVALUATION_ROOMS = ['judges', 'systems', 'reporting', 'measuring', 'protocols']
# What the ground floor must do without: tables and text know no TensorFlow, networks and losses no files.
FOREIGN = {
    'settings': {'tensorflow', 'keras', 'numpy', 'PIL', 'cv2'},
    'charset': {'tensorflow', 'keras', 'PIL', 'cv2'},
    'metrics': {'PIL', 'cv2', 'absl'},
    'models': {'PIL', 'cv2', 'absl'},
    'losses': {'PIL', 'cv2', 'absl'},
}
MAX_LINES, MAX_LINES_OF_TESTS = 400, 800
FORBIDDEN_NAMES = {'utils', 'util', 'common', 'base', 'helpers', 'helper', 'misc', 'tools', 'stuff'}

MODULES = sorted(PACKAGE.rglob('*.py'))
SOURCES = MODULES + sorted(
    path for folder in ('tests', 'benchmarks', 'experiments') for path in (CHECKOUT / folder).rglob('*.py')
)


def relative(path):
    return str(path.relative_to(CHECKOUT))


def module_name(path):
    return '.'.join(path.relative_to(CHECKOUT).with_suffix('').parts).removesuffix('.__init__')


NAMES = {module_name(path) for path in MODULES}


@functools.cache
def tree_of(path):
    return ast.parse(path.read_text(encoding='utf-8'))


def of_each(paths):
    """Makes one test of a check of a path, which tells every path at fault. A test for each path, two
    thousand, would take ten times as long.
    """

    def made(check):
        def test():
            faults = []
            for path in paths:
                try:
                    check(path)
                except AssertionError as error:
                    faults.append(str(error))
            assert not faults, '\n'.join(faults)

        test.__doc__ = check.__doc__
        return test

    return made


def imported(path):
    """The modules a file imports anywhere, inside functions too, each with its line: names of modules as
    far as they are ours, else as written.
    """
    for node in ast.walk(tree_of(path)):
        if isinstance(node, ast.Import):
            yield from ((alias.name, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            package = node.module or ''
            if node.level:
                parents = module_name(path).split('.')
                parents = parents[: len(parents) - node.level + (path.name == '__init__.py')]
                package = '.'.join([*parents, *([package] if package else [])])
            for alias in node.names:
                inner = f'{package}.{alias.name}'
                yield (inner if inner in NAMES else package), node.lineno


def package_of(name):
    """`charset` for `hwgen.charset.encoding`; '' for hwgen itself and for what is not ours."""
    parts = name.split('.')
    return parts[1] if parts[0] == 'hwgen' and len(parts) > 1 else ''


def test_every_package_has_a_place():
    found = {path.name for path in PACKAGE.iterdir() if path.is_dir() and any(path.glob('*.py'))}
    assert found <= set(RANKS), (
        f'no rank for {sorted(found - set(RANKS))}: give it a place in RANKS and in CONTRIBUTING.md'
    )


@of_each(MODULES)
def test_layers(path):
    own = package_of(module_name(path))
    wrong = []
    for name, line in imported(path):
        other = package_of(name)
        if name.split('.')[0] == 'hwgen' and other and other != own and not RANKS[other] < RANKS[own]:
            wrong.append(f'{relative(path)}:{line} imports {name}: {own or "hwgen"} may not know {other}')
        if name.split('.')[0] in FOREIGN.get(own, ()):
            wrong.append(f'{relative(path)}:{line} imports {name}: not in {own}')
    assert not wrong, '\n'.join(wrong)


@of_each(sorted((PACKAGE / 'data').rglob('*.py')))
def test_rooms_of_data(path):
    parts = module_name(path).split('.')
    room = parts[2] if len(parts) > 2 else None
    assert room in DATA_ROOMS or path.name == '__init__.py', (
        f'{relative(path)}: expected one of the rooms {DATA_ROOMS}'
    )
    for name, line in imported(path):
        other = name.split('.')[2] if name.startswith('hwgen.data.') else room
        assert DATA_ROOMS.index(other) <= DATA_ROOMS.index(room) if other else True, (
            f'{relative(path)}:{line} imports {name}: {room} may not know {other}'
        )


@of_each(sorted((PACKAGE / 'evaluation').rglob('*.py')))
def test_rooms_of_evaluation(path):
    parts = module_name(path).split('.')
    room = parts[2] if len(parts) > 2 and path.parent.name != 'evaluation' else None
    assert room is None or room in EVALUATION_ROOMS, f'{relative(path)}: expected one of {EVALUATION_ROOMS}'
    for name, line in imported(path):
        parts = name.split('.')
        other = parts[2] if name.startswith('hwgen.evaluation.') and len(parts) > 2 else None
        if room is None or other is None:
            continue
        assert other in EVALUATION_ROOMS and EVALUATION_ROOMS.index(other) <= EVALUATION_ROOMS.index(room), (
            f'{relative(path)}:{line} imports {name}: {room} may not know {other}'
        )


def test_no_module_imports_in_a_circle():
    # hwgen itself is there before all others: they take its version, and it loads no name before it is asked.
    others = NAMES - {'hwgen'}
    graph = {
        module_name(path): {
            name for name, _ in imported(path) if name in others and name != module_name(path)
        }
        for path in MODULES
    }
    done, trail = set(), []

    def visit(name):
        assert name not in trail, ' -> '.join([*trail[trail.index(name) :], name])
        if name not in done:
            trail.append(name)
            for other in sorted(graph[name]):
                visit(other)
            done.add(trail.pop())

    for name in sorted(graph):
        visit(name)


@of_each(SOURCES)
def test_size_and_name(path):
    lines = len(path.read_text(encoding='utf-8').splitlines())
    most = MAX_LINES if PACKAGE in path.parents else MAX_LINES_OF_TESTS
    assert lines <= most, f'{relative(path)} has {lines} lines: split it, {most} are the most'
    assert path.stem not in FORBIDDEN_NAMES, f'{relative(path)}: name it after its one job'


@of_each(MODULES)
def test_documented(path):
    tree = tree_of(path)
    assert ast.get_docstring(tree), f'{relative(path)} has no docstring'
    public = [
        node
        for node in tree.body
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and not node.name.startswith('_')
    ]
    bare = [
        node.name
        for node in public
        if not ast.get_docstring(node)
        and not (package_of(module_name(path)) == 'cli' and node.name == 'main')
    ]
    assert not bare, f'{relative(path)}: no docstring on {bare}'


def public_functions(tree):
    """Functions and methods that others call: (name, node), those of private classes left out."""
    for node in tree.body:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and not node.name.startswith('_'):
            yield node.name, node
        elif isinstance(node, ast.ClassDef) and not node.name.startswith('_'):
            for one in node.body:
                if isinstance(one, ast.FunctionDef) and (
                    one.name == '__init__' or not one.name.startswith('_')
                ):
                    yield f'{node.name}.{one.name}', one


@of_each(MODULES)
def test_typed(path):
    """Every argument and every answer of a public function has a type; shapes stand in its docstring."""
    bare = []
    for name, node in public_functions(tree_of(path)):
        arguments = node.args
        every = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs]
        every += [one for one in (arguments.vararg, arguments.kwarg) if one]
        untyped = [one.arg for one in every if one.annotation is None and one.arg not in ('self', 'cls')]
        if node.returns is None and not name.endswith('.__init__'):
            untyped.append('return')
        if untyped:
            bare.append(f'{relative(path)}:{node.lineno} {name}: no type for {", ".join(untyped)}')
    assert not bare, '\n'.join(bare)


@of_each(MODULES)
def test_habits_that_bite(path):
    """No exit from library code, no split or seed from Python's salted hash()."""
    own = package_of(module_name(path))
    for node in ast.walk(tree_of(path)):
        if not isinstance(node, ast.Call):
            continue
        called = ast.unparse(node.func)
        place = f'{relative(path)}:{node.lineno}'
        assert own == 'cli' or called not in (
            'sys.exit',
            'exit',
            'quit',
            'os._exit',
        ), f'{place}: {called} in library code; raise an error'
        assert called != 'hash', f'{place}: hash() differs from start to start; use hashlib'


def test_tests_mirror_the_package():
    folders = {
        path.relative_to(CHECKOUT / 'tests').parts[0] for path in (CHECKOUT / 'tests').glob('*/test_*.py')
    }
    known = {*RANKS, 'experiments'}  # beside the package, not in it
    assert folders <= known, f'tests/{sorted(folders - known)} mirror no package of hwgen'


def test_no_two_files_of_tests_have_one_name():
    names = [path.name for path in (CHECKOUT / 'tests').rglob('test_*.py')]
    twice = sorted({name for name in names if names.count(name) > 1})
    assert not twice, f'{", ".join(twice)}: pytest imports a file of tests by its name alone; rename one'
