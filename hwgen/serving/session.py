"""Session: `serve` answers for exported models until it is ended; `bin/serve` is a thin layer over it."""

from __future__ import annotations

import contextlib
import importlib.util
import ipaddress
import json
import os
import shutil
import signal
import tempfile
from collections.abc import Callable, Collection
from typing import Any

import hwgen
from hwgen import console
from hwgen.charset.printable import printable
from hwgen.inference.model_folder import DEFAULT_MODEL, find_model
from hwgen.settings.resources import made_place
from hwgen.settings.serving import ServeSettings
from hwgen.settings.setting import SettingError

Report = Callable[[str], Any]
_OTHER_FILES = 128  # that a process needs beside its connections


def serve(settings: ServeSettings, *, given: Collection[str] = (), report: Report = console.say) -> None:
    """Binds, loads, serves; returns when a signal (SIGTERM, Ctrl-C) has ended it.

    Args:
        settings: what is served, where, and how much at most.
        given: names of the settings that somebody asked for: `model_base_path` among them is taken as it is,
            and never exported to.
        report: function of a str, told what is going on.

    Raises:
        SettingError: settings that do not go together, or packages that they need are not installed.
        OSError: the address is taken, or no such folder.
    """
    served, addresses, bounds = settings.served, settings.addresses, settings.limits
    wanted, labels = _check(settings, given)
    http_server = _http_server(addresses.grpc_port)
    _make_room(bounds.max_connections)
    # while it loads: what lies in a temporary folder goes with it
    signal.signal(signal.SIGTERM, _leave)
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(http_server.bind(addresses.host, addresses.port))
        base = _base(settings, given, stack, report=report)
        from hwgen.serving.rest_service import RestService
        from hwgen.serving.version_watch import VersionWatch

        watch = VersionWatch(base, wanted=wanted, labelled=labels.values(), report=report)
        service = RestService(
            served.model_name,
            watch.versions,
            labels=labels,
            refuse_unwritable=True,
            max_lines=bounds.max_lines,
            max_values=bounds.max_values,
        )
        limits = http_server.Limits(
            workers=bounds.workers or min(4, os.cpu_count() or 1),
            max_waiting=bounds.max_waiting,
            max_body_bytes=bounds.max_request_bytes,
            timeout_sec=bounds.timeout_sec,
            max_connections=bounds.max_connections,
        )
        server = http_server.HttpServer(
            service,
            page=_page(served.model_name, watch.versions, report=report),
            limits=limits,
            hosts=_hosts(listener, addresses),
            origins=list(addresses.allowed_origins),
        )

        def follow(versions):
            service.models.replace(versions)
            server.page = _page(served.model_name, versions, report=report)

        if addresses.grpc_port is not None:
            from hwgen.serving.grpc_server import GrpcServer

            by_grpc = GrpcServer(
                addresses.host, addresses.grpc_port, service.models, queue=server.queue, limits=limits
            )
            report(f'gRPC at port {by_grpc.port}')
            by_grpc.start()
            server.companion = by_grpc
        if served.file_system_poll_wait_seconds > 0:
            watch.watch(served.file_system_poll_wait_seconds, follow)
        said = (
            f'{_address(listener)}: model {served.model_name}, version'
            f' {", ".join(map(str, sorted(watch.versions)))}; Ctrl-C ends it'
        )
        server.run(listener, announce=lambda: report(said))
    report('stopped')


def _leave(*_: object) -> None:
    raise SystemExit(0)


def _check(settings: ServeSettings, given: Collection[str]) -> tuple[list[int] | None, dict[str, int]]:
    """Refuses settings that do not go together; the versions that are wanted (None: the newest) and the
    labels.
    """
    served = settings.served
    if served.model is not None and 'model_base_path' in given:
        raise SettingError('--model and --model_base_path are both given: expected one')
    if served.allow_unseen and served.model is None:
        raise SettingError(
            '--allow_unseen without --model: expected a model that is exported here; a version of'
            ' --model_base_path is as export wrote it'
        )
    labels = _labels(served.labels)
    wanted = (
        None if served.versions is None else [_number(version, 'versions') for version in served.versions]
    )
    return wanted, labels


def _http_server(grpc_port: int | None) -> Any:
    """The module of the server; what it needs is installed."""
    try:
        from hwgen.serving import http_server
    except ModuleNotFoundError as error:
        raise SettingError(
            f'{error.name} is not installed: expected the packages of the extra `serve`, pip install'
            ' "hwgen[serve]"'
        ) from None
    if grpc_port is not None and not all(
        importlib.util.find_spec(name) for name in ('grpc', 'tensorflow_serving')
    ):
        raise SettingError(
            '--grpc_port: tensorflow-serving-api is not installed: expected the packages of the extra `grpc`,'
            ' pip install "hwgen[grpc]"'
        )
    return http_server


