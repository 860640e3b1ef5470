#!/usr/bin/env python3
"""Answers a clink in Python. Nothing but the standard library.

routes:
  - name: answer
    exec: [python3, ./answer.py]
"""

import json
import socket
import sys

task = json.load(sys.stdin)


def ask(request, **what):
    """Asks the worker for what it does for this run: reply, log, keepalive, mask, draining."""
    with socket.socket(socket.AF_UNIX) as link:
        link.connect(task["task"]["socket"])
        line = {"token": task["task"]["token"], "request": request, **what}
        link.sendall((json.dumps(line) + "\n").encode())
        answer = json.loads(link.makefile(encoding="utf-8").readline())
    if "error" in answer:
        raise RuntimeError(answer["error"])
    return answer["answer"]


# What goes to standard error is logged, and its last line is the reason if this fails.
print("reading", file=sys.stderr)
words = task["clink"]["content"].split()
if not words:
    print("there is nothing to count", file=sys.stderr)
    sys.exit(65)  # rejected: tried again it would not be better

if len(words) > 500:
    ask("reply", text=f"{len(words)} words, this takes a moment")

# What goes to standard output is the response.
print(f"{task['clink']['sender_name']}, you wrote {len(words)} words; the longest is {max(words, key=len)}.")
