// Addresses of taskito 0.2, all behind "#/", lead to what replaced them.
const PLACES = {
  "": "", jobs: "jobs", "dead-letters": "failures", metrics: "tasks", "circuit-breakers": "tasks",
  queues: "queues", workers: "workers", logs: "jobs", periodic: "schedules",
};

const [, page, id] = /^#\/([^/?]*)\/?([^/?]*)/.exec(location.hash) ?? [];
if (Object.hasOwn(PLACES, page)) {
  const { root } = document.getElementById("live").dataset;
  const rest = page === "jobs" && id ? `/${encodeURIComponent(decodeURIComponent(id))}` : "";
  location.replace(root + PLACES[page] + rest);
}
