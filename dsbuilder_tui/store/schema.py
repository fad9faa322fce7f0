"""The session file's tables, as numbered migrations; ``user_version`` says how many have run."""

from __future__ import annotations

_V1 = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;

CREATE TABLE branch (
  id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, parent_id INTEGER REFERENCES branch(id), fork_seq INTEGER,
  created_at REAL NOT NULL);

CREATE TABLE plan_revision (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, revision INTEGER NOT NULL, plan TEXT NOT NULL,
  created_at REAL NOT NULL, UNIQUE (branch_id, revision));

CREATE TABLE category (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);

-- The only unique constraint is the slot: it is what makes a case count exactly once.
CREATE TABLE accepted_case (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  structure INTEGER, inputs TEXT NOT NULL, expectations TEXT NOT NULL, tags TEXT NOT NULL, created_at REAL NOT NULL,
  crc INTEGER NOT NULL);
CREATE UNIQUE INDEX accepted_slot ON accepted_case (branch_id, category_id, ordinal);

CREATE TABLE damaged_case (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  structure INTEGER, inputs TEXT, expectations TEXT, tags TEXT, created_at REAL, crc INTEGER, found_at REAL NOT NULL);

CREATE TABLE rejection (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  attempt INTEGER NOT NULL, stage TEXT NOT NULL, score REAL, threshold REAL, nearest_seq INTEGER,
  nearest_case_id TEXT, reason TEXT NOT NULL, text TEXT NOT NULL, created_at REAL NOT NULL);
CREATE INDEX rejection_slot ON rejection (branch_id, category_id, ordinal);

CREATE TABLE exhausted_slot (
  branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, ordinal INTEGER NOT NULL, seq INTEGER NOT NULL,
  attempts INTEGER NOT NULL, reason TEXT NOT NULL, PRIMARY KEY (branch_id, category_id, ordinal)) WITHOUT ROWID;

-- Counters kept in the same transaction as the rows they count, so that opening a session scans nothing.
CREATE TABLE progress (
  branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, accepted INTEGER NOT NULL DEFAULT 0,
  rejected INTEGER NOT NULL DEFAULT 0, exhausted INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (branch_id, category_id)) WITHOUT ROWID;

CREATE TABLE checkpoint (
  id INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, seq INTEGER NOT NULL, reason TEXT NOT NULL,
  accepted INTEGER NOT NULL, planned INTEGER NOT NULL, created_at REAL NOT NULL);

CREATE TABLE worker_call (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, batch INTEGER NOT NULL,
  model TEXT NOT NULL, size INTEGER NOT NULL, outcome TEXT NOT NULL, delivered INTEGER NOT NULL,
  retries INTEGER NOT NULL, prompt_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
  seconds REAL NOT NULL, detail TEXT NOT NULL, created_at REAL NOT NULL);

-- What happened to the session as a whole: runs, pauses, imports, repairs, exports.
CREATE TABLE history (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL,
  created_at REAL NOT NULL);
"""

# What a person does to single cases, the conversation, and what a replay needs.
_V2 = """
ALTER TABLE accepted_case ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE damaged_case ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE worker_call ADD COLUMN worker INTEGER NOT NULL DEFAULT 0;

-- `candidate` holds what the schema stage let through, so that it can be kept after all; `gave_up` the number of tries
-- when the slot was exhausted with this rejection.
ALTER TABLE rejection ADD COLUMN batch INTEGER NOT NULL DEFAULT 0;
ALTER TABLE rejection ADD COLUMN candidate TEXT;
ALTER TABLE rejection ADD COLUMN gave_up INTEGER;
UPDATE rejection SET gave_up = (SELECT attempts FROM exhausted_slot e WHERE e.seq = rejection.seq)
  WHERE seq IN (SELECT seq FROM exhausted_slot);
CREATE INDEX rejection_stage ON rejection (branch_id, stage, category_id);

