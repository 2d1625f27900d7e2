"""A capture at the terminal: what is heard is printed, Enter pauses it, Ctrl-C ends it."""

import asyncio
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.markup import escape

from desktop_agent.capture.messages import Control, Ended, Order, Ready, Said, Segment
from desktop_agent.capturing import Capture, start_capture
from desktop_agent.dictating import Dictation, keep_sending
from desktop_agent.enrolled import enrolled_in
from desktop_agent.home import settings_in
from desktop_agent.publishing import sync as send_what_waits
from desktop_agent.queue import Queue
from desktop_agent.queue import opened as opened_queue

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)

_LISTENING: Final = "[bold red]●[/] [bold]listening[/]"


async def hear(
    home: Path,
    order: Order,
    as_json: bool,
    sync: bool,
    bus: str | None,
    consent: str | None = None,
) -> None:
    """Say what is heard by `order`; with `sync` it goes to the workspace too. A device is steered
    from the terminal. Raises a `DesktopError` where it cannot be heard, `BusError` where what is
    signed does not arrive.
    """
    show = print_json if as_json else _show
    if not sync:
        await _hear(order, show, _nothing)
        return
    enrolled, settings = enrolled_in(home), settings_in(home)
    live = order.descriptor is None
    with opened_queue(home) as queue:
        hold_s = settings.hold_s if live else 0
        rep = enrolled.admission.rep
        note = settings.consent if consent is None else consent
        dictation = Dictation(queue, order, rep=rep, consent=note, hold_s=hold_s)

        def take(message: Said) -> None:
            dictation.take(message)
            show(message)

        sender = asyncio.ensure_future(keep_sending(enrolled, queue, bus, _away)) if live else None
        try:
            await _hear(order, take, dictation.pause)
        finally:
            if sender is not None:
                sender.cancel()
                await asyncio.gather(sender, return_exceptions=True)
        await send_what_waits(enrolled, queue, bus)
        _left(queue)


async def _hear(order: Order, take: Callable[[Said], None], pause: Callable[[bool], None]) -> None:
    async with await start_capture(order) as capture:
        steering = None
        if order.descriptor is None:
            steering = asyncio.ensure_future(_steer(capture, pause))
        try:
            async for message in capture.said():
                take(message)
                if isinstance(message, Ready) and steering is not None:
                    err.print(_LISTENING + " [dim](Enter pauses, Ctrl-C ends; do all agree?)[/]")
        finally:
            if steering is not None:
                steering.cancel()
                await asyncio.gather(steering, return_exceptions=True)


async def _steer(capture: Capture, pause: Callable[[bool], None]) -> None:
    """Enter pauses and resumes, Ctrl-C stops."""
    loop, words = asyncio.get_running_loop(), asyncio.Queue[Control]()
    loop.add_signal_handler(signal.SIGINT, words.put_nowait, "stop")
    if sys.stdin.isatty():

        def entered() -> None:
            if sys.stdin.readline():
                words.put_nowait("pause")
            else:
                loop.remove_reader(sys.stdin)

        loop.add_reader(sys.stdin, entered)
    paused = False
    try:
        while (word := await words.get()) != "stop":
            paused = not paused
            word = "pause" if paused else "resume"
            await capture.tell(word)
            pause(paused)
            err.print("[yellow]‖ paused[/]" if paused else _LISTENING)
        await capture.tell("stop")
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        if sys.stdin.isatty():
            loop.remove_reader(sys.stdin)


def _nothing(_: bool) -> None:
    """Nobody is to be told of a pause."""


def _away(why: str) -> None:
    err.print(f"[yellow]not sent yet:[/] {escape(why)}" if why else "[dim]sending again[/]")


def _left(queue: Queue) -> None:
    held, outgoing = queue.counts()
    if held or outgoing:
        err.print(
            f"[yellow]{held} held, {outgoing} on their way[/]: `anyteam-desktop sync` sends what"
            " is due, `pending` shows what can be withdrawn"
        )


def _show(message: Said) -> None:
    if isinstance(message, Ready) and message.confinement.absent:
        for wall, why in message.confinement.absent.items():
            err.print(f"[yellow]no wall[/] {wall.value}: {escape(why)}")
    elif isinstance(message, Segment):
        minutes, seconds = divmod(message.start_ms // 1_000, 60)
        out.print(f"[dim]{minutes:>3}:{seconds:02}[/]  {escape(message.text)}")
    elif isinstance(message, Ended) and message.dropped:
        err.print(f"[yellow]{message.dropped} frames were lost[/]: this machine is too slow")


def print_json(value: object) -> None:
    """One object, a line."""
    sys.stdout.write(msgspec.json.encode(value).decode() + "\n")
    sys.stdout.flush()
