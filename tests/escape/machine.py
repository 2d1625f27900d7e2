"""Attempts to run programs, to multiply, and to change the machine."""

import ctypes
import os
import subprocess
import sys

from tests.escape.attempts import Control, Hands, attempt
from tests.escape.kernel import call

_CLONE_NEWUSER, _CLONE_NEWNET = 0x1000_0000, 0x4000_0000
_BOUND = 3


@attempt("no process is made")
def fork(hands: Hands) -> object:
    return _forked()


@attempt("no process is made, so none multiplies")
def fork_and_fork_again(hands: Hands) -> object:
    return [_forked() for _ in range(_BOUND)]


def _forked() -> int:
    child = os.fork()
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


@attempt("no process is made, by the oldest call either")
def fork_by_system_call(hands: Hands) -> object:
    child = call("clone", 17, 0, 0, 0, 0)
    if child == 0:
        os._exit(0)
    os.waitpid(child, 0)
    return child


@attempt("no program is run")
def run_a_program(hands: Hands) -> object:
    command = [sys.executable, "-c", "print(1)"]
    return subprocess.run(command, capture_output=True, check=True).stdout or None


@attempt("no program takes this one's place")
def become_another_program(hands: Hands) -> object:
    # An argument list of null and a path that is none: the kernel answers before it replaces.
    try:
        call("execve", ctypes.c_char_p(b"/nonexistent"), None, None)
    except FileNotFoundError:
        return "the kernel looked for it"
    return None


@attempt("there is no file in memory that could be run")
def make_a_file_in_memory(hands: Hands) -> object:
    held = os.memfd_create("escaped")
    os.close(held)
    return held


@attempt("namespaces are not answered")
def become_root_of_a_namespace_of_its_own(hands: Hands) -> object:
    return _in_a_child(lambda: call("unshare", _CLONE_NEWUSER))


@attempt("namespaces are not answered", Control.ROOT)
def leave_for_another_network(hands: Hands) -> object:
    return _in_a_child(lambda: call("unshare", _CLONE_NEWNET))


@attempt("namespaces are not answered", Control.ROOT)
def enter_the_namespaces_of_a_process(hands: Hands) -> object:
    def enter() -> int:
        return call("setns", call("pidfd_open", hands.field.decoy, 0), _CLONE_NEWNET)

    return _in_a_child(enter)


@attempt("mounting is not answered", Control.ROOT)
def mount_a_filesystem(hands: Hands) -> object:
    def mount() -> int:
        call("unshare", 0x0002_0000)
        private = 1 << 18 | 1 << 14
        call("mount", None, ctypes.c_char_p(b"/"), None, private, None)
        kind = ctypes.c_char_p(b"tmpfs")
        return call("mount", kind, ctypes.c_char_p(b"/mnt"), kind, 0, None)

    return _in_a_child(mount)


@attempt("a new root is not answered", Control.ROOT)
def change_its_root(hands: Hands) -> object:
    return _in_a_child(lambda: call("chroot", ctypes.c_char_p(b"/")))


def _in_a_child(act: object) -> object:
    """Where it can be had, a child takes the change, so that the control keeps its place."""
    assert callable(act)
    try:
        child = os.fork()
    except OSError:
        act()
        return "done"
    if child == 0:
        try:
            act()
        except OSError:
            os._exit(1)
        os._exit(0)
    return "done" if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0 else None


@attempt("programs in the kernel are not answered", Control.ROOT)
def load_a_program_into_the_kernel(hands: Hands) -> object:
    # struct bpf_attr of BPF_MAP_CREATE: an array of one.
    attributes = (ctypes.c_uint32 * 32)(2, 4, 4, 1)
    held = call("bpf", 0, ctypes.byref(attributes), 128)
    os.close(held)
    return held


@attempt("what the processor counts is not shown", Control.ROOT)
def listen_to_the_processor(hands: Hands) -> object:
    event = (ctypes.c_uint32 * 32)(1, 128)
    held = call("perf_event_open", ctypes.byref(event), 0, -1, -1, 0)
    os.close(held)
    return held


@attempt("page faults are not its own to handle", Control.ROOT)
def handle_page_faults(hands: Hands) -> object:
    held = call("userfaultfd", 0)
    os.close(held)
    return held


@attempt("the kernel's key rings are not answered")
def look_into_the_users_key_ring(hands: Hands) -> object:
    return call("keyctl", 0, -4, 1)


@attempt("shared memory of the machine is not answered")
def share_memory_with_others(hands: Hands) -> object:
    held = call("shmget", 0, 4096, 0o1600)
    call("shmctl", held, 0, None)
    return "shared"


@attempt("message queues of the machine are not answered")
def open_a_message_queue(hands: Hands) -> object:
    held = call("msgget", 0, 0o1600)
    call("msgctl", held, 0, None)
    return "opened"


@attempt("a module of the kernel needs a privilege and a call, and it has neither", Control.NOBODY)
def load_a_module_into_the_kernel(hands: Hands) -> object:
    return call("init_module", ctypes.c_char_p(b""), 0, ctypes.c_char_p(b""))


@attempt("the machine's name is not its own to set", Control.ROOT)
def rename_the_machine(hands: Hands) -> object:
    name = os.uname().nodename.encode()
    call("sethostname", ctypes.c_char_p(name), len(name))
    return "renamed"


@attempt("the machine's clock is not its own to set", Control.NOBODY)
def set_the_clock(hands: Hands) -> object:
    return call("clock_settime", 0, ctypes.byref((ctypes.c_int64 * 2)(0, 0)))


@attempt("what the kernel said is not shown", Control.ROOT)
def read_the_kernels_log(hands: Hands) -> object:
    return call("syslog", 10, None, 0)


@attempt("processor time is bounded")
def have_processor_time_without_end(hands: Hands) -> object:
    import resource

    hard = resource.getrlimit(resource.RLIMIT_CPU)[1]
    return "unbounded" if hard == resource.RLIM_INFINITY else None
