"""What the console's browser loads, as part of the gateway: embed_assets.py SUMS OUT.c OUT.S OUT.bin OUT.d

SUMS is web/dist/SHA256SUMS: it names the files, and their digests. Each is taken as it is and by gzip. A file whose name
ends in a hash of its content, as the bundler writes it, may be kept by browsers for ever. While tools/web-build writes the folder anew, a
build beside it waits."""
import gzip
import hashlib
import re
import sys
import time
from pathlib import Path

TYPES = {"html": "text/html; charset=utf-8", "js": "text/javascript; charset=utf-8", "css": "text/css; charset=utf-8",
         "svg": "image/svg+xml", "png": "image/png", "ico": "image/x-icon", "woff2": "font/woff2",
         "json": "application/json", "txt": "text/plain; charset=utf-8", "map": "application/json",
         "webmanifest": "application/manifest+json"}
HASHED = re.compile(r"-[A-Z0-9]{8}\.\w+$")
WAIT_S = 4
NAME = re.compile(r"[A-Za-z0-9_-][A-Za-z0-9_.-]*(/[A-Za-z0-9_-][A-Za-z0-9_.-]*)*")


PLACEHOLDER = b"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Lintel</title></head>
<body><p>This build has no console: run tools/web-build, and build again.</p></body></html>
"""


class Unfit(Exception):
    pass


def listed(sums):
    for line in sums.read_text().splitlines():
        digest, name = line.split(maxsplit=1)
        name = name.removeprefix("*").removeprefix("./")
        if not NAME.fullmatch(name) or name.rpartition(".")[2] not in TYPES:
            raise Unfit(f"{name!r} is no name that is served")
        content = (sums.parent / name).read_bytes()
        if hashlib.sha256(content).hexdigest() != digest:
            raise Unfit(f"{name} is not what SHA256SUMS says")
        yield name, digest, content


def read_all(sums):
    """As it is when it has come to rest. No list at all is a tree whose console was never built."""
    for _ in range(WAIT_S * 10):
        try:
            return sorted(listed(sums))
        except (OSError, Unfit) as e:
            why = e
            time.sleep(0.1)
    if not sums.exists():
        print("web/dist: there is no SHA256SUMS: this build has no console", file=sys.stderr)
        return [("index.html", hashlib.sha256(PLACEHOLDER).hexdigest(), PLACEHOLDER)]
    sys.exit(f"web/dist: {why}: run tools/web-build")


def put(path, content):
    if not path.exists() or path.read_bytes() != content:
        path.write_bytes(content)


def main():
    sums, table, assembler, binary, depfile = (Path(a).resolve() for a in sys.argv[1:])
    rows, blob = [], bytearray()
    files = read_all(sums)
    for name, digest, content in files:
        packed = gzip.compress(content, 9, mtime=0)
        at, packed_at = len(blob), len(blob) + len(content)
        blob += content + packed
        immutable = "true" if HASHED.search(name) else "false"
        rows.append(f'    {{"{name}", "{TYPES[name.rpartition(".")[2]]}", "{digest[:32]}", {immutable}, '
                    f'{at}, {len(content)}, {packed_at}, {len(packed)}}},\n')
    put(binary, bytes(blob) + b"\0")
    put(table, ('#include "role/gateway_assets.h"\n\nconst struct gateway_asset gateway_assets[] = {\n' + "".join(rows) +
                f"    {{0}},\n}};\nconst size_t gateway_asset_count = {len(rows)};\n").encode())
    put(assembler, f"""/* SHA-256 {hashlib.sha256(blob).hexdigest()} */
\t.section .rodata
\t.global gateway_asset_bytes
gateway_asset_bytes:
\t.incbin "{binary}"
\t.section .note.GNU-stack,"",%progbits
""".encode())
    # As this build names its outputs: relative to its folder.
    depfile.write_text(f"{sys.argv[2]}: {sums} {' '.join(str(sums.parent / name) for name, _, _ in files)}\n")


main()
