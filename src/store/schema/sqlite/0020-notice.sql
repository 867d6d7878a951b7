-- The book, version 20: notices to people and machines, who is on call, and what the world may look up of an incident.

-- One row for each notice to one address. What it says is its template (data/notices) filled with params; status is
-- the state machine of incident/notice.c.
CREATE TABLE notice (
  id INTEGER NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,                      -- of the template
  subject TEXT NOT NULL,                   -- "incident 12", "problem 7", "page 3"
  channel TEXT NOT NULL,                   -- mail, webhook, page
  recipient TEXT NOT NULL,                 -- address; name of the hook; who looks at the page
  params TEXT NOT NULL,                    -- JSON object; of a batch what is its own
  account INTEGER NOT NULL,                -- 0: of no subscriber
  batch INTEGER NOT NULL,                  -- 0: written by itself
  reply_to TEXT NOT NULL,                  -- '': the CA's own address
  in_reply_to TEXT NOT NULL,               -- Message-ID of what it answers; '': nothing
  token TEXT NOT NULL,                     -- in its Message-ID: what comes back must know it
  status TEXT NOT NULL,                    -- queued, sent, refused, bounced, withdrawn, shown
  attempts INTEGER NOT NULL,
  due_us INTEGER NOT NULL,                 -- of the next attempt, while it is queued
  created_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL,               -- when it was sent, or given up; 0: not yet
  said TEXT NOT NULL                       -- last words of the relay, or of the hook
) STRICT;
CREATE INDEX notice_subject ON notice(subject, id);
CREATE INDEX notice_of_account ON notice(account, id) WHERE account > 0;
CREATE INDEX notice_due ON notice(due_us) WHERE status = 'queued' AND batch = 0;
CREATE INDEX notice_due_of_batch ON notice(due_us) WHERE status = 'queued' AND batch > 0;
CREATE INDEX notice_of_batch ON notice(batch, id) WHERE batch > 0;

-- How fast letters leave: what is left of what may be sent until now. One row.
CREATE TABLE notice_pace (
  id INTEGER NOT NULL PRIMARY KEY,
  at_us INTEGER NOT NULL,                  -- when it was filled last
  left_over INTEGER NOT NULL,              -- letters that may leave before that is done again
  behind INTEGER NOT NULL                  -- 1: more were due than might leave
) STRICT;

-- One notice to every subscriber of a frozen list (mass_member): which accounts, then their addresses, in slices.
CREATE TABLE notice_batch (
  id INTEGER NOT NULL PRIMARY KEY,
  subject TEXT NOT NULL,
  kind TEXT NOT NULL,
  mass INTEGER NOT NULL,
  params TEXT NOT NULL,                    -- for all of them
  status TEXT NOT NULL,                    -- collecting, writing, sending, done, stopped
  at_tier INTEGER NOT NULL,                -- how far collecting is
  at_issuer INTEGER NOT NULL,
  at_serial BLOB NOT NULL,
  at_account INTEGER NOT NULL,             -- how far writing is
  certificates INTEGER NOT NULL,           -- so far
  accounts INTEGER NOT NULL,
  notices INTEGER NOT NULL,                -- written
  unreached INTEGER NOT NULL,              -- accounts without any address or hook
  sent INTEGER NOT NULL,
  failed INTEGER NOT NULL,                 -- bounced, refused or withdrawn
  created_us INTEGER NOT NULL,
  created_by TEXT NOT NULL,
  written_us INTEGER NOT NULL,             -- 0: not yet
  ended_us INTEGER NOT NULL                -- 0: not yet
) STRICT;
CREATE INDEX notice_batch_subject ON notice_batch(subject, id);
CREATE INDEX notice_batch_open ON notice_batch(id)
  WHERE status = 'collecting' OR status = 'writing' OR status = 'sending';

CREATE TABLE notice_account (
  batch INTEGER NOT NULL,
  account INTEGER NOT NULL,
  certificates INTEGER NOT NULL,
  PRIMARY KEY (batch, account)
) STRICT, WITHOUT ROWID;

