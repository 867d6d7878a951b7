-- The book, version 18: what people report about our certificates.

-- One row for each report, written before anything of it is read; status is the state machine of
-- incident/problem_states.c. No row ever goes: what is worth little is only ranked low.
CREATE TABLE problem (
  id INTEGER NOT NULL PRIMARY KEY,         -- shown as "problem 12"
  status TEXT NOT NULL,
  kind TEXT NOT NULL,                      -- report, takedown, probe, bounce
  channel TEXT NOT NULL,                   -- mail, form, api, phone, acme
  received_us INTEGER NOT NULL,            -- when it reached us: its clocks begin
  recorded_us INTEGER NOT NULL,
  sent_us INTEGER NOT NULL,                -- by the reporter's own clock; 0: unknown
  contact TEXT NOT NULL,                   -- whom to answer, a mail address; '': nobody
  reporter TEXT NOT NULL,                  -- name, as it was given
  may_name INTEGER NOT NULL,               -- 1: may be named in public
  authority TEXT NOT NULL,                 -- subscriber, domain, key, supplier, law, other
  title TEXT NOT NULL,
  cause TEXT NOT NULL,                     -- what it claims: row of ca/reasons.c; '': not said
  clause TEXT NOT NULL,                    -- the clause that it claims: "CABF-BR 7.1.2.7.6"; '': none
  upload BLOB NOT NULL,                    -- problem_part; empty: no bytes of its own
  form TEXT NOT NULL,                      -- of those bytes: mail, text; '': none
  raw_sha256 BLOB NOT NULL,                -- of the report as it came
  raw_bytes INTEGER NOT NULL,
  kept_sha256 BLOB NOT NULL,               -- of the bytes that are kept, where a private key was taken out; empty: as it came
  reading TEXT NOT NULL,                   -- waiting, asked, done, failed; none: there is nothing to read
  tries INTEGER NOT NULL,
  due_us INTEGER NOT NULL,                 -- of the reading: asked again at this time
  message TEXT NOT NULL,                   -- Message-ID; '': none
  link BLOB NOT NULL,                      -- the word of its page, sealed
  link_sha256 BLOB NOT NULL,
  rank INTEGER NOT NULL,                   -- 0 to 100: in which order people look; never what clocks do
  rank_why TEXT NOT NULL,
  same_as INTEGER NOT NULL,                -- the first report of the same; 0: it is the first
  incident INTEGER NOT NULL,               -- 0: none
  bug TEXT NOT NULL,
  acknowledged_us INTEGER NOT NULL,        -- 0: nobody could be written to
  triaged_us INTEGER NOT NULL,
  found_us INTEGER NOT NULL,               -- when the findings were written; 0: not yet
  told_us INTEGER NOT NULL,                -- when the last of their letters was taken; 0: not yet; -1: one came back
  decision TEXT NOT NULL,                  -- revoke, none, takedown, duplicate; '': not yet
  revoked_us INTEGER NOT NULL,             -- when the last certificate that it names was revoked; 0: not yet; -1: it names none
  closed_us INTEGER NOT NULL
) STRICT;
CREATE INDEX problem_status ON problem(status, rank, id);
CREATE INDEX problem_reading ON problem(reading, due_us) WHERE reading = 'waiting' OR reading = 'asked';
CREATE INDEX problem_raw ON problem(raw_sha256);
CREATE INDEX problem_message ON problem(message) WHERE message <> '';
CREATE INDEX problem_contact ON problem(contact, id) WHERE contact <> '';
CREATE INDEX problem_same ON problem(same_as, id) WHERE same_as <> 0;
CREATE INDEX problem_incident ON problem(incident, id) WHERE incident <> 0;
CREATE INDEX problem_telling ON problem(found_us) WHERE found_us <> 0 AND told_us = 0;
CREATE INDEX problem_revoking ON problem(found_us) WHERE decision = 'revoke' AND revoked_us = 0;
CREATE INDEX problem_link ON problem(link_sha256);

-- The bytes, in the order in which they came. An upload is nobody's report until it is whole.
CREATE TABLE problem_upload (
  id BLOB NOT NULL PRIMARY KEY,            -- drawn by who brings it
  begun_us INTEGER NOT NULL,
  by_whom TEXT NOT NULL,
  parts INTEGER NOT NULL,
  bytes INTEGER NOT NULL,
  problem INTEGER NOT NULL                 -- 0: not whole yet
) STRICT, WITHOUT ROWID;
CREATE INDEX problem_upload_open ON problem_upload(begun_us) WHERE problem = 0;
CREATE TABLE problem_part (
  upload BLOB NOT NULL,
  part INTEGER NOT NULL,                   -- from 0
  bytes BLOB NOT NULL,
  PRIMARY KEY (upload, part)
) STRICT, WITHOUT ROWID;