-- The case a line of history is about, if it is about one.
ALTER TABLE history ADD COLUMN category_id INTEGER;
ALTER TABLE history ADD COLUMN ordinal INTEGER;
CREATE INDEX history_kind ON history (kind);
CREATE INDEX history_case ON history (category_id, ordinal) WHERE ordinal IS NOT NULL;
CREATE INDEX checkpoint_seq ON checkpoint (seq);

-- Cases a person took out. Their fingerprints stay in the duplicate history. `withdrawn_seq` is the place of the act,
-- `replaced_by` the case that a person put in the same slot instead.
CREATE TABLE withdrawn_case (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  structure INTEGER, inputs TEXT NOT NULL, expectations TEXT NOT NULL, tags TEXT NOT NULL, created_at REAL NOT NULL,
  crc INTEGER NOT NULL, batch INTEGER NOT NULL, withdrawn_seq INTEGER NOT NULL, replaced_by INTEGER,
  reason TEXT NOT NULL, withdrawn_at REAL NOT NULL);
CREATE INDEX withdrawn_successor ON withdrawn_case (replaced_by) WHERE replaced_by IS NOT NULL;

CREATE TABLE message (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, role TEXT NOT NULL, kind TEXT NOT NULL, text TEXT NOT NULL,
  data TEXT NOT NULL, created_at REAL NOT NULL);
"""

# The main agent: what it remembers, what it asked, what it did, what it cost; and slots that a plan no longer wants.
_V3 = """
-- A slot that a plan revision took out keeps its number and is not written any more. `seq` is that of the revision.
CREATE TABLE retired_slot (
  branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, ordinal INTEGER NOT NULL, seq INTEGER NOT NULL,
  PRIMARY KEY (branch_id, category_id, ordinal)) WITHOUT ROWID;

-- What the main agent has been told and has said, as items of the Responses API, oldest first.
CREATE TABLE agent_item (
  id INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, item TEXT NOT NULL, created_at REAL NOT NULL);

-- `purpose`: turn, preview. `cached_tokens` are part of `prompt_tokens`.
CREATE TABLE agent_call (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, purpose TEXT NOT NULL, model TEXT NOT NULL,
  prompt_tokens INTEGER NOT NULL, cached_tokens INTEGER NOT NULL, completion_tokens INTEGER NOT NULL,
  seconds REAL NOT NULL, created_at REAL NOT NULL);

-- Questions that need a person's yes. `state`: open, decided, settled. `run_state` is what the agent goes on from; it is
-- emptied when the answer has had its effect, so that nothing can go on from it twice.
CREATE TABLE approval (
  call_id TEXT PRIMARY KEY, branch_id INTEGER NOT NULL, seq INTEGER NOT NULL, tool TEXT NOT NULL, data TEXT NOT NULL,
  run_state TEXT NOT NULL, state TEXT NOT NULL, decision TEXT NOT NULL, created_at REAL NOT NULL) WITHOUT ROWID;

-- Tool calls that have had their effect, and what they answered: one is never carried out twice.
CREATE TABLE tool_effect (
  call_id TEXT PRIMARY KEY, tool TEXT NOT NULL, answer TEXT NOT NULL, created_at REAL NOT NULL) WITHOUT ROWID;
"""

# How close accepted cases were to the nearest one before them, in a stage that did not turn them away.
_V4 = """
-- Scores are those of the nearest case that nothing but the score speaks for keeping apart; `*_seq` is its place in the
-- history. What a guard kept apart stands in the case's own `flags`.
CREATE TABLE likeness (
  seq INTEGER PRIMARY KEY, near REAL, near_seq INTEGER, semantic REAL, semantic_seq INTEGER);
"""

# What models answered, so that it can be judged again without being paid for again.
_V5 = """
-- `seq` is that of the call in `worker_call`; `ordinals` are its slots in the order of its prompt, as JSON; `answer` is
-- UTF-8, compressed by zlib, `size` its compressed length in bytes.
CREATE TABLE worker_answer (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, size INTEGER NOT NULL,
  ordinals TEXT NOT NULL, answer BLOB NOT NULL);
