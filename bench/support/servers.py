"""Starts the servers that bench/run and bench/curves measure.

A server is known by the name it has in the tables. What the load client is to
do, and what a server wants of it, is a dictionary of its options:
{"mode": "broadcast", "n": 1000, "to": True}; None takes one away."""

import importlib.machinery
import importlib.util
import json
import os
import shlex
import shutil
import signal
import socket
import subprocess
import time
from contextlib import contextmanager

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PEERS = os.path.join(HERE, "peers")
NCHAN = "/usr/lib/nginx/modules/ngx_nchan_module.so"


def script(name):
    """Returns a script of bench/ as a module."""
    loader = importlib.machinery.SourceFileLoader(name,
                                                  os.path.join(HERE, name))
    spec = importlib.util.spec_from_loader(name, loader)
    module = importlib.util.module_from_spec(spec)
    loader.exec_module(module)
    return module


broadcast = script("broadcast")
KEY = broadcast.KEY


def add_options(parser):
    """Adds those that name the programs."""
    for name, program in (("router", "signalbox"), ("load", "signalbox-load"),
                          ("floor", "signalbox-floor")):
        path = os.path.join("build/release", program)
        parser.add_argument(f"--{name}", help=f"({path})", metavar="FILE",
                            default=os.path.join(broadcast.ROOT, path))


class Server:
    """A running one: its processes, and what the load client must be told."""

    def __init__(self, pids, work):
        self.pids = pids
        self.work = work


# -- how each is started -------------------------------------------------------


def router_config(need, site):
    """`need` may name ring, users, forward, threads, namespaces, cache_ttl."""
    space = {"anonymous": not need.get("users"),
             "on-client-event": "forward" if need.get("forward")
             else "refuse"}
    config = {
        "listen": {"public": "127.0.0.1:0", "ingest": "127.0.0.1:0",
                   "operations": "127.0.0.1:0"},
        "namespaces": [{"name": name, **space}
                       for name in need.get("namespaces", ["/"])],
        "ingest": {"keys": [{"name": "bench", "key": KEY,
                             "may-target": True}]},
        # One CPU, as the others have it.
        "router": {"drain-seconds": 0, "threads": need.get("threads", 1),
                   "io-uring": need.get("ring", True)},
        "presence": {"leave-grace": "0s", "max-connections": 100000},
        # The site is slow because it shares its CPU with the client.
        "limits": {"pending-forwards": 1000, "inbox-packets": 1000},
        "log": {"level": "warn"},
    }
    if site:
        config["site"] = {"timeout": "30s", "queue": 100000}
        if need.get("users"):
            config["site"]["auth-url"] = site
            config["site-auth"] = {"cache-ttl": need.get("cache_ttl", "30s")}
        if need.get("forward"):
            config["site"]["event-url"] = site
    return config


def start_site(stack, need, pin):
    """Starts the site if it is needed; returns its URL."""
    if not need.get("users") and not need.get("forward"):
        return None
    _, told = stack.enter_context(broadcast.running(
        "site", pin[1] + ["node", os.path.join(PEERS, "site.mjs")]))
    return told["url"]


def start_router(stack, chosen, need, folder, pin):
    path = os.path.join(folder, "router.json")
    config = router_config(need, start_site(stack, need, pin))
    with open(path, "w", encoding="utf-8") as file:
        json.dump(config, file)
    process, told = stack.enter_context(broadcast.running(
        "router", pin[0] + [chosen.router, "serve", "--config", path]))
    return Server([process.pid], {
        "url": told["public"], "ingest": told["ingest"], "key": KEY,
        "to": True})


def publish_url(address, need):
    place = "user/%d" if need.get("private") else "publish"
    return {"url": address, "publish-url": f"http://{address}/{place}",
            "batch": None}


def start_floor(stack, chosen, need, folder, pin):
    process, told = stack.enter_context(broadcast.running(
        "floor", pin[0] + [chosen.floor] + need["flags"]))
    return Server([process.pid], publish_url(told["public"], need))


def start_node(stack, chosen, need, folder, pin):
    command = ["node", os.path.join(PEERS, "socketio.mjs")]
    if need.get("forward"):
        command = ["env", "SITE=" + start_site(stack, need, pin)] + command
    process, told = stack.enter_context(broadcast.running(
        "node", pin[0] + command))
    return Server([process.pid], publish_url(told["public"], need))


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def children(pid):
    """Returns the processes that a process has started."""
    try:
        with open(f"/proc/{pid}/task/{pid}/children",
                  encoding="ascii") as file:
            return [int(x) for x in file.read().split()]
    except OSError:
        return []