-- What it is about, as far as it could be read.
CREATE TABLE problem_item (
  problem INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  kind TEXT NOT NULL,                      -- serial, sha256, spki, crtsh, name, clause
  value TEXT NOT NULL,                     -- hexadecimal; a name as it is
  issuer INTEGER NOT NULL,                 -- of a certificate that is in the book; 0: it is none
  serial BLOB NOT NULL,
  account INTEGER NOT NULL,                -- its subscriber; 0: unknown
  PRIMARY KEY (problem, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX problem_item_value ON problem_item(kind, value, problem);
CREATE INDEX problem_item_certificate ON problem_item(issuer, serial, problem) WHERE issuer <> 0;
CREATE INDEX problem_item_account ON problem_item(account, problem) WHERE account <> 0;

-- What came with it: names and hashes; the bytes are in problem_part.
CREATE TABLE problem_file (
  problem INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  name TEXT NOT NULL,
  type TEXT NOT NULL,
  bytes INTEGER NOT NULL,
  sha256 BLOB NOT NULL,
  PRIMARY KEY (problem, idx)
) STRICT, WITHOUT ROWID;

-- The thread. Insert-only; each row has its event.
CREATE TABLE problem_word (
  problem INTEGER NOT NULL,
  idx INTEGER NOT NULL,
  at_us INTEGER NOT NULL,
  kind TEXT NOT NULL,                      -- report, follow-up, acknowledgement, reply, findings, takedown, note
  by_whom TEXT NOT NULL,                   -- "reporter", "operator ann", "desk"
  to_whom TEXT NOT NULL,                   -- "reporter", "subscriber 12", "desk"
  shown INTEGER NOT NULL,                  -- 1: on the page of the case
  text TEXT NOT NULL,
  notice INTEGER NOT NULL,                 -- that carried it; 0: none
  PRIMARY KEY (problem, idx)
) STRICT, WITHOUT ROWID;
CREATE INDEX problem_word_notice ON problem_word(notice) WHERE notice <> 0;

-- Who reports, and what came of it: orders the queue, nothing else.
CREATE TABLE problem_reporter (
  contact TEXT NOT NULL PRIMARY KEY,
  first_us INTEGER NOT NULL,
  reports INTEGER NOT NULL,
  upheld INTEGER NOT NULL,
  unfounded INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- A reporter shows that a domain is theirs, by our own validator.
CREATE TABLE problem_domain (
  problem INTEGER NOT NULL,
  name TEXT NOT NULL,
  method TEXT NOT NULL,
  authorization_id INTEGER NOT NULL,
  since_us INTEGER NOT NULL,
  proven_us INTEGER NOT NULL,              -- 0: not yet
  PRIMARY KEY (problem, name)
) STRICT, WITHOUT ROWID;
CREATE INDEX problem_domain_open ON problem_domain(since_us) WHERE proven_us = 0;

-- Our own daily report through each channel: does it arrive?
CREATE TABLE problem_probe (
  channel TEXT NOT NULL,                   -- "mail problems@example.com", "form", "api"
  token_sha256 BLOB NOT NULL,
  sent_us INTEGER NOT NULL,
  due_us INTEGER NOT NULL,
  seen_us INTEGER NOT NULL,                -- 0: not yet
  alarmed_us INTEGER NOT NULL,             -- 0: not yet
  PRIMARY KEY (channel, sent_us)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX problem_probe_token ON problem_probe(token_sha256);
CREATE INDEX problem_probe_open ON problem_probe(due_us) WHERE seen_us = 0 AND alarmed_us = 0;

-- Where people are told to report problems, as in CPS, CCADB and website; each is tried once a day.
CREATE TABLE problem_channel (
  name TEXT NOT NULL PRIMARY KEY,          -- "mail problems@example.com", "form", "api"
  minutes INTEGER NOT NULL,                -- within which our own report has to arrive
  added_us INTEGER NOT NULL,
  added_by TEXT NOT NULL,
  removed_us INTEGER NOT NULL              -- 0: in use
) STRICT, WITHOUT ROWID;
