-- A file of schema 1 as taskito 0.3.0 left it: one job of each kind.
PRAGMA user_version=1;
BEGIN TRANSACTION;
CREATE TABLE attempt (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    fence INTEGER NOT NULL,
    outcome TEXT NOT NULL CONSTRAINT outcome_is_known CHECK (outcome IN ('failed', 'lost')),
    error TEXT NOT NULL,
    claimed_at INTEGER NOT NULL,
    -- When its function began; NULL if nobody knows.
    started_at INTEGER,
    failed_at INTEGER NOT NULL,
    -- Machine and process of its worker.
    worker TEXT,
    -- Its group, what the exception said, and the traceback in JSON; see src/cause.rs.
    failure INTEGER,
    message TEXT,
    frames TEXT,
    CONSTRAINT a_claim_fails_once UNIQUE (job, fence)
) STRICT;
INSERT INTO "attempt" VALUES(913468943070937901,913468942597244126,0,1,'failed','Traceback (most recent call last):
  File "shop.py", line 7, in fail
    raise ValueError("no")
ValueError: no
',1795624767455,1795624767455,1795624767460,NULL,NULL,NULL,NULL);
CREATE TABLE audit (
    id INTEGER PRIMARY KEY,
    at INTEGER NOT NULL,
    who TEXT NOT NULL,
    deed TEXT NOT NULL,
    subject TEXT NOT NULL,
    count INTEGER NOT NULL
) STRICT;
CREATE TABLE breaker (
    task TEXT PRIMARY KEY,
    threshold INTEGER NOT NULL,
    window_ms INTEGER NOT NULL,
    cooldown_ms INTEGER NOT NULL,
    -- The instants of the failures that count, parted by blanks.
    failures TEXT NOT NULL DEFAULT '',
    last_failure_at INTEGER,
    opened_at INTEGER,
    -- The claim that was let through last.
    probe INTEGER,
    probe_fence INTEGER
) STRICT;
CREATE TABLE dependency (
    job INTEGER NOT NULL,
    -- The parents of a job in the order in which they were named.
    position INTEGER NOT NULL,
    parent INTEGER NOT NULL,
    -- Whether the job takes the parent's result.
    is_input INTEGER NOT NULL CONSTRAINT is_input_is_a_truth_value CHECK (is_input IN (0, 1)),
    CONSTRAINT a_place_is_taken_once PRIMARY KEY (job, position)
) STRICT, WITHOUT ROWID;
INSERT INTO "dependency" VALUES(913468943255490071,0,913468943184103066,0);
CREATE TABLE failure_group (
    fingerprint INTEGER PRIMARY KEY,
    task TEXT NOT NULL,
    error_type TEXT NOT NULL,
    template TEXT NOT NULL,
    location TEXT NOT NULL,
    first_seen INTEGER NOT NULL,
    last_seen INTEGER NOT NULL,
    state TEXT NOT NULL DEFAULT 'open'
    CONSTRAINT group_state_is_known CHECK (state IN ('open', 'silenced', 'resolved'))
) STRICT;
CREATE TABLE job (
    id INTEGER PRIMARY KEY,
    lane INTEGER NOT NULL,
    state TEXT NOT NULL,
    priority INTEGER NOT NULL,
    run_at INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    max_retries INTEGER NOT NULL,
    timeout_ms INTEGER NOT NULL,
    retry_count INTEGER NOT NULL DEFAULT 0,
    losses INTEGER NOT NULL DEFAULT 0,
    fence INTEGER NOT NULL DEFAULT 0,
    owner INTEGER,
    claimed_at INTEGER,
    -- When the function began that ran last; written with finished_at.
    started_at INTEGER,
    finished_at INTEGER,
    dead_letter INTEGER,
    cancel_requested INTEGER NOT NULL DEFAULT 0,
    -- Unfinished parents. The delay of a blocked job begins when there are none left.
    waiting_on INTEGER NOT NULL DEFAULT 0,
    -- The length of the present or coming wait, and what it is: NULL is the job's own delay.
    wait_ms INTEGER NOT NULL DEFAULT 0,
    wait TEXT CONSTRAINT wait_is_known CHECK (wait IN ('backoff', 'snooze')),
    -- How the results of its parents reach its arguments.
    inputs TEXT CONSTRAINT inputs_are_known CHECK (inputs IN ('one', 'list')),
    expires_at INTEGER,
    result_ttl_ms INTEGER,
    workflow INTEGER,
    -- The limiter of the innermost limited group it is in. Stale when finished.
    group_id INTEGER,
    -- The job that is dead or was cancelled and took this one with it.
    ended_by INTEGER,
    schedule TEXT,
    fire_time INTEGER,
    progress INTEGER,
    limit_key TEXT,
    -- Where it waits, if it has a limit key or belongs to a limited group. Stale when finished.
    strand INTEGER,
    unique_key TEXT,
    idempotency_key TEXT,
    metadata TEXT,
    headers TEXT,
    error TEXT,
    -- The group of its last failure, while it is to be tried again or has a dead letter.
    failure INTEGER,
    -- Its arguments for people, as the producer wrote them.
    preview TEXT,
    payload BLOB NOT NULL,
    CONSTRAINT state_is_known CHECK (
        state = 'pending' OR state = 'running' OR state = 'complete' OR state = 'scheduled'
        OR state = 'blocked' OR state = 'dead' OR state = 'cancelled'
    ),
    CONSTRAINT blocked_waits_for_parents CHECK (state <> 'blocked' OR waiting_on > 0),
    CONSTRAINT running_has_an_owner CHECK ((state = 'running') = (owner IS NOT NULL)),
    CONSTRAINT finished_has_a_time CHECK (
        (state = 'complete' OR state = 'dead' OR state = 'cancelled') = (finished_at IS NOT NULL)
    ),
    CONSTRAINT only_the_dead_have_letters CHECK (dead_letter IS NULL OR state = 'dead')
) STRICT;
INSERT INTO "job" VALUES(913468942592310503,1,'complete',0,1795624767346,1795624767346,3,300000,0,0,1,NULL,1795624767449,1795624767449,1795624767455,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,X'80059512000000000000008C08636F6D706C6574659485947D9486942E');
INSERT INTO "job" VALUES(913468942597244126,2,'dead',0,1795624767347,1795624767347,0,300000,0,0,1,NULL,1795624767455,1795624767455,1795624767460,913468943070937902,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'Traceback (most recent call last):
  File "/tmp/exp/mkfix.py", line 8, in fail
    def fail(): raise ValueError("no")
                ^^^^^^^^^^^^^^^^^^^^^^
ValueError: no',NULL,NULL,X'8005950600000000000000297D9486942E');
INSERT INTO "job" VALUES(913468943153387755,1,'cancelled',0,1795624767480,1795624767480,3,300000,0,0,0,NULL,NULL,NULL,1795624767481,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,X'80059513000000000000008C0963616E63656C6C65649485947D9486942E');
INSERT INTO "job" VALUES(913468943184103066,1,'pending',0,1795624767487,1795624767487,3,300000,0,0,0,NULL,NULL,NULL,NULL,NULL,0,0,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,'u','i','{"k":1}','{"h":"v"}',NULL,NULL,NULL,X'80059511000000000000008C0770656E64696E679485947D9486942E');
INSERT INTO "job" VALUES(913468943255490071,1,'blocked',0,1795624767504,1795624767504,3,300000,0,0,0,NULL,NULL,NULL,NULL,NULL,0,1,0,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,X'80059511000000000000008C07626C6F636B65649485947D9486942E');
INSERT INTO "job" VALUES(913468943284132683,1,'scheduled',0,1795624767512,1795624767511,3,300000,0,0,0,NULL,NULL,NULL,NULL,NULL,0,0,1,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,NULL,X'80059513000000000000008C097363686564756C65649485947D9486942E');
CREATE TABLE job_result (
    job INTEGER PRIMARY KEY,
    result BLOB NOT NULL,
    -- The same for people, as the worker wrote it.
    preview TEXT
) STRICT;
INSERT INTO "job_result" VALUES(913468942592310503,X'8005950C000000000000008C08636F6D706C657465942E',NULL);
CREATE TABLE lane (
    id INTEGER PRIMARY KEY,
    queue TEXT NOT NULL,
    task TEXT NOT NULL,
    blocked INTEGER NOT NULL DEFAULT 0,
    scheduled INTEGER NOT NULL DEFAULT 0,
    pending INTEGER NOT NULL DEFAULT 0,
    running INTEGER NOT NULL DEFAULT 0,
    complete INTEGER NOT NULL DEFAULT 0,
    dead INTEGER NOT NULL DEFAULT 0,
    cancelled INTEGER NOT NULL DEFAULT 0,
    -- Those of the running that have a limit key: the limits of the task count them apart.
    keyed INTEGER NOT NULL DEFAULT 0,
    -- Whether any are pending. A column, so that an index does not change with every job.
    ready INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT a_lane_exists_once UNIQUE (queue, task),
    CONSTRAINT counts_are_not_negative CHECK (
        min(blocked, scheduled, pending, running, complete, dead, cancelled, keyed) >= 0
    ),
    CONSTRAINT keyed_jobs_are_running CHECK (keyed <= running)
) STRICT;
INSERT INTO "lane" VALUES(1,'default','note',1,1,1,0,1,0,1,0,1);
INSERT INTO "lane" VALUES(2,'default','fail',0,0,0,0,0,1,0,0,0);
CREATE TABLE limiter (
    id INTEGER PRIMARY KEY,
    task TEXT,
    limit_key TEXT,
    -- Of a group: how many of its jobs run at once, and the group it lies in.
    max_running INTEGER CONSTRAINT some_member_may_run CHECK (max_running > 0),
    outer_group INTEGER,
    running INTEGER NOT NULL DEFAULT 0,
    -- Strands that it counts, and groups that lie in it.
    users INTEGER NOT NULL DEFAULT 0,
    -- Its tokens, and what one cost when the last was taken: see rate.rs.
    arrival_ns INTEGER NOT NULL DEFAULT 0,
    interval_ns INTEGER NOT NULL DEFAULT 0,
    CONSTRAINT it_is_of_a_task_or_a_group CHECK ((task IS NULL) <> (max_running IS NULL)),
    CONSTRAINT counts_are_not_negative CHECK (min(running, users) >= 0)
) STRICT;
CREATE TABLE lock (
    fence INTEGER PRIMARY KEY AUTOINCREMENT,
    name TEXT NOT NULL CONSTRAINT a_lock_has_one_holder UNIQUE,
    ttl_ms INTEGER NOT NULL CONSTRAINT a_lock_is_held_for_some_time CHECK (ttl_ms > 0),
    boot TEXT NOT NULL,
    good_until INTEGER NOT NULL
) STRICT;
CREATE TABLE metric (
    id INTEGER PRIMARY KEY,
    lane INTEGER NOT NULL,
    at INTEGER NOT NULL,
    count INTEGER,
    failures INTEGER,
    sum INTEGER,
    min INTEGER,
    max INTEGER,
    samples BLOB NOT NULL
) STRICT;
INSERT INTO "metric" VALUES(913468943050135168,1,1795624767455,NULL,NULL,NULL,NULL,NULL,X'D603');
INSERT INTO "metric" VALUES(913468943070937903,2,1795624767460,NULL,NULL,NULL,NULL,NULL,X'990F');
CREATE TABLE operation (
    id INTEGER PRIMARY KEY,
    verb TEXT NOT NULL CONSTRAINT verb_is_known CHECK (verb IN ('retry', 'cancel', 'delete')),
    -- The filter as people write it, and its terms as the engine reads them.
    filter TEXT NOT NULL,
    terms TEXT NOT NULL,
    who TEXT NOT NULL,
    total INTEGER NOT NULL,
    rate INTEGER CONSTRAINT rate_is_positive CHECK (rate > 0),
    stop_after INTEGER CONSTRAINT stop_after_is_positive CHECK (stop_after > 0),
    -- So many jobs are made first, and the others when those have completed within that time.
    canary INTEGER CONSTRAINT canary_is_positive CHECK (canary > 0),
    canary_wait_ms INTEGER,
    -- The newest job when it began, and the last one that it is through with.
    last INTEGER NOT NULL,
    reached INTEGER NOT NULL DEFAULT 0,
    done INTEGER NOT NULL DEFAULT 0,
    skipped INTEGER NOT NULL DEFAULT 0,
    phase TEXT NOT NULL DEFAULT 'running'
        CONSTRAINT phase_is_known CHECK (phase IN ('running', 'done', 'stopped')),
    driver INTEGER NOT NULL DEFAULT 0,
    leased_until INTEGER NOT NULL DEFAULT 0,
    next_at INTEGER NOT NULL DEFAULT 0,
    -- When it gives its first jobs up, while it waits for them.
    waits_until INTEGER,
    started_at INTEGER NOT NULL,
    ended_at INTEGER,
    report TEXT,
    CONSTRAINT it_goes_no_further CHECK (reached <= last),
    CONSTRAINT canary_is_waited_for CHECK ((canary IS NULL) = (canary_wait_ms IS NULL)),
    CONSTRAINT only_a_retry_makes_jobs CHECK (canary IS NULL OR verb = 'retry'),
    CONSTRAINT it_waits_while_it_runs CHECK (waits_until IS NULL OR phase = 'running'),
    CONSTRAINT ended_has_a_time CHECK ((phase = 'running') = (ended_at IS NULL))
) STRICT;
CREATE TABLE operation_job (
    operation INTEGER NOT NULL,
    job INTEGER NOT NULL,
    copy INTEGER,
    CONSTRAINT a_job_is_touched_once PRIMARY KEY (operation, job)
) STRICT, WITHOUT ROWID;
CREATE TABLE queue_setting (
    name TEXT PRIMARY KEY,
    paused INTEGER NOT NULL DEFAULT 0 CONSTRAINT paused_is_a_truth_value CHECK (paused IN (0, 1)),
    rate TEXT,
    max_concurrent INTEGER CONSTRAINT some_job_may_run CHECK (max_concurrent > 0),
    -- The tokens of the rate, see rate.rs.
    arrival_ns INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE TABLE replay (
    replay INTEGER PRIMARY KEY,
    original INTEGER NOT NULL,
    replayed_at INTEGER NOT NULL
) STRICT;
CREATE TABLE rollup (
    step_ms INTEGER NOT NULL,
    at INTEGER NOT NULL,
    lane INTEGER NOT NULL,
    done INTEGER NOT NULL,
    failed INTEGER NOT NULL,
    retried INTEGER NOT NULL,
    wait BLOB NOT NULL,
    run BLOB NOT NULL,
    CONSTRAINT a_stretch_of_a_lane_is_one_row PRIMARY KEY (step_ms, at, lane)
) STRICT, WITHOUT ROWID;
CREATE TABLE schedule (
    name TEXT NOT NULL PRIMARY KEY,
    task TEXT NOT NULL,
    queue TEXT NOT NULL,
    cron TEXT,
    every_ms INTEGER,
    timezone TEXT NOT NULL,
    catch_up TEXT NOT NULL CONSTRAINT catch_up_is_known CHECK (catch_up IN ('one', 'none', 'all')),
    priority INTEGER NOT NULL,
    max_retries INTEGER NOT NULL,
    timeout_ms INTEGER NOT NULL,
    enabled INTEGER NOT NULL DEFAULT 1,
    -- NULL while it is paused, or when it will never fire again.
    next_run INTEGER,
    last_run INTEGER,
    last_job INTEGER,
    -- Its newest jobs with that one, the newest last; see src/schedule.rs.
    recent TEXT NOT NULL DEFAULT '',
    preview TEXT,
    payload BLOB NOT NULL,
    CONSTRAINT it_has_one_rule CHECK ((cron IS NULL) <> (every_ms IS NULL)),
    CONSTRAINT a_paused_schedule_does_not_fire CHECK (enabled = 1 OR next_run IS NULL)
) STRICT;
CREATE TABLE strand (
    id INTEGER PRIMARY KEY,
    lane INTEGER NOT NULL,
    key_limiter INTEGER,
    job_group INTEGER,
    keyed INTEGER NOT NULL GENERATED ALWAYS AS (key_limiter IS NOT NULL) VIRTUAL,
    unfinished INTEGER NOT NULL DEFAULT 0,
    -- The pending job that runs first; a job that may have killed a worker does not count.
    head INTEGER,
    priority INTEGER,
    run_at INTEGER,
    -- The limiter that was found closed; until then, if its rate closed it.
    waits_for INTEGER,
    opens_at INTEGER,
    CONSTRAINT a_strand_is_limited CHECK (key_limiter IS NOT NULL OR job_group IS NOT NULL),
    CONSTRAINT unfinished_is_not_negative CHECK (unfinished >= 0),
    CONSTRAINT only_a_limiter_opens_again CHECK (opens_at IS NULL OR waits_for IS NOT NULL)
) STRICT;
CREATE TABLE task_limit (
    task TEXT PRIMARY KEY,
    rate TEXT,
    max_concurrent INTEGER
) STRICT;
CREATE TABLE task_log (
    id INTEGER PRIMARY KEY,
    job INTEGER NOT NULL,
    task TEXT NOT NULL,
    level TEXT NOT NULL,
    message TEXT NOT NULL,
    extra TEXT,
    logged_at INTEGER NOT NULL
) STRICT;
CREATE TABLE taskito (
    one INTEGER PRIMARY KEY CONSTRAINT there_is_one_row CHECK (one = 1),
    database INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    -- How the clock of the machine stood when it was last noted, see engine/clockwork.rs.
    boot TEXT,
    clock_offset INTEGER
) STRICT;
INSERT INTO "taskito" VALUES(1,430846099970811,1795624767315,'00000000-0000-0000-0000-000000000001',1795621909099);
CREATE TABLE worker (
    id INTEGER PRIMARY KEY AUTOINCREMENT,
    key INTEGER NOT NULL,
    hostname TEXT NOT NULL,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    queues TEXT NOT NULL,
    tasks TEXT NOT NULL,
    schedules TEXT NOT NULL DEFAULT '',
    concurrency INTEGER NOT NULL,
    draining INTEGER NOT NULL DEFAULT 0,
    -- Whether somebody asked it to leave; it looks once a second.
    drain_requested INTEGER NOT NULL DEFAULT 0,
    abandoned INTEGER NOT NULL DEFAULT 0,
    -- Attempts that ended in it, with the heartbeat.
    ended INTEGER NOT NULL DEFAULT 0,
    started_at INTEGER NOT NULL,
    heartbeat_at INTEGER NOT NULL,
    -- Bytes of memory of its process, with the heartbeat.
    rss INTEGER
) STRICT;
CREATE INDEX lane_ready ON lane (id) WHERE ready = 1;
CREATE INDEX lane_task ON lane (task);
CREATE INDEX limiter_of_task ON limiter (task, limit_key) WHERE task IS NOT NULL;
CREATE INDEX limiter_idle ON limiter (arrival_ns) WHERE users = 0 AND task IS NOT NULL;
CREATE INDEX strand_of ON strand (lane, key_limiter, job_group);
CREATE INDEX strand_ready ON strand (lane, keyed, priority DESC, run_at, head)
WHERE head IS NOT NULL AND waits_for IS NULL;
CREATE INDEX strand_waiting ON strand (waits_for, lane, keyed, priority DESC, run_at, head)
WHERE waits_for IS NOT NULL AND head IS NOT NULL;
CREATE INDEX strand_opens ON strand (opens_at) WHERE opens_at IS NOT NULL;
CREATE INDEX job_claim ON job (lane, strand, priority DESC, run_at)
WHERE state = 'pending' AND losses = 0;
CREATE INDEX job_suspect ON job (lane, priority DESC, run_at) WHERE state = 'pending' AND losses > 0;
CREATE INDEX job_promote ON job (run_at) WHERE state = 'scheduled';
CREATE INDEX job_expires ON job (expires_at)
WHERE expires_at IS NOT NULL AND owner IS NULL AND finished_at IS NULL;
CREATE INDEX job_outlived ON job (finished_at + result_ttl_ms)
WHERE result_ttl_ms IS NOT NULL AND finished_at IS NOT NULL;
CREATE INDEX job_wait ON job (run_at - wait_ms, wait, run_at, retry_count)
WHERE state = 'scheduled' AND wait IS NOT NULL;
CREATE INDEX job_blocked ON job (id) WHERE state = 'blocked';
CREATE INDEX job_held ON job (owner) WHERE state = 'running';
CREATE UNIQUE INDEX job_unique ON job (unique_key)
WHERE unique_key IS NOT NULL AND finished_at IS NULL;
CREATE INDEX job_idempotent ON job (idempotency_key) WHERE idempotency_key IS NOT NULL;
CREATE INDEX job_workflow ON job (workflow) WHERE workflow IS NOT NULL;
CREATE UNIQUE INDEX job_dead_letter ON job (dead_letter) WHERE dead_letter IS NOT NULL;
CREATE INDEX job_failure ON job (failure, dead_letter) WHERE failure IS NOT NULL;
CREATE TRIGGER job_moves_along_an_arrow BEFORE UPDATE OF state, fence ON job
WHEN NEW.fence < OLD.fence OR NOT CASE OLD.state
    WHEN 'pending' THEN NEW.state = 'running' OR NEW.state = 'cancelled'
    WHEN 'running' THEN NEW.state <> 'running' AND NEW.state <> 'blocked'
    WHEN 'scheduled' THEN NEW.state = 'pending' OR NEW.state = 'cancelled'
    WHEN 'blocked' THEN
        NEW.state = 'scheduled' OR NEW.state = 'pending' OR NEW.state = 'cancelled'
    ELSE 0
END
BEGIN
    SELECT RAISE(ROLLBACK, 'no arrow of the state machine leads there');
END;
CREATE INDEX dependency_parent ON dependency (parent, job);
CREATE INDEX attempt_failure ON attempt (failure) WHERE failure IS NOT NULL;
CREATE INDEX failure_group_seen ON failure_group (last_seen, fingerprint);
CREATE INDEX task_log_job ON task_log (job);
CREATE INDEX replay_original ON replay (original);
CREATE INDEX schedule_due ON schedule (next_run, name) WHERE next_run IS NOT NULL;
CREATE INDEX lock_lapse ON lock (boot, good_until);
CREATE INDEX operation_running ON operation (id) WHERE phase = 'running';
CREATE INDEX audit_mark ON audit (id) WHERE deed = 'mark';
CREATE VIEW job_row AS
SELECT
    job.id, lane.queue, lane.task, job.state, job.priority, job.retry_count, job.max_retries,
    job.losses, job.fence, job.created_at, job.run_at, job.claimed_at, job.finished_at,
    job.timeout_ms, job.unique_key, job.idempotency_key, job.metadata, job.headers,
    job.error, job.progress, job.cancel_requested, job.waiting_on, job.wait, job.wait_ms,
    job.expires_at, job.result_ttl_ms, job.limit_key, job.workflow, job.schedule,
    job.fire_time, job.owner, job.group_id, job.ended_by, job.started_at, job.failure,
    job.preview, job.dead_letter
FROM job
CROSS JOIN lane ON lane.id = job.lane;
CREATE VIEW jobs AS
SELECT
    printf(
        '%08x-%04x-7%03x-%04x-%012x',
        ((job.id >> 22) + 1577836800000) >> 16, ((job.id >> 22) + 1577836800000) & 65535,
        (job.id >> 10) & 4095, 32768 | ((job.id & 1023) << 4) | (taskito.database >> 48),
        taskito.database & 281474976710655
    ) AS id,
    lane.queue AS queue, lane.task AS task_name, job.payload AS payload,
    CASE job.state
        WHEN 'running' THEN 1
        WHEN 'complete' THEN 2
        WHEN 'dead' THEN 4
        WHEN 'cancelled' THEN 5
        ELSE 0
    END AS status,
    job.priority AS priority, job.created_at AS created_at, job.run_at AS scheduled_at,
    job.claimed_at AS started_at, job.finished_at AS completed_at,
    job.retry_count AS retry_count, job.max_retries AS max_retries,
    (SELECT job_result.result FROM job_result WHERE job_result.job = job.id) AS result,
    job.error AS error, job.timeout_ms AS timeout_ms,
    job.unique_key AS unique_key, job.progress AS progress, job.metadata AS metadata,
    job.cancel_requested AS cancel_requested, job.expires_at AS expires_at,
    job.result_ttl_ms AS result_ttl_ms,
    job.idempotency_key AS idempotency_key, job.limit_key AS limit_key, job.headers AS headers,
    CASE WHEN job.workflow IS NOT NULL THEN printf(
        '%08x-%04x-7%03x-%04x-%012x',
        ((job.workflow >> 22) + 1577836800000) >> 16, ((job.workflow >> 22) + 1577836800000) & 65535,
        (job.workflow >> 10) & 4095, 32768 | ((job.workflow & 1023) << 4) | (taskito.database >> 48),
        taskito.database & 281474976710655
    ) END AS workflow_id,
    job.schedule AS schedule_name, job.fire_time AS fire_time,
    (
        SELECT printf(
            '%08x-%04x-7%03x-%04x-%012x',
            ((worker.key >> 22) + 1577836800000) >> 16, ((worker.key >> 22) + 1577836800000) & 65535,
            (worker.key >> 10) & 4095, 32768 | ((worker.key & 1023) << 4) | (taskito.database >> 48),
            taskito.database & 281474976710655
        )
        FROM worker
        WHERE worker.id = job.owner
    ) AS worker_id,
    job.waiting_on AS waiting_on
FROM job
CROSS JOIN taskito
CROSS JOIN lane ON lane.id = job.lane;
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('worker',1);
COMMIT;
