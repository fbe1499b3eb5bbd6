// Addresses of taskito 0.2 had everything behind "#/"; they lead to what replaced them.
const PLACES = {
  "": "", jobs: "jobs", "dead-letters": "failures", metrics: "tasks", "circuit-breakers": "tasks",
  queues: "queues", workers: "workers", logs: "jobs", periodic: "schedules",
};

const old = /^#\/([^/?]*)(?:\/([^/?]+))?/.exec(location.hash);
const place = old && PLACES[old[1]];
if (place !== undefined && place !== null) {
  const root = document.getElementById("live").dataset.root;
  const rest = old[1] === "jobs" && old[2] ? `/${encodeURIComponent(decodeURIComponent(old[2]))}` : "";
  location.replace(root + place + rest);
}
