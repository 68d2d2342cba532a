"""The panel's files, as a client gets them that takes brotli, gzip or neither: the same file each time."""

import gzip
import re
from pathlib import Path

from harness import Client, Controller, Reply, Tally, need

NAMES = re.compile(rb"assets/([\w.-]+\.\w+)")


def plain(client: Client, path: str, method: str = "GET") -> Reply:
    reply = client.call(method, path, headers={"Accept-Encoding": "identity"}).expect(200)
    need("Content-Encoding" not in reply.headers, f"{path} is packed for a client that takes nothing packed")
    return reply


def crawl(client: Client) -> dict[str, bytes]:
    """Every file that the index leads to, directly or by another one."""
    found: dict[str, bytes] = {}
    waiting = ["/index.html"]
    while waiting:
        path = waiting.pop()
        if path not in found:
            found[path] = plain(client, path).body
            waiting += [f"/assets/{name.decode()}" for name in NAMES.findall(found[path])]
    return found


def same_packed(client: Client, files: dict[str, bytes]) -> None:
    packed = 0
    for path, content in files.items():
        reply = client.call("GET", path, headers={"Accept-Encoding": "gzip"}).expect(200)
        need(reply.headers["Vary"] == "Accept-Encoding", f"{path}: a cache in between may mix packed and plain")
        if reply.headers.get("Content-Encoding") == "gzip":
            packed += 1
            need(gzip.decompress(reply.body) == content, f"{path} is another file when it is packed")
            need(len(reply.body) < len(content), f"{path} is not smaller by being packed")
        else:
            need(reply.body == content, f"{path} is another file for a client that takes gzip")
    # A build without the panel has one small page.
    need(packed > 20 if len(files) > 1 else packed == 0, f"{packed} of {len(files)} files are packed")


def asked_for_the_head(client: Client, files: dict[str, bytes]) -> None:
    for path, content in files.items():
        head = plain(client, path, "HEAD")
        need(head.body == b"" and int(head.headers["Content-Length"]) == len(content), f"HEAD {path} tells another length")


def known_already(client: Client, files: dict[str, bytes]) -> None:
    for path in files:
        tag = plain(client, path).headers["ETag"]
        need(tag.startswith('W/"'), f"{path}: a strong tag for several forms: {tag}")
        for taken in ("identity", "gzip", "br"):
            again = client.call("GET", path, headers={"Accept-Encoding": taken, "If-None-Match": tag}).expect(304)
            need(again.body == b"" and again.headers["ETag"] == tag, f"{path}: 304 with a body or another tag")


def run(build: Path, scratch: Path, tally: Tally) -> None:
    with Controller(build, scratch) as controller:
        client = controller.client()
        files = crawl(client)
        tally.check("panel_files packed and plain are the same", lambda: same_packed(client, files))
        tally.check("panel_files HEAD tells the length of what GET gives", lambda: asked_for_the_head(client, files))
        tally.check("panel_files what a client has is not sent again", lambda: known_already(client, files))
