-- The book, version 23: what was drilled, what is to be drilled and until when, and rehearsals on certificates in use.

-- Insert-only. One row for each drill that was recorded: its score card is the record of the test that BR 5.7.1.2 asks
-- for.
CREATE TABLE drill (
  id INTEGER NOT NULL PRIMARY KEY,         -- from 1
  scenario TEXT NOT NULL,
  kind TEXT NOT NULL,                      -- simulation, tabletop, rehearsal
  mode TEXT NOT NULL,
  seed INTEGER NOT NULL,                   -- of a drawn one; 0: none
  certificates INTEGER NOT NULL,
  begun_us INTEGER NOT NULL,               -- real time
  ended_us INTEGER NOT NULL,
  passed INTEGER NOT NULL,                 -- 1: every clock was met
  missed TEXT NOT NULL,                    -- names of those that were not
  record_sha256 BLOB NOT NULL,             -- of the whole record, which its maker keeps
  record TEXT NOT NULL,                    -- score card, as JSON
  findings TEXT NOT NULL,                  -- what is to be changed; '': nothing was found
  date INTEGER NOT NULL,                   -- row of drill_date that it kept; 0: none
  recorded_us INTEGER NOT NULL,
  recorded_by TEXT NOT NULL
) STRICT;

-- The calendar.
CREATE TABLE drill_date (
  id INTEGER NOT NULL PRIMARY KEY,         -- from 1
  scenario TEXT NOT NULL,                  -- '': any
  kind TEXT NOT NULL,
  owner TEXT NOT NULL,                     -- role or person
  due_us INTEGER NOT NULL,
  every_days INTEGER NOT NULL,             -- the next is due so long after it was held; 0: once
  note TEXT NOT NULL,
  status TEXT NOT NULL,                    -- planned, held, dropped
  drill INTEGER NOT NULL,                  -- that kept it; 0: none yet
  late_us INTEGER NOT NULL,                -- when the alarm was raised; 0: it was not
  made_us INTEGER NOT NULL,
  made_by TEXT NOT NULL
) STRICT;
CREATE INDEX drill_date_due ON drill_date(due_us) WHERE status = 'planned';

-- A rehearsal moves the renewal windows of chosen certificates, and looks who reacts. Nothing is revoked.
CREATE TABLE drill_rehearsal (
  id INTEGER NOT NULL PRIMARY KEY,         -- from 1
  status TEXT NOT NULL,                    -- choosing, running, over
  note TEXT NOT NULL,
  explanation TEXT NOT NULL,               -- address that renewal information points to; '': none
  start_us INTEGER NOT NULL,               -- window
  end_us INTEGER NOT NULL,
  until_us INTEGER NOT NULL,               -- the windows go back to what they were
  count INTEGER NOT NULL,                  -- certificates
  reacted INTEGER NOT NULL,                -- when it was over
  ended_us INTEGER NOT NULL,               -- 0: it runs
  made_us INTEGER NOT NULL,
  made_by TEXT NOT NULL
) STRICT;
CREATE INDEX drill_rehearsal_live ON drill_rehearsal(until_us) WHERE status <> 'over';

CREATE TABLE drill_rehearsed (
  rehearsal INTEGER NOT NULL,
  issuer INTEGER NOT NULL,
  serial BLOB NOT NULL,
  account INTEGER NOT NULL,
  since_us INTEGER NOT NULL,               -- since when its window is moved
  back INTEGER NOT NULL,                   -- 1: not any more
  PRIMARY KEY (rehearsal, issuer, serial)
) STRICT, WITHOUT ROWID;
CREATE INDEX drill_rehearsed_account ON drill_rehearsed(rehearsal, account);

-- Of a drill's own book: clients that react to renewal windows, as the scenario has it.
CREATE TABLE drill_reaction (
  id INTEGER NOT NULL PRIMARY KEY,         -- from 1
  mass INTEGER NOT NULL,                   -- whose members
  percent INTEGER NOT NULL,                -- of those that were not replaced
  at_tier INTEGER NOT NULL,                -- how far it is
  at_issuer INTEGER NOT NULL,
  at_serial BLOB NOT NULL,
  looked INTEGER NOT NULL,
  reacted INTEGER NOT NULL,
  ended_us INTEGER NOT NULL                -- 0: it runs
) STRICT;
CREATE INDEX drill_reaction_live ON drill_reaction(id) WHERE ended_us = 0;
