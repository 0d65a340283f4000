"""Reads answers as fast as a client can, and throws them away: over one connection by plain sockets, or by curl."""

import socket
import subprocess
import time
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO
from urllib.parse import urlsplit

_BUFFER_BYTES = 1024 * 1024
_HEAD_END = b"\r\n\r\n"


@dataclass(frozen=True, slots=True)
class Answer:
    headers: dict[str, str]
    size_bytes: int


class Reader:
    """One connection that stays open. Takes only 200 and bodies of a told length."""

    def __init__(self, url: str, headers: dict[str, str]) -> None:
        address = urlsplit(url)
        self._host = f"{address.hostname}:{address.port}"
        self._headers = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
        self._socket = socket.create_connection((str(address.hostname), int(address.port or 80)))
        self._buffer = bytearray(_BUFFER_BYTES)

    def __enter__(self) -> "Reader":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._socket.close()

    def get(self, target: str, copy_to: BinaryIO | None = None) -> Answer:
        self._socket.sendall(f"GET {target} HTTP/1.1\r\nHost: {self._host}\r\n{self._headers}\r\n".encode())
        head, early = self._read_head()
        status, *lines = head.decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        if status.split()[1] != "200":
            raise ValueError(f"{target}: {status}")
        self._read_body(early, int(headers["content-length"]), copy_to)
        return Answer(headers, int(headers["content-length"]))

    def _read_head(self) -> tuple[bytes, bytes]:
        text = b""
        while _HEAD_END not in text:
            got = self._socket.recv(65_536)
            if not got:
                raise EOFError("The server closed the connection.")
            text += got
        head, _, early = text.partition(_HEAD_END)
        return head, early

    def _read_body(self, early: bytes, size_bytes: int, copy_to: BinaryIO | None) -> None:
        left, view = size_bytes - len(early), memoryview(self._buffer)
        if copy_to:
            copy_to.write(early)
        while left:
            got = self._socket.recv_into(view, min(left, _BUFFER_BYTES))
            if not got:
                raise EOFError("The answer ended too early.")
            left -= got
            if copy_to:
                copy_to.write(view[:got])


def read_pages(url: str, token: str, results: str, copy_to: BinaryIO | None = None) -> tuple[int, int]:
    """Follow the locators of a finished job to the end. Returns how many (rows, bytes) came."""
    rows = size_bytes = 0
    locator = ""
    with Reader(url, {"Authorization": f"Bearer {token}"}) as reader:
        while locator != "null":
            page = reader.get(f"{results}?locator={locator}" if locator else results, copy_to)
            locator = page.headers["sforce-locator"]
            rows += int(page.headers["sforce-numberofrecords"])
            size_bytes += page.size_bytes
    return rows, size_bytes


def seconds_by_reader(url: str, target: str) -> float:
    began = time.perf_counter()
    with Reader(url, {}) as reader:
        reader.get(target)
    return time.perf_counter() - began


def seconds_by_curl(url: str) -> float:
    began = time.perf_counter()
    subprocess.run(["curl", "--silent", "--fail", "--output", "/dev/null", url], check=True)  # noqa: S603, S607  our own server
    return time.perf_counter() - began
