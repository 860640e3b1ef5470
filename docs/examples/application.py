#!/usr/bin/env python3
"""An application that works clinks: Python, nothing but the standard library.

routes:
  - name: answer
    http: { url: http://127.0.0.1:8080/clinks, secretFile: ./secret }

SECRET_FILE=./secret PORT=8080 python3 application.py
"""

import base64
import hashlib
import hmac
import json
import os
import time
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

SECRET_FILE = os.environ.get("SECRET_FILE")


def is_signed(headers, body):
    """Whether the worker has signed it, not long ago (https://www.standardwebhooks.com)."""
    if SECRET_FILE is None:
        return True
    with open(SECRET_FILE, encoding="utf-8") as file:
        secret = base64.b64decode(file.read().strip().removeprefix("whsec_"))
    sent = headers.get("webhook-timestamp", "0")
    if abs(time.time() - int(sent)) > 300:
        return False
    signed = f"{headers.get('webhook-id')}.{sent}.".encode() + body
    ours = "v1," + base64.b64encode(hmac.new(secret, signed, hashlib.sha256).digest()).decode()
    return any(hmac.compare_digest(ours, one) for one in headers.get("webhook-signature", "").split())


def ask(task, request, **what):
    """Asks the worker for what it does for this run: reply, log, step, sleep, keepalive, mask, draining."""
    asked = urllib.request.Request(
        task["task"]["url"],
        data=json.dumps({"request": request, **what}).encode(),
        headers={"authorization": f"Bearer {task['task']['token']}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(asked) as answer:
        return json.load(answer)["answer"]


class Clinks(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if not is_signed(self.headers, body):
            return self.answer(401, "it is not signed by the worker")
        task = json.loads(body)
        words = task["clink"]["content"].split()
        if not words:
            return self.answer(200, "there is nothing to count", {"Clink-Outcome": "reject"})
        if len(words) > 500:
            ask(task, "reply", text=f"{len(words)} words, this takes a moment")
        longest = max(words, key=len)
        self.answer(200, f"{task['clink']['sender_name']}, you wrote {len(words)} words; the longest is {longest}.")

    def answer(self, status, text, headers={}):
        data = text.encode()
        self.send_response(status)
        for name, value in {"Content-Type": "text/plain", "Content-Length": str(len(data)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


if __name__ == "__main__":
    server = ThreadingHTTPServer(("127.0.0.1", int(os.environ.get("PORT", "8080"))), Clinks)
    print(f"listening at {server.server_port}", flush=True)
    server.serve_forever()
