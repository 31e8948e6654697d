# ruff: noqa: T201 - some of them print
"""Calls that misbehave in every way that we know of. Workers import this module by its name."""

import ctypes
import faulthandler
import itertools
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path


def double(x):
    return 2 * x


def slowly(seconds):
    time.sleep(seconds)
    return seconds


def where(_=None):
    return os.getpid()


def in_thread(_=None):
    return threading.current_thread().name


# --- raising -----------------------------------------------------------------------------------------------------


class OddError(Exception):
    """Cannot be made from its own arguments, and so not be unpickled."""

    def __init__(self, first, second):
        super().__init__(f"{first} and {second}")


class UnspeakableError(Exception):
    def __str__(self):
        raise RuntimeError("not even its message can be had")


def raises(kind):
    if kind == "odd":
        raise OddError("this", "that")
    if kind == "unspeakable":
        raise UnspeakableError
    if kind == "group":
        raise BaseExceptionGroup("several", [ValueError("one"), SystemExit(2)])
    raise {"value": ValueError, "exit": SystemExit, "interrupt": KeyboardInterrupt, "memory": MemoryError}[kind]("told")


def prints_and_raises(text):
    print(text)
    print("to stderr", file=sys.stderr)
    raise ValueError("after printing")


# --- dying ---------------------------------------------------------------------------------------------------------


def exits(code):
    print("about to exit")
    os._exit(code)


def segfaults(_=None):
    ctypes.string_at(0)


def aborts(_=None):
    os.abort()


def kills_itself(number):
    os.kill(os.getpid(), number)
    time.sleep(60)


def dies_once(folder):
    """Die the first time only."""
    marker = Path(folder) / "died"
    if not marker.exists():
        marker.touch()
        os._exit(1)
    return "lived"


def closes_everything(_=None):
    os.closerange(3, 256)
    return 1


# --- hanging -------------------------------------------------------------------------------------------------------


def hangs(_=None):
    while True:
        time.sleep(60)


def hangs_with_the_lock(_=None):
    """Never give Python's lock back."""
    sum(itertools.repeat(0))


def hangs_deaf(_=None):
    for number in set(signal.Signals) - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    while True:
        time.sleep(60)


def stops_itself(_=None):
    os.kill(os.getpid(), signal.SIGSTOP)


def hangs_beside_the_others(marker):
    """Say which process this is, with one of its own beside it; then hang."""
    child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
    Path(marker).with_suffix(".part").write_text(f"{os.getpid()} {child.pid}")
    Path(marker).with_suffix(".part").rename(marker)
    hangs()


def forks_then_hangs_with_the_lock(marker):
    pid = os.fork()
    if pid == 0:
        while True:
            time.sleep(60)
    Path(marker).with_suffix(".part").write_text(f"{os.getpid()} {pid}")
    Path(marker).with_suffix(".part").rename(marker)
    hangs_with_the_lock()


# --- growing -------------------------------------------------------------------------------------------------------


def grows(size):
    kept = []
    while sum(map(len, kept)) < size:
        kept.append(b"x" * (8 << 20))
        time.sleep(0.005)
    hangs()


KEPT = []


def leaks(size):
    KEPT.append(b"x" * size)
    return len(KEPT)


# --- answering oddly -----------------------------------------------------------------------------------------------


class Unsendable:
    def __reduce__(self):
        raise TypeError("it stays here")


class Unreadable:
    """Pickles, and fails as it is read."""

    def __reduce__(self):
        return (raises, ("value",))


def returns_what_cannot_be_sent(_=None):
    return Unsendable()


def returns_what_cannot_be_read(_=None):
    return Unreadable()


def returns_bytes(size):
    return b"x" * size


def measures(data):
    return len(data)


def comes_back_twice(_=None):
    os.fork()
    return os.getpid()


# --- leaving traces ------------------------------------------------------------------------------------------------


def prints(size):
    line = "x" * 79
    for _ in range(size // 80):
        print(line)
    os.write(1, b"at the level of descriptors\n")
    subprocess.run(["/bin/echo", "from a child"], check=True)
    return size


def upsets_its_surroundings(folder):
    os.chdir(folder)
    os.environ.clear()
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.alarm(1)
    faulthandler.disable()
    sys.stdout = sys.stderr = None
    return os.getpid()


def surroundings(_=None):
    return str(Path.cwd()), dict(os.environ), str(signal.getsignal(signal.SIGTERM)), sys.stdout is not None


def leaves_threads(_=None):
    def stay():
        while True:
            time.sleep(60)

    threading.Thread(target=stay).start()  # not a daemon: it would keep a process from ending
    return threading.active_count()


def leaves_children(_=None):
    return os.getpid(), subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]).pid


def environment(name):
    return os.environ.get(name)


# --- for the order of things ---------------------------------------------------------------------------------------


def waits_for(path):
    """Return this process once there is a file."""
    while not Path(path).exists():
        time.sleep(0.01)
    return os.getpid()


def sleeps_and_says_where(seconds):
    time.sleep(seconds)
    return os.getpid()


def prints_in_python(size):
    print("x" * size)
    print("y" * size, file=sys.stderr)


def announce(marker):
    part = Path(marker).with_suffix(".part")
    part.write_text(str(os.getpid()))
    part.rename(marker)


def hangs_the_first_time(marker):
    if Path(marker).exists():
        return "second"
    announce(marker)
    return hangs()


def says_where_and_hangs_with_the_lock(marker):
    announce(marker)
    hangs_with_the_lock()


def says_where_and_swallows_interrupts(marker):
    announce(marker)
    while True:
        try:
            time.sleep(60)
        except BaseException:  # noqa: BLE001 - as bad code does
            continue


def sleeps_and_doubles(number):
    time.sleep(0.01)
    return 2 * number