def _make_room(max_connections: int) -> None:
    """Open files for all connections, as far as the system gives them."""
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = max_connections + _OTHER_FILES
    if hard != resource.RLIM_INFINITY and hard < needed:
        raise SettingError(
            f'--max_connections={max_connections}: expected at most {hard - _OTHER_FILES}, this system'
            f' gives a process {hard} open files (ulimit -Hn)'
        )
    if soft != resource.RLIM_INFINITY and soft < needed:
        resource.setrlimit(resource.RLIMIT_NOFILE, (needed, hard))


def _number(text: str, flag: str) -> int:
    """A version's number as it is given."""
    from hwgen.serving.versions import MAX_VERSION

    if not (text.isascii() and text.isdecimal() and len(text) <= 19 and int(text) <= MAX_VERSION):
        raise SettingError(f'--{flag}: version {text[:50]}: expected a number from 0 to {MAX_VERSION}')
    return int(text)


def _labels(given: Collection[str]) -> dict[str, int]:
    """--labels by their names."""
    labels = {}
    for label in given:
        name, separator, number = label.partition(':')
        if not (separator and name and number):
            raise SettingError(f'--labels={label}: expected NAME:NUMBER, such as stable:1')
        labels[name] = _number(number, 'labels')
    return labels


def _hosts(listener: Any, addresses: Any) -> list[str] | None:
    """Names that `Host` may have; None, any, where other machines are served and nobody said by which
    names.
    """
    address = listener.getsockname()[0].partition('%')[0]
    if addresses.allowed_hosts is None and not ipaddress.ip_address(address).is_loopback:
        return None
    return [addresses.host, *(addresses.allowed_hosts or ())]


def _address(listener: Any) -> str:
    """Where the server is reached."""
    host, port = listener.getsockname()[:2]
    return f'http://[{host}]:{port}' if ':' in host else f'http://{host}:{port}'


def _page(model_name: str, versions: dict[int, Any], *, report: Report) -> Any:
    """The page of the newest version, or None, told why."""
    from hwgen.serving.page import Page, PageError

    try:
        return Page(model_name, max(versions), versions[max(versions)])
    except PageError as error:
        report(f'no page: {error}')
        return None


def _base(
    settings: ServeSettings, given: Collection[str], stack: contextlib.ExitStack, *, report: Report
) -> str:
    """The folder of the versions; where nobody named one, or a model is to be served, with an export in
    it.
    """
    from hwgen.serving import versions

    served = settings.served
    if served.model is not None:
        versions.remove_abandoned(tempfile.gettempdir(), 'hwgen-serve-.{8}')
        base, held = versions.held_folder(tempfile.gettempdir(), 'hwgen-serve-')
        stack.callback(os.close, held)
        stack.callback(shutil.rmtree, base, ignore_errors=True)
    elif 'model_base_path' in given:
        return served.model_base_path
    else:
        base = made_place(served.model_base_path)
        if base != served.model_base_path:  # the cache: another release may ship another model
            base = f'{base}-{hwgen.__version__}-{os.path.basename(DEFAULT_MODEL)}'
        if found := versions.find_versions(base):
            _tell_of_other_model(found[max(found)], report=report)
            return base
    path = versions.version_folder(base)  # BASE/1; refuses a base that is a file
    model = find_model(served.model or DEFAULT_MODEL)
    place = '' if served.model else f' to {path}: there is no version yet'
    report(f'exporting {model}{place}, about half a minute')
    from hwgen.serving.new_model import export_to

    export_to(path, model=model, allow_unseen=served.allow_unseen, report=report)
    return base


def _tell_of_other_model(version: str, *, report: Report) -> None:
    """A word where nobody named a model, and the version that is there was made of another than the default:
    of an earlier default, or of a run.
    """
    from hwgen.inference.description import read_description
    from hwgen.serving.saved_version import DESCRIPTION

    try:
        with open(os.path.join(version, DESCRIPTION), encoding='utf-8') as file:
            trained = json.load(file)['trained']
    except (OSError, ValueError, KeyError, TypeError):  # whoever loads it says what is wrong with it
        return
    if trained != read_description(find_model(DEFAULT_MODEL)).get('info'):
        command = trained.get('command') if isinstance(trained, dict) else None
        report(
            f'{version}: was made of another model than {DEFAULT_MODEL}'
            + (f' (by `{printable(command)}`)' if command else '')
            + '; `export` writes a version of that, --model serves another one'
        )
