"""Logging in to hosts and guests by their address."""

from __future__ import annotations

import os
from typing import Optional

from kvmtest import Error, Interrupted, ShellSession

from . import _host

__all__ = ["netcat", "remote_login", "ssh", "telnet", "wait_for_login"]


def remote_login(
    client: str,
    host: str,
    port: int,
    username: str,
    password: str,
    prompt: str,
    linesep: str = "\n",
    log_filename: Optional[str] = None,
    timeout: float = 10.0,
) -> ShellSession:
    """Logs in by `ssh`, `telnet` or `nc`, within `timeout`.

    The oldest form, `remote_login(command, password, prompt, linesep, timeout)`, is left out.
    """
    log = None
    if log_filename is not None:
        log = _host.get_path(_host.log_file_dir(), log_filename)
        os.makedirs(os.path.dirname(log) or ".", exist_ok=True)
    params = {
        "shell_client": client,
        "username": username,
        "password": password,
        "shell_prompt": prompt,
        "shell_linesep": linesep.encode("unicode_escape").decode("ascii"),
    }
    return ShellSession.remote_login(host, int(port), params, timeout, log)


def wait_for_login(
    client: str,
    host: str,
    port: int,
    username: str,
    password: str,
    prompt: str,
    linesep: str = "\n",
    log_filename: Optional[str] = None,
    timeout: float = 240.0,
    internal_timeout: float = 10.0,
) -> ShellSession:
    """Logs in as soon as that works, within `timeout`."""
    return remote_login(
        client, host, port, username, password, prompt, linesep, log_filename, timeout
    )


def ssh(
    host: str,
    port: int,
    username: str,
    password: str,
    prompt: str,
    linesep: str = "\n",
    timeout: float = 10.0,
) -> Optional[ShellSession]:
    """Logs in by `ssh`; `None` if that does not work."""
    return _try("ssh", host, port, username, password, prompt, linesep, timeout)


def telnet(
    host: str,
    port: int,
    username: str,
    password: str,
    prompt: str,
    linesep: str = "\n",
    timeout: float = 10.0,
) -> Optional[ShellSession]:
    """Logs in by `telnet`; `None` if that does not work."""
    return _try("telnet", host, port, username, password, prompt, linesep, timeout)


def netcat(
    host: str,
    port: int,
    username: str,
    password: str,
    prompt: str,
    linesep: str = "\n",
    timeout: float = 10.0,
) -> Optional[ShellSession]:
    """Logs in by `nc`; `None` if that does not work."""
    return _try("nc", host, port, username, password, prompt, linesep, timeout)


def _try(
    client: str,
    host: str,
    port: int,
    username: str,
    password: str,
    prompt: str,
    linesep: str,
    timeout: float,
) -> Optional[ShellSession]:
    try:
        return remote_login(
            client, host, port, username, password, prompt, linesep, None, timeout
        )
    except Interrupted:
        raise
    except Error:
        return None
