#!/usr/bin/env python3
"""Runs beside the demo network: its doorways and its weather.

    keeper.py --state DIR --port PORT

A doorway is 127.0.0.1:PORT inside each agent's namespace, forwarded to 127.0.0.1:PORT of this machine: the
agents reach the controller as if over an out-of-band management network, the emulated links carry measurements
only, and the controller keeps listening on loopback alone. The weather changes links as network.toml says.
"""

import argparse
import asyncio
import ctypes
import os
import socket
import sys
import time
from pathlib import Path

from network import Network

CLONE_NEWNET = 0x40000000
COPY_BYTES = 64 << 10
WEATHER_STEP_S = 5
DOORS_MAX = 64  # connections at once per namespace


def enter(descriptor: int) -> None:
    """os.setns() for Python 3.11."""
    if ctypes.CDLL(None, use_errno=True).setns(descriptor, CLONE_NEWNET) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def listen_inside(namespace: str, port: int) -> socket.socket:
    """A socket belongs to the namespace it was made in, wherever its process goes afterwards."""
    home = os.open("/proc/self/ns/net", os.O_RDONLY)
    there = os.open(f"/run/netns/{namespace}", os.O_RDONLY)
    try:
        enter(there)
        return socket.create_server(("127.0.0.1", port), backlog=DOORS_MAX)
    finally:
        enter(home)
        os.close(there)
        os.close(home)


async def copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(COPY_BYTES):
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()
    except (ConnectionError, OSError):
        writer.transport.abort()


class Doorway:
    def __init__(self, port: int) -> None:
        self.port = port
        self.open = 0

    async def pass_through(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.open >= DOORS_MAX:
            writer.transport.abort()
            return
        self.open += 1
        try:
            far_reader, far_writer = await asyncio.wait_for(asyncio.open_connection("127.0.0.1", self.port), 5)
            await asyncio.gather(copy(reader, far_writer), copy(far_reader, writer))
            far_writer.close()
        except (ConnectionError, OSError, asyncio.TimeoutError):
            pass  # the agent sees a closed connection and backs off, as with any absent controller
        finally:
            self.open -= 1
            writer.close()


def weather_now(plan: dict, now: float) -> tuple[dict[str, str], set[str]]:
    """Links with other keys than usual, and routers that are avoided."""
    fronts = [front for front in plan.get("weather", [])
              if front["at_s"] <= now % front["every_s"] < front["at_s"] + front["for_s"]]
    return ({front["link"]: front["keys"] for front in fronts if "link" in front},
            {front["avoid"] for front in fronts if "avoid" in front})


async def weather(network: Network) -> None:
    began, links_before, avoided_before = time.monotonic(), {}, set()
    while True:
        links, avoided = weather_now(network.plan, time.monotonic() - began)
        if links != links_before:
            network.write_links(links)
            network.reload()
            links_before = links
        if avoided != avoided_before:
            network.write_ways(avoided)
            avoided_before = avoided
        await asyncio.sleep(WEATHER_STEP_S)


async def keep(network: Network, port: int) -> None:
    for site in network.plan["site"]:
        if site["agent"]:
            door = Doorway(port)
            await asyncio.start_server(door.pass_through, sock=listen_inside(network.namespace(site["name"]), port))
    print("doorways open", flush=True)
    await weather(network)


def main() -> int:
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--state", type=Path, required=True)
    arguments.add_argument("--port", type=int, required=True)
    args = arguments.parse_args()
    asyncio.run(keep(Network(args.state), args.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
