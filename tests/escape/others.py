"""Attempts on other processes: to look into them, to take from them, to disturb them."""

import ctypes
import os
import signal

from tests.escape.attempts import Control, Hands, attempt
from tests.escape.kernel import Vector, call

_SEIZE, _INTERRUPT, _DETACH = 0x4206, 0x4207, 17
_ANY_KIND = 0x4000_0000


@attempt("the list of processes is a folder that is no code")
def list_the_machines_processes(hands: Hands) -> object:
    return [name for name in os.listdir("/proc") if name.isdigit()]


def _read(pid: int, what: str) -> bytes:
    with open(f"/proc/{pid}/{what}", "rb") as file:
        return file.read()


@attempt("what another process was started with lies in /proc")
def read_the_arguments_of_its_parent(hands: Hands) -> object:
    return _read(os.getppid(), "cmdline") or None


@attempt("what another process was started with lies in /proc")
def read_the_environment_of_a_process(hands: Hands) -> object:
    found = _read(hands.field.decoy, "environ").strip(b"\0").partition(b"=")[2]
    return found if hands.field.is_canary(found) else None


@attempt("as above; and the orchestrator is not dumpable", Control.ROOT)
def read_the_environment_of_its_parent(hands: Hands) -> object:
    return _read(os.getppid(), "environ")


@attempt("as above; and the sidecar is not dumpable", Control.ROOT)
def read_the_map_of_the_sidecars_memory(hands: Hands) -> object:
    return _read(hands.field.pids["sidecar"], "maps") or None


@attempt("another process's memory is a file in /proc")
def read_the_memory_of_a_process(hands: Hands) -> object:
    with open(f"/proc/{hands.field.decoy}/mem", "rb", buffering=0) as memory:
        memory.seek(hands.field.decoy_address)
        return _canary(hands, memory.read(hands.field.canary_size))


@attempt("another process's memory is a file in /proc", Control.ROOT)
def open_the_memory_of_the_sidecar(hands: Hands) -> object:
    with open(f"/proc/{hands.field.pids['sidecar']}/mem", "rb", buffering=0) as memory:
        return memory.fileno()


@attempt("system calls that read another's memory are not answered")
def copy_the_memory_of_a_process(hands: Hands) -> object:
    size = hands.field.canary_size
    room = ctypes.create_string_buffer(size)
    mine, theirs = Vector(ctypes.addressof(room), size), Vector(hands.field.decoy_address, size)
    arguments = (ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
    call("process_vm_readv", hands.field.decoy, *arguments)
    return _canary(hands, room.raw)


def _canary(hands: Hands, found: bytes) -> bytes | None:
    return found if hands.field.is_canary(found) else None


@attempt("system calls that write another's memory are not answered")
def write_the_memory_of_a_process(hands: Hands) -> object:
    # The zero behind the canary, so that what is there stays.
    room, behind = (
        ctypes.create_string_buffer(1),
        hands.field.decoy_address + hands.field.canary_size,
    )
    mine, theirs = Vector(ctypes.addressof(room), 1), Vector(behind, 1)
    arguments = (ctypes.byref(mine), 1, ctypes.byref(theirs), 1, 0)
    return call("process_vm_writev", hands.field.decoy, *arguments)


@attempt("ptrace is not answered")
def trace_a_process(hands: Hands) -> object:
    return _traced(hands.field.decoy)


@attempt("ptrace is not answered; and the sidecar is not dumpable", Control.ROOT)
def trace_the_sidecar(hands: Hands) -> object:
    return _traced(hands.field.pids["sidecar"])


@attempt("ptrace is not answered; and the orchestrator is not dumpable", Control.ROOT)
def trace_the_orchestrator(hands: Hands) -> object:
    return _traced(hands.field.pids["orchestrator"])


@attempt("ptrace is not answered; and the bus runs for another purpose")
def trace_the_bus(hands: Hands) -> object:
    return _traced(hands.field.pids["nats-server"])


def _traced(pid: int) -> str:
    call("ptrace", _SEIZE, pid, 0, 0)
    # Only a stopped process can be let go.
    call("ptrace", _INTERRUPT, pid, 0, 0)
    os.waitpid(pid, _ANY_KIND)
    call("ptrace", _DETACH, pid, 0, 0)
    return "traced"


@attempt("what another process holds open lies in /proc")
def list_the_descriptors_of_a_process(hands: Hands) -> object:
    return os.listdir(f"/proc/{hands.field.decoy}/fd")


@attempt("what another process holds open lies in /proc")
def reopen_the_descriptor_of_a_process(hands: Hands) -> object:
    with open(f"/proc/{hands.field.decoy}/fd/{hands.field.decoy_held}", "rb") as file:
        return _canary(hands, file.read())


@attempt("a handle on a process is not given out")
def take_the_descriptor_of_a_process(hands: Hands) -> object:
    handle = call("pidfd_open", hands.field.decoy, 0)
    taken = call("pidfd_getfd", handle, hands.field.decoy_held, 0)
    return _canary(hands, os.pread(taken, 100, 0))


@attempt("the links in /proc are for those who may trace")
def see_which_program_a_process_runs(hands: Hands) -> object:
    return os.readlink(f"/proc/{hands.field.decoy}/exe")


@attempt("the link to its folder would be a way to its files")
def enter_the_root_of_a_process(hands: Hands) -> object:
    return os.listdir(f"/proc/{hands.field.decoy}/root")


@attempt("a signal goes to itself or to nobody")
def signal_its_parent(hands: Hands) -> object:
    os.kill(os.getppid(), signal.SIGURG)
    return "sent"


@attempt("a signal goes to itself or to nobody")
def signal_the_sidecar(hands: Hands) -> object:
    os.kill(hands.field.pids["sidecar"], signal.SIGURG)
    return "sent"


@attempt("a signal goes to itself or to nobody")
def signal_every_process(hands: Hands) -> object:
    os.kill(-1, 0)
    return "sent"


@attempt("a signal goes to itself or to nobody")
def signal_a_thread_of_the_sidecar(hands: Hands) -> object:
    pid = hands.field.pids["sidecar"]
    call("tgkill", pid, pid, int(signal.SIGURG))
    return "sent"


@attempt("a handle on a process is not given out")
def signal_the_sidecar_by_handle(hands: Hands) -> object:
    handle = call("pidfd_open", hands.field.pids["sidecar"], 0)
    call("pidfd_send_signal", handle, int(signal.SIGURG), None, 0)
    return "sent"


@attempt("the priority of others is not its own to set")
def slow_the_sidecar_down(hands: Hands) -> object:
    pid = hands.field.pids["sidecar"]
    os.setpriority(os.PRIO_PROCESS, pid, os.getpriority(os.PRIO_PROCESS, pid))
    return "set"


@attempt("the limits of others are not its own to set", Control.ROOT)
def change_the_limits_of_the_sidecar(hands: Hands) -> object:
    limits = (ctypes.c_uint64 * 2)()
    call("prlimit64", hands.field.pids["sidecar"], 1, None, ctypes.byref(limits))
    call("prlimit64", hands.field.pids["sidecar"], 1, ctypes.byref(limits), None)
    return list(limits)


@attempt("where others run is not its own to set")
def move_the_sidecar_to_one_processor(hands: Hands) -> object:
    pid = hands.field.pids["sidecar"]
    os.sched_setaffinity(pid, os.sched_getaffinity(pid))
    return "moved"


@attempt("comparing what two processes hold is not answered")
def compare_itself_with_a_process(hands: Hands) -> object:
    return call("kcmp", os.getpid(), hands.field.decoy, 0, 1, 1)