"""

# Which tokens are an estimate.
_V6 = """
ALTER TABLE worker_call ADD COLUMN estimated INTEGER NOT NULL DEFAULT 0;
"""

# Sums by which damage is noticed.
_V7 = """
-- One row. `commits` counts the transactions; `closed` is 1 when whoever wrote last has ended properly; `sums` is JSON:
-- table → [rows, total of their hashes]; `crc` is that of the row itself. See `table_sums.py`.
CREATE TABLE seal (
  id INTEGER PRIMARY KEY, commits INTEGER NOT NULL, closed INTEGER NOT NULL, sums TEXT NOT NULL, crc INTEGER NOT NULL);
"""

# Documents that cases are written from, as they were when they were read.
_V8 = """
-- `id` is made of the text. `start` and `end` are places in the document's text; `source_passage` says which passages the
-- path of a plan leads to, in order.
CREATE TABLE passage (
  id TEXT PRIMARY KEY, document TEXT NOT NULL, heading TEXT NOT NULL, start INTEGER NOT NULL, end INTEGER NOT NULL,
  text TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE source_passage (
  source TEXT NOT NULL, place INTEGER NOT NULL, passage_id TEXT NOT NULL, PRIMARY KEY (source, place)) WITHOUT ROWID;
"""

# What a judge says of cases.
_V9 = """
-- `case_seq` is that of the case that was judged; `standing` is 1 while that case is there and says what it said then.
-- `finding`: good, bad, not_judged; `failed` is JSON, the criteria that the case does not meet.
CREATE TABLE verdict (
  seq INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, ordinal INTEGER NOT NULL,
  case_seq INTEGER NOT NULL, standing INTEGER NOT NULL, finding TEXT NOT NULL, failed TEXT NOT NULL, reason TEXT NOT NULL,
  quote TEXT NOT NULL, model TEXT NOT NULL, created_at REAL NOT NULL);
CREATE INDEX verdict_case ON verdict (case_seq);
CREATE INDEX verdict_finding ON verdict (branch_id, standing, category_id, finding);

-- `role`: worker, judge; since 10 also templates, since 11 evolve, critique, revise.
ALTER TABLE worker_call ADD COLUMN role TEXT NOT NULL DEFAULT 'worker';
"""

# Templates that a model wrote, of which cases are made.
_V10 = """
-- `template` is JSON; `written_for` a hash of what the category said; `dropped` why no more cases are made of it, or empty.
CREATE TABLE template (
  id INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, name TEXT NOT NULL,
  template TEXT NOT NULL, written_for TEXT NOT NULL, model TEXT NOT NULL, batch INTEGER NOT NULL, dropped TEXT NOT NULL,
  created_at REAL NOT NULL);
"""

# Cases between two stages of writing.
_V11 = """
-- What the last finished stage has written for an open slot, until the gate has decided about it. `made_for` is a digest of
-- what the slot asked for; `body` is JSON: inputs, expectations, tags; `trail` the finished stages, each with what came of it.
CREATE TABLE staged_case (
  branch_id INTEGER NOT NULL, category_id INTEGER NOT NULL, ordinal INTEGER NOT NULL, made_for TEXT NOT NULL,
  body TEXT NOT NULL, trail TEXT NOT NULL, batch INTEGER NOT NULL, model TEXT NOT NULL, created_at REAL NOT NULL,
  PRIMARY KEY (branch_id, category_id, ordinal)) WITHOUT ROWID;
"""

# Rows of files that cases are about, as they were when they were read.
_V12 = """
-- `digest` is that of the file's bytes, `total` the number of its rows; `body` is JSON. `row_order` says which row the slots of
-- a category get, by their place among those that are no partners; `file` is the path in the plan.
CREATE TABLE row_file (
  category TEXT NOT NULL, file TEXT NOT NULL, digest TEXT NOT NULL, total INTEGER NOT NULL,
  PRIMARY KEY (category, file)) WITHOUT ROWID;
CREATE TABLE source_row (
  digest TEXT NOT NULL, number INTEGER NOT NULL, body TEXT NOT NULL, PRIMARY KEY (digest, number)) WITHOUT ROWID;
CREATE TABLE row_order (
  category TEXT NOT NULL, file TEXT NOT NULL, place INTEGER NOT NULL, number INTEGER NOT NULL,
  PRIMARY KEY (category, file, place)) WITHOUT ROWID;
"""

# Cases that wait to be logged to MLflow.
_V13 = """
-- Oldest first. `act`: upsert (the case of `case_seq` as it is when it is sent), delete (the record that has these `inputs`);
-- `kind` is that of the case; `tries` and `error` are of those that failed; `given_up` is 1 when it is not tried any more.
CREATE TABLE tracking_outbox (
  id INTEGER PRIMARY KEY, act TEXT NOT NULL, case_seq INTEGER NOT NULL, kind TEXT NOT NULL, inputs TEXT NOT NULL,
  created_at REAL NOT NULL, tries INTEGER NOT NULL DEFAULT 0, error TEXT NOT NULL DEFAULT '',
  given_up INTEGER NOT NULL DEFAULT 0);
CREATE INDEX tracking_outbox_open ON tracking_outbox (given_up, id);
"""

# Evaluations of the application, read back from MLflow.
_V14 = """
-- `run_id` is MLflow's. `cases` are those of this session; `unmatched` the traces of none; `digest` is that of all that was read.
CREATE TABLE evaluation_run (
  id INTEGER PRIMARY KEY, run_id TEXT NOT NULL UNIQUE, name TEXT NOT NULL, version TEXT NOT NULL, started_at REAL NOT NULL,
  ended_at REAL, cases INTEGER NOT NULL, unmatched INTEGER NOT NULL, digest TEXT NOT NULL);
-- `case_seq` is that of the case that was evaluated, so that what says something else by now has no result; `raised` is 1 when
-- the application did; `scores` is JSON: [scorer, value, reason, whether the scorer failed at its work].
CREATE TABLE evaluation_result (
  case_seq INTEGER NOT NULL, evaluation INTEGER NOT NULL, raised INTEGER NOT NULL, scores TEXT NOT NULL,
  PRIMARY KEY (case_seq, evaluation)) WITHOUT ROWID;
CREATE INDEX evaluation_of_result ON evaluation_result (evaluation);
"""

# Branches: points that can be returned to, and what is not in the tables because another branch is worked on.
_V15 = """
-- Every table holds the branch that is worked on, and `branch_id` is 1 in each of its rows; `meta` has the number of that branch
-- in this table. `segment_id` is the last piece of its line, or NULL for a fork that nobody has worked on: it stands at
-- `checkpoint_id`. `cause`: begun, fork, rewind, undo.
ALTER TABLE branch ADD COLUMN segment_id INTEGER DEFAULT 1;
ALTER TABLE branch ADD COLUMN checkpoint_id INTEGER;
ALTER TABLE branch ADD COLUMN cause TEXT NOT NULL DEFAULT 'begun';

-- Lines of history, in pieces that begin where another one ends; the first one, 1, has no row. `start_seq` is the place of the
-- checkpoint at which a piece begins.
CREATE TABLE segment (
  id INTEGER PRIMARY KEY, branch_id INTEGER NOT NULL, parent_id INTEGER NOT NULL, start_seq INTEGER NOT NULL);
CREATE INDEX segment_parent ON segment (parent_id);

-- `commits` is the number of the transaction; 0 for one that an older format has written: `counters` is NULL then, and
-- what was changed before stays. `counters` is JSON: number of a category →
-- accepted, rejected, exhausted. `message_seq` is the last message.
ALTER TABLE checkpoint ADD COLUMN segment_id INTEGER NOT NULL DEFAULT 1;
ALTER TABLE checkpoint ADD COLUMN commits INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoint ADD COLUMN revision INTEGER;
ALTER TABLE checkpoint ADD COLUMN counters TEXT;
ALTER TABLE checkpoint ADD COLUMN message_seq INTEGER NOT NULL DEFAULT 0;
ALTER TABLE checkpoint ADD COLUMN settings_id INTEGER;
ALTER TABLE checkpoint ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE checkpoint ADD COLUMN note TEXT NOT NULL DEFAULT '';
CREATE INDEX checkpoint_segment ON checkpoint (segment_id);
UPDATE checkpoint SET
  revision = ifnull((SELECT max(revision) FROM plan_revision p WHERE p.seq<=checkpoint.seq),
    (SELECT min(revision) FROM plan_revision)),
  message_seq = ifnull((SELECT max(seq) FROM message m WHERE m.seq<=checkpoint.seq), 0);

-- The session's layer of settings as checkpoints found it, each once.
CREATE TABLE settings_layer (id INTEGER PRIMARY KEY, settings TEXT NOT NULL, seals TEXT NOT NULL);

-- A row that was there at a checkpoint and was changed or deleted since, once for each stretch between two checkpoints. `place`
-- is that of its table in `travelled_tables.py`, `first` and `second` its key, `born` the place in the history at which it came.
-- `former_…` has the row as it is on the other side of the change: before it while `applied` is 1, after it while that is 0.
CREATE TABLE row_change (
  id INTEGER PRIMARY KEY, segment_id INTEGER NOT NULL, commits INTEGER NOT NULL, place INTEGER NOT NULL,
  first INTEGER NOT NULL, second INTEGER NOT NULL, born INTEGER NOT NULL, applied INTEGER NOT NULL DEFAULT 1);
CREATE INDEX row_change_segment ON row_change (segment_id, commits);
CREATE INDEX row_change_row ON row_change (place, first, second);

CREATE TABLE former_accepted_case (
  change_id INTEGER PRIMARY KEY, seq INTEGER, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, structure INTEGER,
  inputs TEXT, expectations TEXT, tags TEXT, created_at REAL, crc INTEGER, batch INTEGER);
CREATE INDEX former_slot ON former_accepted_case (category_id, ordinal);
CREATE TABLE former_verdict (
  change_id INTEGER PRIMARY KEY, seq INTEGER, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, case_seq INTEGER,
  standing INTEGER, finding TEXT, failed TEXT, reason TEXT, quote TEXT, model TEXT, created_at REAL);
CREATE TABLE former_likeness (
  change_id INTEGER PRIMARY KEY, seq INTEGER, near REAL, near_seq INTEGER, semantic REAL, semantic_seq INTEGER);
CREATE TABLE former_exhausted_slot (
  change_id INTEGER PRIMARY KEY, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, seq INTEGER, attempts INTEGER,
  reason TEXT);
CREATE TABLE former_retired_slot (
  change_id INTEGER PRIMARY KEY, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, seq INTEGER);

-- What came in segments that the present branch does not go through.
CREATE TABLE shelved_accepted_case (
  seq INTEGER PRIMARY KEY, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, structure INTEGER, inputs TEXT,
  expectations TEXT, tags TEXT, created_at REAL, crc INTEGER, batch INTEGER, segment_id INTEGER NOT NULL);
CREATE INDEX shelved_slot ON shelved_accepted_case (segment_id, category_id, ordinal);
CREATE TABLE shelved_verdict (
  seq INTEGER PRIMARY KEY, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, case_seq INTEGER, standing INTEGER,
  finding TEXT, failed TEXT, reason TEXT, quote TEXT, model TEXT, created_at REAL, segment_id INTEGER NOT NULL);
CREATE INDEX shelved_verdict_segment ON shelved_verdict (segment_id);
CREATE TABLE shelved_likeness (
  seq INTEGER PRIMARY KEY, near REAL, near_seq INTEGER, semantic REAL, semantic_seq INTEGER, segment_id INTEGER NOT NULL);
CREATE INDEX shelved_likeness_segment ON shelved_likeness (segment_id);
CREATE TABLE shelved_rejection (
  seq INTEGER PRIMARY KEY, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, attempt INTEGER, stage TEXT, score REAL,
  threshold REAL, nearest_seq INTEGER, nearest_case_id TEXT, reason TEXT, text TEXT, created_at REAL, batch INTEGER,
  candidate TEXT, gave_up INTEGER, segment_id INTEGER NOT NULL);
CREATE INDEX shelved_rejection_segment ON shelved_rejection (segment_id);
CREATE TABLE shelved_history (
  seq INTEGER PRIMARY KEY, branch_id INTEGER, kind TEXT, data TEXT, created_at REAL, category_id INTEGER, ordinal INTEGER,
  segment_id INTEGER NOT NULL);
CREATE INDEX shelved_history_segment ON shelved_history (segment_id);
CREATE TABLE shelved_withdrawn_case (
  segment_id INTEGER NOT NULL, seq INTEGER, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, structure INTEGER,
  inputs TEXT, expectations TEXT, tags TEXT, created_at REAL, crc INTEGER, batch INTEGER, withdrawn_seq INTEGER,
  replaced_by INTEGER, reason TEXT, withdrawn_at REAL);
CREATE INDEX shelved_withdrawn_segment ON shelved_withdrawn_case (segment_id);
CREATE TABLE shelved_exhausted_slot (
  segment_id INTEGER NOT NULL, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, seq INTEGER, attempts INTEGER,
  reason TEXT);
CREATE INDEX shelved_exhausted_segment ON shelved_exhausted_slot (segment_id);
CREATE TABLE shelved_retired_slot (
  segment_id INTEGER NOT NULL, branch_id INTEGER, category_id INTEGER, ordinal INTEGER, seq INTEGER);
CREATE INDEX shelved_retired_segment ON shelved_retired_slot (segment_id);
"""

# Batch jobs: worker calls that a provider makes together, for less.
_V16 = """
-- `of_branch` is the branch that the job was made for; `endpoint` a digest of where it is; `options` are those of its requests;
-- `state`: prepared, asked, waiting, ended, collected, dropped.
CREATE TABLE batch_job (
  id INTEGER PRIMARY KEY, of_branch INTEGER NOT NULL, round INTEGER NOT NULL, model TEXT NOT NULL, state TEXT NOT NULL,
  requests INTEGER NOT NULL, created_at REAL NOT NULL, remote_id TEXT NOT NULL DEFAULT '', file_id TEXT NOT NULL DEFAULT '',
  status TEXT NOT NULL DEFAULT '', done INTEGER NOT NULL DEFAULT 0, failed INTEGER NOT NULL DEFAULT 0,
  cancelled INTEGER NOT NULL DEFAULT 0, trouble TEXT NOT NULL DEFAULT '',
  options TEXT NOT NULL DEFAULT '', endpoint TEXT NOT NULL DEFAULT '',
  token TEXT NOT NULL DEFAULT '');
-- `slots` is JSON: [ordinal, attempt, digest of what was asked for], in the order of the prompt.
CREATE TABLE batch_request (
  batch INTEGER PRIMARY KEY, job_id INTEGER NOT NULL, category_id INTEGER NOT NULL, slots TEXT NOT NULL,
  max_tokens INTEGER NOT NULL, candidates INTEGER NOT NULL);
CREATE INDEX batch_request_job ON batch_request (job_id);
-- 1 when the call was made in a batch job, which costs less.
ALTER TABLE worker_call ADD COLUMN batched INTEGER NOT NULL DEFAULT 0;
"""

MIGRATIONS: tuple[str, ...] = (_V1, _V2, _V3, _V4, _V5, _V6, _V7, _V8, _V9, _V10, _V11, _V12, _V13, _V14, _V15, _V16)
SEALED = 7  # the version from which on a session file has sums

SEQUENCED_TABLES = (
    "plan_revision", "accepted_case", "rejection", "worker_call", "history", "damaged_case", "withdrawn_case", "message",
    "agent_call", "approval", "verdict", "checkpoint",
)  # fmt: skip
MAIN_BRANCH = 1  # in every row of every table that has a `branch_id`; which branch they hold, `meta` says
