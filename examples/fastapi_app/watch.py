"""Order a report over HTTP and watch it: ``python watch.py http://127.0.0.1:8000``."""

import json
import sys
import urllib.request


def main(address: str) -> int:
    order = urllib.request.Request(f"{address}/reports?months=12", method="POST")
    with urllib.request.urlopen(order, timeout=10) as answer:
        job = answer.headers["Location"]
        print(f"ordered report {json.load(answer)['id']}")

    with urllib.request.urlopen(f"{job}/progress", timeout=10) as events:
        for line in events:
            if line.startswith(b"data: "):
                event = json.loads(line.removeprefix(b"data: "))
                bar = "#" * ((event["progress"] or 0) // 5)
                print(f"{event['status']:<9} [{bar:<20}] {event['progress'] or 0:>3} %")

    with urllib.request.urlopen(f"{job}/result", timeout=10) as answer:
        outcome = json.load(answer)
    print(f"{outcome['status']}: {outcome['result'] or outcome['error']}")
    return 0 if outcome["status"] == "complete" else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