-- What the world may look up: the frozen list of an incident, as a file and by certificate and account.
CREATE TABLE notice_list (
  incident INTEGER NOT NULL,
  version INTEGER NOT NULL,                -- from 1: a corrected scope is the next
  mass INTEGER NOT NULL,
  title TEXT NOT NULL,
  words TEXT NOT NULL,                     -- what people are told beside it
  deadline_us INTEGER NOT NULL,            -- when they will have been revoked; 0: nobody has said
  public INTEGER NOT NULL,                 -- 0: withdrawn, or replaced by the next version
  wanted_us INTEGER NOT NULL,
  wanted_by TEXT NOT NULL,
  published_us INTEGER NOT NULL,           -- the file is there; 0: not yet
  rows INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 BLOB NOT NULL,                    -- of the file; empty until it is there
  PRIMARY KEY (incident, version)
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_list_public ON notice_list(incident) WHERE public = 1;

-- Where notices go that are for machines: signed with the secret (docs/notices.md).
CREATE TABLE notice_hook (
  name TEXT NOT NULL PRIMARY KEY,
  url TEXT NOT NULL,
  account INTEGER NOT NULL,                -- whose notices; 0: those that name it
  secret BLOB NOT NULL,                    -- sealed
  status TEXT NOT NULL,                    -- valid, removed
  added_us INTEGER NOT NULL,
  added_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX notice_hook_account ON notice_hook(account) WHERE account > 0;

-- Who is called at night.
CREATE TABLE oncall_person (
  name TEXT NOT NULL PRIMARY KEY,
  place INTEGER NOT NULL,                  -- in the rota, from 1; 0: not in it, called by escalation alone
  mail TEXT NOT NULL,
  hook TEXT NOT NULL,                      -- of notice_hook; ''
  changed_us INTEGER NOT NULL,
  changed_by TEXT NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE oncall_rota (
  id INTEGER NOT NULL PRIMARY KEY,         -- 1: there is one
  start_us INTEGER NOT NULL,               -- when place 1 begins
  turn_s INTEGER NOT NULL,                 -- how long one has it
  step_s INTEGER NOT NULL,                 -- an alarm that nobody acknowledges goes to the next after so long
  changed_us INTEGER NOT NULL,
  changed_by TEXT NOT NULL
) STRICT;

CREATE TABLE oncall_override (
  id INTEGER NOT NULL PRIMARY KEY,
  person TEXT NOT NULL,
  from_us INTEGER NOT NULL,
  until_us INTEGER NOT NULL,
  why TEXT NOT NULL,
  added_us INTEGER NOT NULL,
  added_by TEXT NOT NULL
) STRICT;
CREATE INDEX oncall_override_until ON oncall_override(until_us);

-- An alarm: it goes on until somebody says that they have it.
CREATE TABLE oncall_page (
  id INTEGER NOT NULL PRIMARY KEY,
  severity TEXT NOT NULL,                  -- critical, high, low
  subject TEXT NOT NULL,
  words TEXT NOT NULL,
  status TEXT NOT NULL,                    -- calling, acknowledged, said
  level INTEGER NOT NULL,                  -- how many steps it has gone
  due_us INTEGER NOT NULL,                 -- of the next step, while it is calling
  opened_us INTEGER NOT NULL,
  ended_us INTEGER NOT NULL,               -- 0: not yet
  ended_by TEXT NOT NULL,
  token_sha256 BLOB NOT NULL,              -- of the link by which it is acknowledged
  token BLOB NOT NULL                      -- sealed; empty when it is good for nothing any more
) STRICT;
CREATE INDEX oncall_page_calling ON oncall_page(due_us) WHERE status = 'calling';
CREATE INDEX oncall_page_subject ON oncall_page(subject, status);
CREATE UNIQUE INDEX oncall_page_token ON oncall_page(token_sha256);
