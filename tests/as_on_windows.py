"""foldproof as it finds itself on Windows: a command line in; the same run by foldproof's own code out.

    python tests/as_on_windows.py run --quiet

For modules of foldproof alone, POSIX-only modules are not there, `os`, `signal`, `time` and `socket` have what Windows
has, and every process is spawned; a worker that is spawned imports this file and finds the same. Libraries see the
machine as it is: whether they run on Windows is for their own tests.
"""

import builtins
import importlib
import multiprocessing
import os
import pkgutil
import signal
import subprocess
import sys
from multiprocessing import context
from types import ModuleType


def words(text: str) -> frozenset[str]:
    return frozenset(text.split())


POSIX_MODULES = words("crypt curses fcntl grp nis ossaudiodev posix pty pwd readline resource spwd syslog termios tty")
POSIX_NAMES = {
    "os": words(
        "chown chroot confstr ctermid fchdir fchmod fchown fdatasync fork forkpty fpathconf fstatvfs get_blocking "
        "getegid geteuid getgid getgrouplist getgroups getloadavg getpgid getpgrp getpriority getresgid getresuid "
        "getsid getuid getxattr grantpt initgroups killpg lchown listxattr lockf login_tty major makedev memfd_create "
        "minor mkfifo mknod nice openpty pathconf pipe2 posix_fadvise posix_fallocate posix_openpt posix_spawn "
        "posix_spawnp pread preadv pwrite pwritev readv register_at_fork removexattr sched_getaffinity "
        "sched_getparam sched_getscheduler sched_setaffinity sched_setparam sched_setscheduler sched_yield sendfile "
        "setegid seteuid setgid setgroups setns setpgid setpriority setregid setresgid setresuid setreuid setsid "
        "setuid setxattr splice statvfs sync sysconf tcgetpgrp tcsetpgrp ttyname uname unlockpt unshare wait wait3 "
        "wait4 waitid writev O_ASYNC O_CLOEXEC O_DIRECT O_DIRECTORY O_DSYNC O_NDELAY O_NOATIME O_NOCTTY O_NOFOLLOW "
        "O_NONBLOCK O_PATH O_RSYNC O_SYNC WNOHANG WIFEXITED WIFSIGNALED WEXITSTATUS WTERMSIG"
    ),
    "signal": frozenset(dir(signal))
    - words(
        "CTRL_BREAK_EVENT CTRL_C_EVENT Handlers SIGABRT SIGFPE SIGILL SIGINT SIGSEGV SIGTERM SIG_DFL SIG_IGN Signals "
        "default_int_handler getsignal raise_signal set_wakeup_fd signal strsignal valid_signals"
    ),
    "time": frozenset({"clock_getres", "clock_gettime", "clock_settime", "pthread_getcpuclockid", "tzset"}),
    "socket": frozenset({"AF_UNIX", "SO_REUSEPORT", "socketpair_unix"}),
    "select": frozenset({"poll", "epoll", "kqueue"}),
}
WINDOWS_VALUES = {
    "os": {"name": "nt", "O_BINARY": 0},
    "sys": {"platform": "win32"},
    "subprocess": dict.fromkeys(
        ("CREATE_NEW_PROCESS_GROUP", "CREATE_NO_WINDOW", "DETACHED_PROCESS", "BELOW_NORMAL_PRIORITY_CLASS"), 0
    ),
}


class Seen(ModuleType):
    """A module of the standard library as Windows has it."""

    def __init__(self, real: ModuleType) -> None:
        super().__init__(real.__name__, real.__doc__)
        self.__dict__.update(WINDOWS_VALUES.get(real.__name__, {}))
        self.__dict__["_real"] = real

    def __getattr__(self, name: str) -> object:
        if name in POSIX_NAMES.get(self.__name__, ()):
            raise AttributeError(f"Windows has no {self.__name__}.{name}", name=name, obj=self)
        return getattr(self.__dict__["_real"], name)

    def __dir__(self) -> list[str]:
        return sorted({*dir(self._real), *self.__dict__} - POSIX_NAMES.get(self.__name__, frozenset()))


SEEN = {name: Seen(importlib.import_module(name)) for name in POSIX_NAMES.keys() | WINDOWS_VALUES.keys()}
_really_import = builtins.__import__


def _import(name, globals=None, locals=None, fromlist=(), level=0):  # noqa: A002 - as Python calls it
    if str((globals or {}).get("__name__", "")).partition(".")[0] == "foldproof" and not level:
        if name.partition(".")[0] in POSIX_MODULES:
            raise ModuleNotFoundError(f"Windows has no module {name}", name=name)
        if name in SEEN:
            return SEEN[name]
    return _really_import(name, globals, locals, fromlist, level)


def _no_fork(*_arguments: object) -> int:
    raise AssertionError("Windows has no fork")


builtins.__import__ = _import
os.fork = _no_fork
for _method in ("fork", "forkserver"):
    context._concrete_contexts.pop(_method, None)
if __name__ == "__main__":  # a worker that imports this file has been told already
    multiprocessing.set_start_method("spawn")


def import_everything() -> int:
    """Import every module of foldproof; how many there are."""
    import foldproof

    names = [module.name for module in pkgutil.walk_packages(foldproof.__path__, "foldproof.")]
    for name in names:
        importlib.import_module(name)
    return len(names)


if __name__ == "__main__":
    if sys.argv[1:] == ["import everything"]:
        print(import_everything())
    else:
        from foldproof.cli.main import run_command

        subprocess.run([sys.executable, "-c", ""], check=True)  # libraries can start processes as ever
        sys.exit(run_command(sys.argv[1:]))
