#!/usr/bin/env python3
"""Lets a command-line AI agent answer clinks, in headless mode.

routes:
  - name: agent
    match: { content: { prefix: 'ask ' } }
    exec: { command: [python3, ./agent.py], env: { AGENT: claude -p } }
    timeout: 30m
    retry: { backoff: 1m }

AGENT is its command: it reads a prompt from standard input and writes its answer to standard output.

What a clink says comes from somebody else, and an agent may do what it says. Give it only the tools and the files that you would give
to everybody who can write to you.
"""

import json
import os
import shlex
import signal
import socket
import subprocess
import sys
import tempfile

task = json.load(sys.stdin)
clink = task["clink"]


def ask(request, **what):
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(task["task"]["socket"])
        link.sendall((json.dumps({"token": task["task"]["token"], "request": request, **what}) + "\n").encode())
        return json.loads(link.makefile(encoding="utf-8").readline())


# When the run must end, everything that it has started is told as well: this only leaves in order.
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))

prompt = f"""{clink['sender_name']} writes to {clink.get('group_name') or clink.get('group_slug') or 'us'}:

{clink['content']}

Answer in plain text, in at most 4000 characters."""

with tempfile.TemporaryDirectory() as empty:
    # Its standard error is ours, and so in the log.
    agent = subprocess.Popen(
        shlex.split(os.environ.get("AGENT", "claude -p")),
        cwd=empty,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    answer = None
    while answer is None:
        try:
            answer, _ = agent.communicate(prompt, timeout=20)
        except subprocess.TimeoutExpired:
            ask("keepalive")

if agent.returncode == 0 and answer.strip():
    print(answer.strip())
elif "rate limit" in answer.lower():
    print("the agent is at its rate limit", file=sys.stderr)
    sys.exit(75)
else:
    print(f"the agent ended with {agent.returncode} and no answer", file=sys.stderr)
    sys.exit(1)
