"""What a slow link costs: two campaigns of small mutants, a short and a longer one, on a server over loopback and over
a proxy that delays every byte, so that an answer takes --rtt milliseconds longer. Each is built once and executed
--repeats times on either, in turn and from nothing: the server's cache is emptied before each.

    python bench/link_delay.py --mutatenn build/bin/mutatenn [--rtt 10] [--mutants 500] [--repeats 5]
"""

import argparse
import asyncio
import json
import os
import shutil
import sqlite3
import statistics
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


def measure(mutatenn, scratch, config, ports, cache, repeats):
    """Seconds and processor seconds of each run, by name of the port; the number of mutants."""
    def configure(to):
        config["devices"] = [{"name": "board", "target": {"kind": "llvm"}, "session":
                              {"kind": "remote", "servers": [f"tcp://127.0.0.1:{to}"]}}]
        path = os.path.join(scratch, "run.json")
        with open(path, "w") as file:
            json.dump(config, file)
        return path

    built, out = os.path.join(scratch, "built"), os.path.join(scratch, "out")
    shutil.rmtree(built, ignore_errors=True)
    subprocess.run([mutatenn, "-q", "build", configure(ports["loopback"]), "--out", built], check=True)
    seconds, processor_s = {name: [] for name in ports}, {name: [] for name in ports}
    for _ in range(repeats):
        for name, port in ports.items():
            shutil.rmtree(out, ignore_errors=True)
            shutil.copytree(built, out)
            shutil.rmtree(cache)
            os.mkdir(cache)
            start, before = time.monotonic(), os.times()
            subprocess.run([mutatenn, "-q", "run", configure(port), "--out", out], check=True, stdout=subprocess.DEVNULL)
            seconds[name].append(time.monotonic() - start)
            after = os.times()
            processor_s[name].append(after.children_user + after.children_system - before.children_user -
                                     before.children_system)
    with sqlite3.connect(os.path.join(out, "campaign.db")) as store:
        mutants = store.execute("SELECT count(DISTINCT mutant) FROM fates").fetchone()[0]
    return seconds, processor_s, mutants


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--mutatenn", default="build/bin/mutatenn")
    parser.add_argument("--rtt", type=float, default=10, help="milliseconds")
    parser.add_argument("--mutants", type=int, default=500, help="of the longer campaign")
    parser.add_argument("--repeats", type=int, default=5)
    arguments = parser.parse_args()
    worker = os.path.join(os.path.dirname(os.path.abspath(arguments.mutatenn)), "mutatenn-worker")
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run([sys.executable, os.path.join(HERE, "../tests/support/make_tiny.py"), scratch], check=True)
        with open(os.path.join(scratch, "campaign.json")) as file:
            short = json.load(file)
        short.update(max_mutants=200, matrix="full")
        more = ["code.arithmetic_index", "code.constant", "lowered.loop"]
        longer = dict(short, max_mutants=arguments.mutants, operators=short["operators"] + more)
        cache = os.path.join(scratch, "cache")
        server = subprocess.Popen([worker, "serve", "--listen", "127.0.0.1:0", "--cache", cache],
                                  stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        try:
            port = int(server.stdout.readline().rsplit(":", 1)[1])
            ports = {"loopback": port, "link": start_proxy(port, arguments.rtt / 2000)}
            for config in (short, longer):
                seconds, processor_s, mutants = measure(arguments.mutatenn, scratch, config, ports, cache,
                                                        arguments.repeats)
                middle = {name: statistics.median(values) for name, values in seconds.items()}
                print(f"{mutants} mutants run, medians of {arguments.repeats} in turn: loopback {middle['loopback']:.2f} s, "
                      f"{arguments.rtt:g} ms link {middle['link']:.2f} s, "
                      f"{middle['link'] / middle['loopback']:.2f} times as long")
                for name in ports:
                    print(f"  {name}: " + ", ".join(f"{s:.2f}" for s in sorted(seconds[name])) + " s; the campaign's own "
                          f"process {statistics.median(processor_s[name]):.2f} s of processor time; load "
                          f"{os.getloadavg()[0]:.1f}", flush=True)
        finally:
            server.kill()


if __name__ == "__main__":
    main()