@contextmanager
def listening(name, command, port, folder, workers=0):
    """Starts a server that is told its port; gives its processes when it
    listens and has its workers; ends it."""
    log = os.path.join(folder, "log")
    with open(log, "wb") as file:
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                   stdout=file, stderr=file)
    try:
        end = time.monotonic() + broadcast.READY_WITHIN
        while (not accepts(port)
               or len(children(process.pid)) < workers):
            if process.poll() is not None or time.monotonic() > end:
                with open(log, encoding="utf-8", errors="replace") as file:
                    raise broadcast.CannotRun(f"{name} did not start:\n"
                                              + file.read()[-2000:])
            time.sleep(0.05)
        yield [process.pid] + children(process.pid)
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def accepts(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def fill(name, folder, values):
    """Writes a configuration of peers/ with its blanks filled in."""
    with open(os.path.join(PEERS, name + ".in"), encoding="utf-8") as file:
        text = file.read()
    for key, value in values.items():
        text = text.replace(f"@{key}@", str(value))
    path = os.path.join(folder, name)
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    return path


def start_nchan(stack, chosen, need, folder, pin):
    port = free_port()
    # The worker may be another user than this script.
    os.chmod(folder, 0o755)
    config = fill("nchan.conf", folder,
                  {"PORT": port, "FOLDER": folder, "MODULE": NCHAN})
    pids = stack.enter_context(listening(
        "nginx", pin[0] + ["nginx", "-p", folder, "-c", config], port,
        folder, workers=1))
    held = need.get("held")
    work = {"url": f"127.0.0.1:{port}", "transport": None, "cookie": None,
            "protocol": "long-poll" if held else "websocket",
            "path": "/held" if held else "/ws",
            "publish-url": f"http://127.0.0.1:{port}/publish"
                           + ("-held" if held else "")}
    return Server(pids, work)


def start_nats(stack, chosen, need, folder, pin):
    port = free_port()
    config = fill("nats.conf", folder, {"PORT": port})
    pids = stack.enter_context(listening(
        "nats-server", pin[0] + ["nats-server", "-c", config], port, folder))
    return Server(pids, {"url": f"127.0.0.1:{port}", "protocol": "nats",
                         "path": "/", "cookie": None, "publishers": None})


def start_uws(stack, chosen, need, folder, pin):
    port = free_port()
    command = shlex.split(os.environ["UWS_SERVER"].replace("{port}",
                                                           str(port)))
    pids = stack.enter_context(listening("UWS_SERVER", pin[0] + command, port,
                                         folder))
    return Server(pids, {**publish_url(f"127.0.0.1:{port}", need),
                         "protocol": "websocket", "path": "/ws?u=%d",
                         "cookie": None})


# -- what there is -------------------------------------------------------------

# By name: how it starts, what it needs beside what the case does, and what the
# load client does differently.
SERVERS = {
    "router": (start_router, {}, {}),
    "router, no io_uring": (start_router, {"ring": False}, {}),
    "router, clients of all generations":
        (start_router, {}, {"dialect": "eio4,eio3,v09"}),
    "router, asking the site": (start_router, {"forward": True}, {}),
    "floor": (start_floor, {"flags": []}, {}),
    "floor, io_uring": (start_floor, {"flags": ["--ring"]}, {}),
    "floor, io_uring, coalescing":
        (start_floor, {"flags": ["--ring", "--coalesce"]}, {}),
    "node": (start_node, {}, {}),
    "node, asking the site": (start_node, {"forward": True}, {}),
    "nchan": (start_nchan, {}, {}),
    "nchan, long-polling": (start_nchan, {"held": True}, {}),
    "nats": (start_nats, {}, {}),
    "uWebSockets": (start_uws, {}, {}),
}


def missing(name):
    """Returns why a server cannot be measured, empty if it can."""
    starter = SERVERS[name][0]
    if starter is start_nchan and not (shutil.which("nginx")
                                       and os.path.exists(NCHAN)):
        return ("nchan is not installed; "
                "sudo apt install nginx libnginx-mod-nchan")
    if starter is start_nats and not shutil.which("nats-server"):
        return "nats-server is not installed; sudo apt install nats-server"
    if starter is start_uws and not os.environ.get("UWS_SERVER"):
        return ("UWS_SERVER names no server of uWebSockets; bench/README.md "
                "tells what it has to do")
    return ""


def start(stack, chosen, name, need, folder, pin):
    """Starts a server; it ends with the stack. `need` is what the case asks of
    it: users, private, and what `router_config` knows."""
    starter, more, work = SERVERS[name]
    server = starter(stack, chosen, {**need, **more}, folder, pin)
    server.work = {**server.work, **work}
    return server


def words(work):
    """Returns the words of a command line."""
    out = []
    for name, value in work.items():
        if value is True:
            out.append(f"--{name}")
        elif value is not None:
            out += [f"--{name}", str(value)]
    return out


def load(chosen, pin, server, work, limit=240):
    """Runs the load client; returns its findings."""
    command = pin[1] + [chosen.load] + words({**work, **server.work})
    for pid in server.pids:
        command += ["--server-pid", str(pid)]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          text=True) as process:
        try:
            said, errors = attend(process, limit)
        finally:
            process.kill()
    try:
        found = json.loads(said)
    except ValueError as error:
        raise broadcast.CannotRun(
            f"the load client failed:\n{errors}") from error
    found["exit"] = process.returncode
    found["cpu"] = (found["server_cpu_us_per_delivery"]
                    + found["softirq_cpu_us_per_delivery"])
    return found


def attend(process, limit):
    """Waits for a process and says so when it takes long."""
    begin = time.monotonic()
    while True:
        try:
            return process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            past = time.monotonic() - begin
            if past > limit:
                raise
            print(f"    {past:.0f} s", flush=True)
