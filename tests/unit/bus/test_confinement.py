"""Which code a confined process may read, and which system calls it may make."""

import os
import socket
import sys
from pathlib import Path
from types import ModuleType

import pytest

import agents
import bus
from bus.confinement import ConfinementError
from bus.confinement.files import check_apart, code_paths, unreadable_to_others
from bus.confinement.syscalls import FREE, UNTIL_CONNECTED, conditional

CALLS = {*FREE, *(name for name, _ in conditional(1))}


def loaded(*modules: ModuleType) -> dict[str, ModuleType]:
    return {module.__name__: module for module in modules}


def test_the_folders_of_loaded_packages_are_code() -> None:
    assert Path(agents.__file__).parent in code_paths(loaded(agents, bus))


def test_the_folder_in_which_a_package_lies_is_not_code() -> None:
    beside = Path(agents.__file__).parents[1]
    assert beside not in code_paths(sys.modules)


def test_the_standard_library_is_code_though_nothing_of_it_is_loaded() -> None:
    assert Path(os.__file__).resolve().parent in code_paths({})


def test_no_path_lies_below_another() -> None:
    paths = code_paths(sys.modules)
    assert not [p for p in paths if any(q in p.parents for q in paths)]


@pytest.mark.parametrize("hidden", ["/srv/code", "/srv/code/data", "/srv"])
def test_data_and_code_must_not_lie_in_one_another(hidden: str) -> None:
    with pytest.raises(ConfinementError, match="move the data folder"):
        check_apart([Path("/srv/code")], Path(hidden))


def test_data_beside_code_is_apart() -> None:
    check_apart([Path("/srv/code")], Path("/srv/code-data"))


def test_code_behind_a_closed_folder_is_found_to_be_unreadable_to_others(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "code").mkdir(parents=True)
    for folder in (closed, closed / "code"):
        folder.chmod(0o755)
    found = unreadable_to_others([closed / "code"])
    closed.chmod(0o700)
    assert found != closed
    assert unreadable_to_others([closed / "code"]) == closed


@pytest.mark.parametrize(
    "call",
    [
        *("fork", "vfork", "clone", "clone3", "execve", "execveat", "memfd_create"),
        *("ptrace", "process_vm_readv", "process_vm_writev", "pidfd_open", "pidfd_getfd", "kcmp"),
        *("bpf", "mount", "umount2", "pivot_root", "chroot", "unshare", "setns", "keyctl"),
        *("io_uring_setup", "userfaultfd", "perf_event_open", "init_module", "kexec_load"),
        *("bind", "listen", "accept", "accept4", "sendmmsg", "rt_sigqueueinfo", "tkill"),
        *("chmod", "fchmodat", "chown", "utimensat", "setxattr", "unlink", "rename", "ftruncate"),
        *("setuid", "setresuid", "capset", "setrlimit", "sched_setaffinity", "setpriority"),
    ],
)
def test_a_call_that_a_runtime_never_needs_is_not_on_the_list(call: str) -> None:
    assert call not in CALLS


def test_a_signal_may_go_to_the_process_itself_alone() -> None:
    for name, conditions in conditional(4711):
        if name in ("kill", "tgkill"):
            assert [(c.place, c.value) for c in conditions] == [(0, 4711)]


def test_a_socket_is_a_plain_tcp_stream() -> None:
    kept = {
        (conditions[0].value, conditions[1].value & 0xF, conditions[2].value)
        for name, conditions in conditional(1)
        if name == "socket"
    }
    families, protocols = (socket.AF_INET, socket.AF_INET6), (0, socket.IPPROTO_TCP)
    assert kept == {(f, socket.SOCK_STREAM, p) for f in families for p in protocols}


def test_what_opens_a_connection_or_lifts_a_wall_goes_once_connected() -> None:
    assert {"socket", "connect", "prctl", "seccomp"} == set(UNTIL_CONNECTED)
    assert not set(UNTIL_CONNECTED) & set(FREE)
