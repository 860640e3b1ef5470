#!/bin/sh
# Deploys what a clink asks for, in shell.
#
# routes:
#   - name: deploy
#     match: { group: ops, content: { prefix: 'deploy ' } }
#     exec: { command: [./deploy.sh], env: { DEPLOY: /usr/local/bin/deploy } }
#     timeout: 20m
set -u

# The envelope is JSON; this takes what it needs out of the text of the clink.
target=$(sed -n 's/.*"content":"deploy \([a-z0-9-]*\)[^a-z0-9-].*/\1/p')
if [ -z "$target" ]; then
  echo 'say what: deploy NAME' >&2
  exit 65 # rejected
fi
if [ -e "/tmp/$target.frozen" ]; then
  echo "$target is frozen" >&2
  exit 75 # again after retry.backoff, not counted as an attempt
fi

clink-worker task reply "deploying $target"

# A worker that stops asks for an end soon: what can be broken off is given back, and another worker takes it.
if clink-worker task draining; then
  exit 69 # released
fi

if "$DEPLOY" "$target" "$CLINK_TASK_ID"; then
  echo "$target is deployed"
else
  echo "$target could not be deployed" >&2
  exit 1 # failed: tried again
fi
