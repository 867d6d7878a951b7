-- The book, version 16: clocks of duties, reviews and controls that people promised, and what monitoring found.

-- A duty that has begun to run for one subject; id from 1. What it says is a copy of the row of data/duties that was in
-- force when it started, so that a later edition changes nothing that is under way.
CREATE TABLE clock (
  id INTEGER NOT NULL PRIMARY KEY,
  duty TEXT NOT NULL,                      -- id in data/duties
  subject TEXT NOT NULL,                   -- "incident 12", "problem 7", "control crl-review"
  start_us INTEGER NOT NULL,
  evidence TEXT NOT NULL,                  -- of the start: "event registrar 17", or words
  force TEXT NOT NULL,                     -- MUST, SHOULD
  section TEXT NOT NULL,
  aim_us INTEGER NOT NULL,                 -- SHOULD be met by; 0: no such time
  due_us INTEGER NOT NULL,                 -- by then at the latest
  exact INTEGER NOT NULL,                  -- 0: the rule says "promptly", due_us is our own measure
  opened_us INTEGER NOT NULL,              -- by whom it was written, not what it counts from
  status TEXT NOT NULL,                    -- open, breached, overdue, met, late, void
  warned INTEGER NOT NULL,                 -- percent of the last warning: 0, 50, 75, 90, 100
  next_us INTEGER,                         -- when it is looked at again; NULL: never
  met_us INTEGER NOT NULL,                 -- 0: not yet
  proof TEXT NOT NULL,                     -- evidence that it was met, or why it is void
  UNIQUE (duty, subject, start_us)
) STRICT;
CREATE INDEX clock_subject ON clock(subject, id);
CREATE INDEX clock_end ON clock(subject, due_us);
CREATE INDEX clock_next ON clock(next_us) WHERE next_us IS NOT NULL;
CREATE INDEX clock_status ON clock(status, due_us, id);

-- What somebody has promised to do again and again, or to keep working: periodic reviews, compensating controls.
CREATE TABLE control (
  name TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,                      -- review, control
  owner TEXT NOT NULL,                     -- role or operator
  about TEXT NOT NULL,                     -- what is done, and what it stands in for
  source TEXT NOT NULL,                    -- duty, incident or document that wants it
  every_s INTEGER NOT NULL,
  last_us INTEGER NOT NULL,                -- 0: never
  due_us INTEGER NOT NULL,
  added_us INTEGER NOT NULL,
  status TEXT NOT NULL                     -- live, retired
) STRICT, WITHOUT ROWID;

-- Triggers that have fired, for each subject; one row for as long as it lasts.
CREATE TABLE watch_finding (
  trigger_id INTEGER NOT NULL,             -- of the table in incident/watch.c
  subject TEXT NOT NULL,                   -- "crl tls 3", "certificate tls 0a1b", "account 7"
  detail TEXT NOT NULL,
  severity TEXT NOT NULL,
  first_us INTEGER NOT NULL,
  last_us INTEGER NOT NULL,
  incident INTEGER NOT NULL,               -- case that it opened; 0: none
  PRIMARY KEY (trigger_id, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX watch_finding_last ON watch_finding(last_us);

-- How far each trigger is.
CREATE TABLE watch_run (
  trigger_id INTEGER NOT NULL PRIMARY KEY,
  status TEXT NOT NULL,                    -- on, off
  due_us INTEGER NOT NULL,                 -- of the next look
  started_us INTEGER NOT NULL,             -- of this pass
  ended_us INTEGER NOT NULL,               -- of the last whole pass; 0: none
  place TEXT NOT NULL,                     -- where this pass is; empty: at the beginning
  looked INTEGER NOT NULL,                 -- rows in this pass
  found INTEGER NOT NULL,                  -- in this pass
  fired INTEGER NOT NULL,                  -- new ones of these
  incident INTEGER NOT NULL                -- the last case that it opened; 0: none
) STRICT, WITHOUT ROWID;

-- What monitoring must be told, because nobody can read it in the book: a declared stop of issuance, the limits that
-- the CPS states.
CREATE TABLE watch_fact (
  name TEXT NOT NULL PRIMARY KEY,          -- "stopped/tls", "cps/tls-server/validity"
  value TEXT NOT NULL,
  at_us INTEGER NOT NULL,
  by_whom TEXT NOT NULL
) STRICT, WITHOUT ROWID;
