"""Attempts on files: to read what is secret, to change anything at all."""

import ctypes
import os
import sys
from pathlib import Path

import agents
from tests.escape.attempts import ATTEMPTS, Attempt, Control, Hands, attempt
from tests.escape.kernel import call

_AT_FDCWD = -100

_SECRETS = (
    "settings",
    "root key",
    "vault",
    "data key",
    "sidecar event key",
    "sidecar bus credentials",
    "receipt key",
    "key that mints runs",
    "operator key",
    "tls authority key",
    "tls client key",
    "rep key",
    "admin key",
    "log of another run",
    "ledger",
    "users of the machine",
)


def _reading(kind: str) -> Attempt:
    def act(hands: Hands) -> object:
        return Path(hands.field.files[kind]).read_bytes()[:16] or None

    why = "it reads the interpreter's, the libraries' and our code, and no other file"
    return Attempt(f"read the {kind}", why, Control.ANYBODY, act)


ATTEMPTS |= {one.name: one for one in map(_reading, _SECRETS)}


@attempt("a folder that is no code is not listed")
def list_the_data_folder(hands: Hands) -> object:
    return os.listdir(hands.field.root)


@attempt("a folder that is no code is not listed")
def list_the_root_of_the_machine(hands: Hands) -> object:
    return os.listdir("/")


@attempt("nothing may be opened there, by whatever way the path goes")
def read_a_key_around_a_corner(hands: Hands) -> object:
    code = Path(agents.__file__).parent
    climb = "/".join([".."] * len(code.parts))
    return (code / climb / hands.field.files["root key"].lstrip("/")).read_bytes()[:16]


@attempt("a path alone opens, but what is read through it is asked about again")
def read_a_key_by_path_descriptor(hands: Hands) -> object:
    held = os.open(hands.field.files["root key"], os.O_PATH)
    try:
        return Path(f"/proc/self/fd/{held}").read_bytes()[:16]
    finally:
        os.close(held)


@attempt("the newer way to open a file is not answered")
def read_a_key_by_openat2(hands: Hands) -> object:
    how = (ctypes.c_uint64 * 3)(os.O_RDONLY, 0, 0)
    path = hands.field.files["root key"].encode()
    held = call("openat2", _AT_FDCWD, ctypes.c_char_p(path), ctypes.byref(how), 24)
    return os.read(held, 16)


@attempt("a file's handle is not given out")
def take_the_handle_of_a_key(hands: Hands) -> object:
    handle = ctypes.create_string_buffer(136)
    ctypes.c_uint32.from_buffer(handle).value = 128
    mount = ctypes.c_int()
    path = ctypes.c_char_p(hands.field.files["root key"].encode())
    call("name_to_handle_at", _AT_FDCWD, path, handle, ctypes.byref(mount), 0)
    return handle.raw[:16]


@attempt("no file is made anywhere")
def write_a_file_into_the_data_folder(hands: Hands) -> object:
    return _written(Path(hands.field.root) / "escaped")


@attempt("no file is made anywhere")
def write_a_file_into_tmp(hands: Hands) -> object:
    return _written(Path("/tmp") / f"escaped-{os.getpid()}")


@attempt("no file is made anywhere")
def write_a_file_into_shared_memory(hands: Hands) -> object:
    return _written(Path("/dev/shm") / f"escaped-{os.getpid()}")


@attempt("its own code can be read, never written", Control.ROOT)
def write_a_module_among_its_own_code(hands: Hands) -> object:
    return _written(Path(agents.__file__).parent / "escaped.py")


@attempt("the libraries can be read, never written", Control.ROOT)
def write_a_hook_that_python_runs_at_start(hands: Hands) -> object:
    folder = next(p for p in sys.path if p.endswith("site-packages"))
    return _written(Path(folder) / "escaped.pth")


def _written(path: Path) -> str:
    try:
        path.write_text("escaped")
        return path.read_text()
    finally:
        path.unlink(missing_ok=True)


@attempt("a file that is there is not opened for writing")
def overwrite_a_file(hands: Hands) -> object:
    with open(hands.field.decoy_file, "r+b") as file:
        return file.write(b"c")


@attempt("a file that is there is not opened for writing")
def append_to_the_settings(hands: Hands) -> object:
    with open(hands.field.files["settings"], "a") as file:
        return file.fileno()


@attempt("no file is cut short")
def cut_a_file_short(hands: Hands) -> object:
    os.truncate(hands.field.decoy_file, hands.field.canary_size)
    return "cut"


@attempt("no name is given, taken or changed")
def rename_a_file(hands: Hands) -> object:
    path = hands.field.decoy_file
    os.rename(path, path + ".moved")
    os.rename(path + ".moved", path)
    return "renamed"


@attempt("no name is given, taken or changed")
def link_a_key_under_another_name(hands: Hands) -> object:
    path = hands.field.decoy_file
    os.link(path, path + ".linked")
    os.unlink(path + ".linked")
    return "linked"


@attempt("no name is given, taken or changed")
def make_a_symbolic_link(hands: Hands) -> object:
    path = hands.field.decoy_file + ".symbolic"
    os.symlink(hands.field.files["root key"], path)
    os.unlink(path)
    return "linked"


@attempt("no name is given, taken or changed")
def make_a_folder(hands: Hands) -> object:
    path = hands.field.decoy_file + ".folder"
    os.mkdir(path)
    os.rmdir(path)
    return "made"


@attempt("no name is given, taken or changed")
def make_a_named_pipe(hands: Hands) -> object:
    path = hands.field.decoy_file + ".pipe"
    os.mkfifo(path)
    os.unlink(path)
    return "made"


@attempt("Landlock does not guard modes, so the call itself is gone")
def open_the_vault_to_everybody(hands: Hands) -> object:
    path = hands.field.files["vault"]
    os.chmod(path, os.stat(path).st_mode & 0o777)
    return "changed"


@attempt("Landlock does not guard owners, so the call itself is gone")
def give_a_file_away(hands: Hands) -> object:
    os.chown(hands.field.decoy_file, os.getuid(), os.getgid())
    return "changed"


@attempt("Landlock does not guard times, so the call itself is gone")
def backdate_a_file(hands: Hands) -> object:
    os.utime(hands.field.decoy_file, (1, 1))
    return "changed"


@attempt("Landlock does not guard attributes, so the call itself is gone")
def set_an_attribute_of_a_file(hands: Hands) -> object:
    os.setxattr(hands.field.decoy_file, "user.escaped", b"1")
    return "set"


@attempt("Landlock does not guard locks, so the call itself is gone")
def lock_a_file_of_others(hands: Hands) -> object:
    import fcntl

    with open(agents.__file__) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        return "locked"


@attempt("Landlock does not guard watches, so the call itself is gone")
def watch_a_folder_for_changes(hands: Hands) -> object:
    watch = call("inotify_init1", 0)
    return call("inotify_add_watch", watch, ctypes.c_char_p(hands.field.root.encode()), 2)


@attempt("where it stands is not its own to choose")
def go_into_the_data_folder(hands: Hands) -> object:
    before = os.getcwd()
    os.chdir(hands.field.root)
    os.chdir(before)
    return "went"


@attempt("a device is a file that is no code")
def open_a_device(hands: Hands) -> object:
    with open("/dev/null", "wb") as file:
        return file.write(b"1")


@attempt("no name is given, and a device needs a privilege as well", Control.ROOT)
def make_a_device(hands: Hands) -> object:
    path = hands.field.decoy_file + ".device"
    os.mknod(path, 0o020600, os.makedev(1, 3))
    os.unlink(path)
    return "made"
