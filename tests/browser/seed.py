"""Fills the shop: jobs in all states, a workflow, a paused queue, a queue nobody listens to."""

from taskito import chord, group
from tests.browser.shop import GATE, add, hostile, queue, resize_image, send_email, sync_crm, total
from tests.dashboard.asking import HOSTILE

GATE.touch()
queue.enqueue_many("add", [(n, n) for n in range(60)])
for user in range(1, 25):
    send_email.delay(user, template="welcome")
for number in range(3):
    resize_image.delay(f"/uploads/{number}.jpg", width=800)
for account in (994, 997):
    sync_crm.delay(account)
hostile.delay(HOSTILE)
queue.enqueue(HOSTILE, (HOSTILE,), queue=HOSTILE, delay=3600, metadata=HOSTILE)
chord(group(add.s(n, n) for n in range(3)), total.s()).apply(queue)
queue.enqueue("add", (1, 2), delay=3600)
for number in range(5):
    job = queue.enqueue("add", (number, 0), delay=7200)
    queue.cancel_job(job.id)
queue.enqueue_many("build_report", [(n,) for n in range(12)], queue="reports")
queue.enqueue("add", (3, 4), queue="paused")
queue.pause("paused")
