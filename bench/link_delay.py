"""What a slow link costs: one campaign of small mutants on a server over loopback, and over a proxy that delays
every byte, so that an answer takes --rtt milliseconds longer. Built once, executed twice.

    python bench/link_delay.py --mutatenn build/bin/mutatenn [--rtt 10] [--mutants 500]
"""

import argparse
import asyncio
import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))


def start_proxy(port, delay_s):
    """A proxy to loopback `port`; its own port."""
    async def pump(reader, writer):
        queue = asyncio.Queue()

        async def late():
            while True:
                due, data = await queue.get()
                await asyncio.sleep(max(0.0, due - time.monotonic()))
                if not data:
                    writer.close()
                    return
                writer.write(data)

        task = asyncio.ensure_future(late())
        data = b"begin"
        while data:
            try:
                data = await reader.read(1 << 16)
            except ConnectionError:
                data = b""
            queue.put_nowait((time.monotonic() + delay_s, data))
        await task

    async def connect(reader, writer):
        there = await asyncio.open_connection("127.0.0.1", port)
        await asyncio.gather(pump(reader, there[1]), pump(there[0], writer), return_exceptions=True)

    ready, found = threading.Event(), []

    async def main():
        server = await asyncio.start_server(connect, "127.0.0.1", 0)
        found.append(server.sockets[0].getsockname()[1])
        ready.set()
        async with server:
            await server.serve_forever()

    threading.Thread(target=lambda: asyncio.run(main()), daemon=True).start()
    ready.wait()
    return found[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutatenn", default="build/bin/mutatenn")
    parser.add_argument("--rtt", type=float, default=10, help="milliseconds")
    parser.add_argument("--mutants", type=int, default=500)
    arguments = parser.parse_args()
    worker = os.path.join(os.path.dirname(os.path.abspath(arguments.mutatenn)), "mutatenn-worker")
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, os.path.join(HERE, "../tests/support/make_tiny.py"), scratch], check=True)
        with open(os.path.join(scratch, "campaign.json")) as file:
            config = json.load(file)
        server = subprocess.Popen([worker, "serve", "--listen", "127.0.0.1:0", "--cache", os.path.join(scratch, "cache")],
                                  stdout=subprocess.PIPE, text=True)
        try:
            port = int(server.stdout.readline().rsplit(":", 1)[1])
            ports = {"loopback": port, "link": start_proxy(port, arguments.rtt / 2000)}
            config.update(max_mutants=arguments.mutants, matrix="full")
            config["operators"] += ["code.arithmetic_index", "code.constant", "lowered.loop"]

            def configure(to):
                config["devices"] = [{"name": "board", "target": {"kind": "llvm"}, "session":
                                      {"kind": "remote", "servers": [f"tcp://127.0.0.1:{to}"]}}]
                path = os.path.join(scratch, "run.json")
                with open(path, "w") as file:
                    json.dump(config, file)
                return path

            built = os.path.join(scratch, "built")
            subprocess.run([arguments.mutatenn, "-q", "build", configure(port), "--out", built], check=True)
            seconds, processor_s = {}, {}
            for name, to in ports.items():
                out = os.path.join(scratch, name)
                shutil.copytree(built, out)
                shutil.rmtree(os.path.join(scratch, "cache"))  # everything is sent again
                os.mkdir(os.path.join(scratch, "cache"))
                start, before = time.monotonic(), os.times()
                subprocess.run([arguments.mutatenn, "-q", "run", configure(to), "--out", out], check=True,
                               stdout=subprocess.DEVNULL)
                seconds[name], after = time.monotonic() - start, os.times()
                processor_s[name] = after.children_user + after.children_system - before.children_user - before.children_system
        finally:
            server.kill()
    print(f"{arguments.mutants} mutants: loopback {seconds['loopback']:.2f} s, {arguments.rtt:g} ms link "
          f"{seconds['link']:.2f} s, {seconds['link'] / seconds['loopback']:.2f} times as long; processor time of the "
          f"campaign's own process {processor_s['loopback']:.2f} and {processor_s['link']:.2f} s")


if __name__ == "__main__":
    main()
